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
    """The block that the user's crontab should have."""
    if home.crontab is None:
        what, mend = "there is no crontab(1) here", "install cron, or declare `cron: false`"
        yield Finding(subject, "crontab", "warning", what, mend, user=home.name)
        return
    before = home.crontab.encode("utf-8", "surrogateescape")
    line = f"PATH={state.system.root}/current/bin:/usr/local/bin:/usr/bin:/bin"
    after, _ = blocks.put(before, line.encode("utf-8", "surrogateescape"), "first")
    rest = blocks.take(before, "").decode("utf-8", "surrogateescape").splitlines()
    for number, text in enumerate(rest, 1):
        if _SETS_PATH.match(text):
            yield Finding(subject, "crontab", "warning", f"sets its own PATH: {text.strip()}",
                          "take the line out, or put Go's directory into it",
                          f"crontab of {home.name}:{number}", home.name)  # fmt: skip
    if after != before or ours is None:
        detail = ours.detail if ours else "" if before else "created"
        script = _script(state, home, f"cron@{home.name}", detail, before, after)
        yield Change(subject, f"crontab of {home.name}", "no block", "with a PATH",
                     "cron reads no start-up file", "shells.cron", script, home.name)  # fmt: skip


def take_back(
    state: HostState, home: Home, item: Registered, subject: str, why: str, key: str
) -> Iterator[Change | Finding]:
    """Takes the block out again; a crontab that we made goes, where nothing else is in it."""
    if home.crontab is None:
        yield Finding(subject, "crontab", "warning", "there is no crontab(1) any more: left",
                      "", user=home.name)  # fmt: skip
        return
    before = home.crontab.encode("utf-8", "surrogateescape")
    after = blocks.take(before, item.detail)
    script = _script(state, home, item.kind, item.detail, before, after, forget=True)
    yield Change(subject, f"crontab of {home.name}", "with a PATH", "without", why, key, script,
                 home.name)  # fmt: skip


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
