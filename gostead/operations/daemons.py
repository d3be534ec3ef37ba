"""Part of the subject caches: on a Mac that is converged as a whole, the machine's launchd runs the
trimmer as each user, logged in or not."""

from __future__ import annotations

import plistlib
import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from gostead.facts.host_state import HostState
from gostead.facts.people import Home
from gostead.facts.toolchains import Registered
from gostead.operations import launchd
from gostead.operations.change import Change, Finding
from gostead.operations.registry import digest, registered

_LABEL = "dev.gostead.trim-cache.{uid}"


def path_of(home: Home) -> str:
    """The file of that user's job."""
    return launchd.daemon_place(_LABEL.format(uid=home.uid))


def daemon(
    state: HostState, home: Home, job: Mapping[str, Any], subject: str
) -> Iterator[Change | Finding]:
    """What is missing for the machine's launchd to run `job` as that user."""
    label = _LABEL.format(uid=home.uid)
    content = plistlib.dumps({**job, "Label": label, "UserName": home.name})
    entry = state.caches.entry(path_of(home))
    ours = registered(state, launchd.DAEMON, entry.path)
    if entry.kind not in ("absent", "file") or (entry.kind == "file" and not ours):
        yield Finding(subject, entry.path, "error", f"gostead did not write it: {entry.describe()}",
                      "move it away", user=home.name)  # fmt: skip
        return
    same = entry.content == content and (entry.uid, entry.gid, entry.mode) == (0, 0, "644")
    if same and label in state.caches.loaded:
        return
    before = "absent" if entry.kind == "absent" else "not loaded" if same else "another"
    yield Change(subject, entry.path, before, "as made, and loaded",
                 f"the build cache of {home.name} is trimmed every day", "cache.max_size",
                 launchd.daemon_script(state, entry, label, content))  # fmt: skip


def take_back(
    state: HostState, item: Registered, subject: str, why: str, key: str
) -> Iterator[Change | Finding]:
    """Takes a job away; one that was edited since stays."""
    entry = state.caches.entry(item.path)
    if entry.kind not in ("absent", "file") or (
        entry.kind == "file" and digest(entry.content) != item.detail
    ):
        yield Finding(subject, item.path, "warning", "edited since gostead wrote it: left",
                      "launchctl bootout it and remove it if nobody needs it")  # fmt: skip
        return
    label = posixpath.basename(item.path).removesuffix(".plist")
    yield Change(subject, item.path, "file of gostead's", "absent", why, key,
                 launchd.daemon_script(state, entry, label, None))  # fmt: skip
