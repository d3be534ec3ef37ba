"""Processes that the kernel killed for want of memory, from its own lines in the journal."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gostead.facts.entries import text


@dataclass(frozen=True)
class Kill:
    """One of them: when (seconds since 1970), the cgroup whose limit was used up (empty: the host's
    memory was), the cgroup it ran in, its name, its number and whose it was. Names of processes and
    of users' cgroups are anybody's words: they are here without what does not print."""

    when: str
    limit: str
    group: str
    task: str
    pid: int
    uid: int


@dataclass(frozen=True)
class Journal:
    """What the kernel said since the last run: `cursor` is where the next run begins to read
    (empty: the journal does not say), `more` counts lines about kills that were too many, not
    whole, or to be read in two ways."""

    cursor: str = ""
    kills: tuple[Kill, ...] = ()
    more: int = 0


#: mm/oom_kill.c, dump_oom_victim (5.0 and later). A name has 15 bytes at most, and any bytes.
_LINE = re.compile(
    r"(?P<when>[0-9]+\.[0-9]+) (?:\S+ )?kernel: oom-kill:constraint=\w+,nodemask=.*?,cpuset=.*?"
    r",mems_allowed=[0-9,-]*,(?:oom_memcg=(?P<limit>/.*?)|global_oom),task_memcg=(?P<group>/.*?)"
    r",task=(?P<task>.{0,15}),pid=(?P<pid>[0-9]+),uid=(?P<uid>[0-9]+)"
)
_CURSOR = re.compile(r"[A-Za-z0-9=;_-]{1,400}")


def clean(said: str) -> str:
    """Without what does not print: a terminal obeys none of it, and no line ends in it."""
    return "".join(c if c.isprintable() else "?" for c in said)


def parse_kill(line: str) -> Kill | None:
    """One line of `journalctl -o short-unix`; None where it is no whole line about a kill, or may
    be about another cgroup than it seems to be."""
    found = _LINE.fullmatch(line)
    # A user names cgroups of theirs as they like, also like a piece of this line.
    marks = line.count(",oom_memcg=") + line.count(",global_oom")
    if found is None or marks > 1 or line.count(",task_memcg=") > 1:
        return None
    return Kill(found["when"], clean(found["limit"] or ""), clean(found["group"]),
                clean(found["task"]), int(found["pid"]), int(found["uid"]))  # fmt: skip


def parse_journal(field: bytes) -> Journal:
    """A `kills` record: lines about kills, then where the journal ended and how many lines of that
    kind were left out."""
    cursor, more, kills = "", 0, []
    for line in text(field).split("\n"):
        kind, _, value = line.partition(": ")
        if kind == "-- cursor":
            cursor = value if _CURSOR.fullmatch(value) else ""
        elif kind == "-- more":
            more += int(value)
        elif line:
            kill = parse_kill(line)
            kills += [kill] if kill else []
            more += kill is None
    return Journal(cursor, tuple(kills), more)
