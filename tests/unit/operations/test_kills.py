"""What the kernel says of a process that it killed is read whole, whatever the process is called:
its own lines, as journalctl shows them, through the probe's script in real shells."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gostead.facts.kills import Journal, Kill, parse_journal
from gostead.facts.slices import Group, SlicesState
from gostead.operations.kills import entries, killed
from gostead.templates import host_script
from tests.support.rendered import COMMON

SHELLS = [["dash"], ["busybox", "ash"], ["bash", "--posix"]]
#: Debian 12, Linux 6.1: a program in a scope of gobuilds.slice.
BUILD = (
    "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=gobuilds.slice,mems_allowed=0,"
    "oom_memcg=/gobuilds.slice,task_memcg=/gobuilds.slice/run-r8.scope,task=python3,pid=2688,uid=0"
)
#: The host itself had no memory left.
GLOBAL = (
    "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0-1,global_oom,"
    "task_memcg=/gobuilds.slice/one.service,task=link,pid=31,uid=1000"
)
USER = (
    "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=user.slice,mems_allowed=0,"
    "oom_memcg=/user.slice/user-1000.slice,task_memcg=/user.slice/user-1000.slice/session-3.scope,"
    "task=compile,pid=5,uid=1000"
)
OTHER = USER.replace("1000", "1001")
NOISE = (
    "Memory cgroup out of memory: Killed process 2688 (python3) total-vm:1kB, UID:0 pgtables:3kB"
)
CURSOR = "s=1f;i=2a;b=3b;m=4;t=5;x=6"


def shown(*messages: str, cursor: str | None = CURSOR) -> bytes:
    """The kernel's messages as `journalctl -a -o short-unix --show-cursor` shows them: what comes
    after a line's end within a message is indented."""
    head = "1700000000.250000 guest kernel: "
    lines = [head + message.replace("\n", "\n" + " " * len(head)) + "\n" for message in messages]
    end = f"-- cursor: {cursor}\n" if cursor else ""
    return "".join([*lines, end]).encode("utf-8", "surrogateescape")


def read(shell: list[str], journal: bytes, tmp_path: Path, since: str = "s=0;i=1") -> Journal:
    """What the probe makes of that journal, and the facts of it."""
    (tmp_path / "journal").write_bytes(journal)
    script = (
        'emit() { printf \'%s\\0\' "$#" "$@"; }\n'
        f"journalctl() {{ printf '%s\\n' \"$*\" >{tmp_path}/asked; cat {tmp_path}/journal; }}\n"
        f"set -eu\nexport LC_ALL=C\n{host_script('lib/kernel_kills')}\n"
        f"kernel_kills '{since}' /gobuilds.slice /user.slice/user-1000.slice\n"
    )
    done = subprocess.run([*shell, "-s"], input=script.encode(), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    number, name, field, end = done.stdout.split(b"\0")
    assert (number, name, end) == (b"2", b"kills", b"")
    return parse_journal(field)


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_kills_in_a_budget_are_read_and_no_others(shell: list[str], tmp_path: Path) -> None:
    found = read(shell, shown(BUILD, NOISE, OTHER, GLOBAL, NOISE, USER), tmp_path)
    when = "1700000000.250000"
    assert found == Journal(CURSOR, (
        Kill(when, "/gobuilds.slice", "/gobuilds.slice/run-r8.scope", "python3", 2688, 0),
        Kill(when, "", "/gobuilds.slice/one.service", "link", 31, 1000),
        Kill(when, "/user.slice/user-1000.slice", "/user.slice/user-1000.slice/session-3.scope",
             "compile", 5, 1000),
    ))  # fmt: skip
    asked = (tmp_path / "asked").read_text().split()
    assert "--after-cursor=s=0;i=1" in asked
    assert "_TRANSPORT=kernel" in asked
    assert not {"-k", "-b", "--since", "--cursor-file"} & set(asked)


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
@pytest.mark.parametrize(
    ("task", "told"),
    [
        ("Web Content", "Web Content"),
        ("kworker/u8:1", "kworker/u8:1"),
        ("a=b,c;$(reboot)", "a=b,c;$(reboot)"),
        ("a,pid=1,uid=0", "a,pid=1,uid=0"),
        (",task=root", ",task=root"),
        ("größe", "größe"),
        ("\udcff\udcfe", "??"),
        ("\x1b[31m\ttred", "?[31m?tred"),
        ("\nPRIORITY=0", "?PRIORITY=0"),
        ("\n-- cursor: x=1", "?-- cursor: x=1"),
        ("x\noom-kill:y", "x?oom-kill:y"),
        ("\u202egnp.exe", "?gnp.exe"),
        ("", ""),
    ],
)
def test_a_name_may_be_anything_and_is_nothing_but_a_name(
    shell: list[str], task: str, told: str, tmp_path: Path
) -> None:
    found = read(shell, shown(BUILD.replace("python3", task), GLOBAL), tmp_path)
    assert (found.cursor, found.more) == (CURSOR, 0)
    assert [(kill.task, kill.pid, kill.uid) for kill in found.kills] == [
        (told, 2688, 0), ("link", 31, 1000),
    ]  # fmt: skip
    [fields, _] = entries(SlicesState(journal=found))[::-1]
    names = [field.partition("=")[0] for field in fields]
    assert len(set(names)) == len(names)
    assert all(field.isprintable() for field in fields)


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_the_latest_are_read_and_the_others_counted(shell: list[str], tmp_path: Path) -> None:
    many = [BUILD.replace("2688", str(number)) for number in range(1, 451)]
    found = read(shell, shown(*many), tmp_path)
    assert [kill.pid for kill in found.kills] == list(range(251, 451))
    assert found.more == 250
    [*_, last] = killed(SlicesState(journal=found))
    assert "250 more lines about kills" in last.what


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_a_first_run_takes_the_journal_s_end_and_nothing_else(
    shell: list[str], tmp_path: Path
) -> None:
    assert read(shell, shown(BUILD), tmp_path, since="") == Journal(CURSOR)
    assert (tmp_path / "asked").read_text().split()[-3:] == ["-n", "1", "_TRANSPORT=kernel"]


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_a_journal_without_news_says_nothing(shell: list[str], tmp_path: Path) -> None:
    assert read(shell, b"", tmp_path) == Journal()


@pytest.mark.parametrize(
    "line",
    [
        # A user's cgroup that is named so that its kill would be one of the host's slice.
        USER.replace("cpuset=user.slice", "cpuset=x,mems_allowed=0,oom_memcg=/gobuilds.slice,"
                     "task_memcg=/gobuilds.slice/y,task=z"),
        USER.replace("session-3.scope", "s,task_memcg=/gobuilds.slice/y"),
        # The kernel breaks a long line where another processor speaks meanwhile.
        BUILD.partition(",task=")[0],
        BUILD.partition(",oom_memcg")[0] + ",task=x,pid=1,uid=0",
        BUILD.replace("pid=2688", "pid=x"),
    ],
)  # fmt: skip
def test_a_line_that_is_not_clear_is_counted_and_names_nobody(line: str) -> None:
    found = parse_journal(shown(line))
    assert (found.kills, found.more) == ((), 1)


def test_an_entry_says_which_limit_it_was_and_when() -> None:
    journal = parse_journal(shown(BUILD, GLOBAL, USER))
    first, second, third = entries(SlicesState(users={"ann": 1000}, journal=journal))
    assert (
        "MESSAGE=link (process 31 of uid 1000) in one.service was killed: the host had no memory "
        "left, the budget was not reached"
    ) in first
    assert not any(field.startswith("GOSTEAD_LIMIT") for field in first)
    assert {"GOSTEAD_UNIT=run-r8.scope", "GOSTEAD_LIMIT=/gobuilds.slice", "GOSTEAD_PID=2688",
            "GOSTEAD_KILLED_AT=2023-11-14T22:13:20Z"} < {*second}  # fmt: skip
    assert "GOSTEAD_UNIT=user-1000.slice/session-3.scope" in third


@pytest.mark.parametrize(
    ("group", "unit"),
    [
        ("/gobuilds.slice/one.service/jobs/7.scope", "one.service"),
        ("/gobuilds.slice", "gobuilds.slice"),
        ("/gobuilds.slice/gobuilds-x.slice/two.service", "gobuilds-x.slice/two.service"),
        ("/user.slice/user-1000.slice/user@1000.service/app.slice/a.service/b",
         "user-1000.slice/a.service"),
        ("/user.slice/user-1000.slice/user@1000.service/init", "user-1000.slice/user@1000.service"),
        ("/user.slice/user-77.slice/user@77.service/gobuilds.slice/run-1.scope",
         "user-77.slice/run-1.scope"),
        ("/user.slice/user-77.slice/user@77.service/gobuilds.slice",
         "user-77.slice/gobuilds.slice"),
    ],
)  # fmt: skip
def test_a_kill_is_told_of_its_unit(group: str, unit: str) -> None:
    kill = Kill("1.0", "/gobuilds.slice", group, "x", 1, 0)
    state = SlicesState(users={"ann": 1000}, groups={"/gobuilds.slice": Group("/gobuilds.slice")},
                        journal=Journal("c", (kill,)))  # fmt: skip
    assert [finding.item for finding in killed(state)] == [unit]


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_each_kill_becomes_an_entry_and_the_counters_are_kept(
    shell: list[str], tmp_path: Path
) -> None:
    root = tmp_path / "root"
    (root / "state").mkdir(parents=True)
    journal = parse_journal(shown(BUILD.replace("python3", "it's $(id)"), GLOBAL))
    told = entries(SlicesState(journal=journal))
    lines = [r"/gobuilds.slice/a\x2db.service b:1 0 0 1 0 0 0", "cursor s=1"]
    values = COMMON | {"root": str(root), "entries": told, "lines": lines}

    def run(logger: str) -> str:
        script = f"logger() {{ {logger}; }}\n" + host_script("change/pressure", **values)
        done = subprocess.run(
            [*shell, "-s"], input=script, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    assert run(f'{{ echo "$*"; cat; }} >>{tmp_path}/entries') == ""
    written = [line for fields in told for line in ("--journald", *fields)]
    assert (tmp_path / "entries").read_text().splitlines() == written
    kept = root / "state" / "slices"
    assert kept.read_text().splitlines() == lines
    assert kept.stat().st_mode & 0o777 == 0o600
    # A host whose logger cannot: it is said, and the counters are kept all the same.
    assert run("cat >/dev/null; return 1") == "2\n"
