"""Part of the subject shells: a PATH line on top of a user's crontab.

cron reads no start-up file. Debian's starts with PATH=/usr/bin:/bin, and expands nothing
(crontab(5)).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from gostead.facts.host_state import HostState
from gostead.facts.people import Home
from gostead.facts.toolchains import Registered
from gostead.operations import blocks
from gostead.operations.change import Change, Content, Finding, Script

_SETS_PATH = re.compile(r"\s*[\"']?PATH[\"']?\s*=")


def crontab(
    state: HostState, home: Home, ours: Registered | None, subject: str
) -> Iterator[Change | Finding]:
    """The PATH that the user's crontab should have."""
    if home.crontab is None:
        what, mend = "there is no crontab(1) here", "install cron, or declare `cron: false`"
        yield Finding(subject, "crontab", "warning", what, mend, user=home.name)
        return
    rest = blocks.take(_bytes(home.crontab), "").decode("utf-8", "surrogateescape").splitlines()
    for number, text in enumerate(rest, 1):
        if _SETS_PATH.match(text):
            yield Finding(subject, "crontab", "warning", f"sets its own PATH: {text.strip()}",
                          "take the line out, or put Go's directory into it",
                          f"crontab of {home.name}:{number}", home.name)  # fmt: skip
    line = f"PATH={state.system.root}/current/bin:/usr/local/bin:/usr/bin:/bin"
    yield from block(state, home, ours, "cron", line, blocks.BLOCK, subject, "shells.cron",
                     "cron reads no start-up file", "first")  # fmt: skip


def block(
    state: HostState, home: Home, ours: Registered | None, kind: str, line: str,
    marks: blocks.Marks, subject: str, key: str, why: str, where: blocks.Where,
) -> Iterator[Change]:  # fmt: skip
    """The block between `marks` that the user's crontab, which can be read, should have."""
    before = _bytes(home.crontab or "")
    after, joint = blocks.put(before, _bytes(line), where, marks)
    if after != before or ours is None:
        detail = ours.detail if ours else joint if before else "created"
        script = _script(state, home, f"{kind}@{home.name}", detail, before, after)
        yield Change(subject, f"crontab of {home.name}", "no block", "with a block", why, key,
                     script, home.name)  # fmt: skip


def take_back(
    state: HostState, home: Home, item: Registered, subject: str, why: str, key: str,
    marks: blocks.Marks = blocks.BLOCK,
) -> Iterator[Change | Finding]:  # fmt: skip
    """Takes the block out again; a crontab that we made goes, where nothing else is in it."""
    if home.crontab is None:
        yield Finding(subject, "crontab", "warning", "there is no crontab(1) any more: left",
                      "", user=home.name)  # fmt: skip
        return
    before = _bytes(home.crontab)
    after = blocks.take(before, item.detail, marks)
    script = _script(state, home, item.kind, item.detail, before, after, forget=True)
    yield Change(subject, f"crontab of {home.name}", "with a block", "without", why, key, script,
                 home.name)  # fmt: skip


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _script(
    state: HostState, home: Home, kind: str, detail: str, before: bytes, after: bytes,
    forget: bool = False,
) -> Script:  # fmt: skip
    values = {
        "root": state.system.root, "user": home.name, "uid": home.uid, "gid": home.gid,
        "home": home.home, "kind": kind, "detail": detail, "forget": forget,
        "empty": not after and detail == "created",
        "before": hashlib.sha256(before).hexdigest(), "after": hashlib.sha256(after).hexdigest(),
    }  # fmt: skip
    return Script("change/crontab", values, Content(after))
