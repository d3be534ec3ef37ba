"""Part of the subject slices: its files on the host, written and taken back."""

from __future__ import annotations

from collections.abc import Iterator

from gostead.declaration import GoSetup
from gostead.declaration.slices import PROPERTIES, Budget
from gostead.facts.host_state import HostState
from gostead.facts.systemd import UNITS
from gostead.operations.change import Change, Finding, Script
from gostead.operations.limits import Limits
from gostead.operations.registry import digest, file_script, registered
from gostead.operations.unit_files import SLICE, expected, files, in_the_way, wrapper

SUBJECT = "slices"
KIND = "unit"  # the registry's
#: There from before a unit file is written until systemd has read it.
RELOAD = ("reload", UNITS)


def unit_changes(
    declared: GoSetup, state: HostState, go: Limits | None
) -> Iterator[Change | Finding]:
    for path, text in files(declared, state.slices, go):
        entry, content = state.slices.entry(path), text.encode()
        ours = registered(state, KIND, path)
        if trouble := in_the_way(entry):
            yield Finding(SUBJECT, path, "error", trouble, "move it away")
        elif entry.kind == "file" and not ours and entry.content != content:
            yield Finding(SUBJECT, path, "error", "gostead did not write it", "move it away")
        elif entry.content != content or (entry.mode, entry.uid) != ("644", 0) or not ours:
            yield Change(
                SUBJECT, path, "absent" if entry.kind == "absent" else "another", "as declared",
                "systemd reads the budget there", "slices.builds",
                file_script(state, entry, content, KIND, "644"),
            )  # fmt: skip
    for name, uid in state.slices.users.items():
        if uid is None:
            yield Finding(SUBJECT, name, "error", "there is no such user here",
                          "mend slices.users", user=name)  # fmt: skip


def wrapper_changes(state: HostState, go: Limits | None) -> Iterator[Change | Finding]:
    path, content = (
        f"{state.system.root}/libexec/go-slice",
        wrapper(go, mac=state.system.name == "darwin").encode(),
    )
    entry = state.slices.entry(path)
    if entry.content != content or (entry.mode, entry.uid) != ("755", state.system.uid):
        yield Change(
            SUBJECT, path, "absent" if entry.kind == "absent" else "another",
            go.why if go else "as made", "what it starts is within the budget",
            "slices.go_limits" if go else "slices.builds",
            file_script(state, entry, content, "file", "755"),
        )  # fmt: skip
    link = f"{state.system.bin}/go-slice"
    present, ours = state.slices.entry(link), registered(state, "link", link)
    if present.kind not in ("absent", "link") or (present.kind == "link" and not ours):
        yield Finding(SUBJECT, link, "warning", f"not gostead's ({present.describe()}): left alone",
                      f"move it away, or use {path}")  # fmt: skip
    elif present.target != path or not ours:
        yield Change(
            SUBJECT, link, present.target or "absent", path, "go-slice is on every PATH",
            "slices.builds",
            Script("change/link", {"root": state.system.root, "path": link, "target": path,
                                   "before": present.target, "original": ""}),
        )  # fmt: skip


def undeclared(
    declared: GoSetup, state: HostState, go: Limits | None = None
) -> Iterator[Change | Finding]:
    """Unit files of ours that nothing asks for any more; the slice itself goes last."""
    wanted = {path for path, _ in files(declared, state.slices, go)}
    known = sorted((r for r in state.toolchains.registry if r.kind == KIND),
                   key=lambda r: (r.path.endswith(SLICE), r.path))  # fmt: skip
    gone = [item for item in known if item.path not in wanted]
    for item in gone:
        yield from take_back(state, item.path, item.detail, SUBJECT, "no longer declared",
                             "slices.builds")  # fmt: skip
    link = f"{state.system.bin}/go-slice"
    if declared.slices.builds is None and registered(state, "link", link):
        yield unlink(state, SUBJECT, "no longer declared", "slices.builds")
    running = state.slices.systemd == "running"
    if declared.slices.builds is None and running and (gone or pending(state)):
        yield reload(state, SUBJECT)


def take_back(
    state: HostState, path: str, detail: str, subject: str, why: str, key: str
) -> Iterator[Change | Finding]:
    """A unit file of ours goes; one that was edited since stays, and is told."""
    entry = state.slices.entry(path)
    if entry.kind == "file" and digest(entry.content) != detail:
        yield Finding(subject, path, "warning", "edited since gostead wrote it: left",
                      "remove it if nobody needs it, then systemctl daemon-reload")  # fmt: skip
        return
    yield Change(
        subject, path, "file of gostead's", "absent", why, key,
        Script("change/unfile", {"root": state.system.root, "path": path, "kind": KIND,
                                 "before": detail}),
    )  # fmt: skip


def unlink(state: HostState, subject: str, why: str, key: str) -> Change:
    """The link to go-slice goes."""
    path = f"{state.system.bin}/go-slice"
    target = f"{state.system.root}/libexec/go-slice"
    return Change(
        subject, path, state.slices.entry(path).target or "absent", "absent", why, key,
        Script("change/unlink", {"root": state.system.root, "path": path, "target": target,
                                 "original": ""}),
    )  # fmt: skip


def pending(state: HostState) -> bool:
    """Whether systemd has not read the files yet that were written last."""
    return registered(state, *RELOAD) is not None


def reload(
    state: HostState, subject: str, budget: Budget | None = None, *, why: str = ""
) -> Change:
    """systemd reads its files again; the slice is started, or stopped where it has no budget any
    more."""
    users = [f"user-{uid}.slice" for uid in state.slices.users.values() if uid is not None]
    limits = [
        (f"{place}/{PROPERTIES[key][1]}", expected(key, value, state.slices.memory))
        for place in (SLICE, *(f"user.slice/{unit}" for unit in users))
        for key, value in (budget.limits() if budget else {}).items()
    ]
    stop = budget is None
    values = {"root": state.system.root, "slice": SLICE, "stop": stop, "limits": limits,
              "units": [SLICE, *users]}  # fmt: skip
    return Change(
        subject, "systemd", why or "as it was read before", "as its files say",
        "unit files were changed" if not why else "the kernel holds another limit",
        "slices.builds", Script("change/reload", values), leads_on=not stop,
    )  # fmt: skip
