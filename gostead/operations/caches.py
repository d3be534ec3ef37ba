"""Go's caches, one for each declared user: their directories, and the bound of the build cache.

The keys that lead Go there (GOCACHE, GOMODCACHE, GOTMPDIR) are written by go_env.
"""

from __future__ import annotations

import posixpath
from collections.abc import Generator, Iterator
from typing import Any

from pyinfra.api.operation import operation

from gostead.declaration import GoSetup
from gostead.declaration.sizes import in_bytes, written
from gostead.facts.caches import Volume
from gostead.facts.host_state import HostState
from gostead.facts.people import Home
from gostead.operations import daemons, launchd
from gostead.operations.change import Change, Finding, Plan, Script
from gostead.operations.converge import converge
from gostead.operations.guard import check_host
from gostead.operations.home_files import is_declared, registered_of
from gostead.operations.registry import file_script
from gostead.operations.trimming import KINDS, take_back, timer
from gostead.templates import render

SUBJECT = "caches"
#: Filesystems on which Go's locks, or its trust in times, do not hold (flock(2), NFS).
NETWORK = frozenset(("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "lustre",
                     "glusterfs", "fuse.sshfs", "fuse.glusterfs", "beegfs", "vboxsf"))  # fmt: skip
#: What a build cache needs to be of use: a build of a middling program fills as much.
LOW_KIB, LOW_INODES = 2 * 1024 * 1024, 50_000
#: Where programs are started: the second `go run` and `go tool` find theirs in the build cache.
EXECUTED = ("root", "tmp")


def plan(declared: GoSetup, state: HostState) -> Plan:
    """What the subject would change. Raises PlanError where this host cannot be converged."""
    check_host(declared, state)
    if declared.state == "absent":
        return Plan()
    homes = [h for h in state.shells.homes if not h.error and is_declared(declared, state, h)]
    return Plan.of([
        *_directories(declared, state, homes), *_bound(declared, state, homes),
        *_former(declared, state),
    ])  # fmt: skip


def _directories(
    declared: GoSetup, state: HostState, homes: list[Home]
) -> Iterator[Change | Finding]:
    for key, parent in declared.cache.places():
        faults = list(_volume(state.caches.volumes.get(parent, Volume()), key, parent))
        faults += _way(state, parent)
        yield from faults
        if any(fault.severity == "error" for fault in faults):
            continue
        for home in homes:
            yield from _cache(state, home, key, parent)


def _volume(volume: Volume, key: str, path: str) -> Iterator[Finding]:
    """What the filesystem under a cache is not good for."""
    if volume.type in NETWORK:
        yield Finding(SUBJECT, path, "error", f"is on {volume.type}: locks between builds do not "
                      "hold on a network filesystem", "name a local directory")  # fmt: skip
    if "noexec" in volume.options and key in EXECUTED:
        yield Finding(SUBJECT, path, "error", "is mounted noexec: go run, go test and go tool "
                      "start programs there", "name a directory on another filesystem")  # fmt: skip
    if "ro" in volume.options:
        yield Finding(SUBJECT, path, "error", "is mounted read-only", "mount it read-write")
    if volume.type in ("tmpfs", "ramfs"):
        free = written((volume.free_kib or 0) * 1024)
        yield Finding(SUBJECT, path, "warning", f"is on {volume.type}, {free} free: what builds "
                      "write there is memory, charged to the builds' slice, and not reclaimed",
                      "name a directory on a disk, or count it in the budget")  # fmt: skip
    if volume.free_kib is not None and volume.free_kib < LOW_KIB:
        yield Finding(SUBJECT, path, "warning", f"has {written(volume.free_kib * 1024)} free, less "
                      f"than {written(LOW_KIB * 1024)}", "make room")  # fmt: skip
    if volume.free_inodes is not None and volume.free_inodes < LOW_INODES:
        yield Finding(SUBJECT, path, "warning", f"has {volume.free_inodes} inodes left, less than "
                      f"{LOW_INODES}: caches are many small files", "make room")  # fmt: skip


def _way(state: HostState, path: str) -> Iterator[Finding]:
    """Whether each directory on the way is one that only root and we can exchange."""
    while path != "/":
        entry = state.caches.entry(path)
        if entry.kind in ("file", "other"):
            yield Finding(SUBJECT, path, "error", f"expected a directory: {entry.describe()}",
                          "move it away")  # fmt: skip
        elif entry.kind == "directory" and (
            entry.uid not in (0, state.system.uid) or int(entry.mode, 8) & 0o022
        ):
            yield Finding(SUBJECT, path, "error", f"others than root can exchange what is below it "
                          f"({entry.describe()}): no place for a cache of each user",
                          "name another directory, or mend its owner and mode")  # fmt: skip
        path = posixpath.dirname(path)


def _cache(state: HostState, home: Home, key: str, parent: str) -> Iterator[Change | Finding]:
    path = f"{parent}/{home.uid}"
    entry, foreign = state.caches.entry(path), state.caches.foreign.get(path, "")
    if entry.kind not in ("absent", "directory"):
        yield Finding(SUBJECT, path, "error", f"expected a directory or nothing, found: "
                      f"{entry.describe()}", "move it away", user=home.name)  # fmt: skip
        return
    if entry.kind == "absent":
        act, before, why = "make", "absent", f"{home.name}'s own"
    elif entry.uid != home.uid:
        act, before, why = "anew", f"of uid {entry.uid}", f"it is to be {home.name}'s alone"
    elif foreign:
        act, before = "anew", f"with entries of others ({foreign[:200]})"
        why = "another user built there (sudo go build?); a cache is made anew, not mended"
    elif entry.mode != "700":
        act, before, why = "mode", f"mode {entry.mode}", "nobody else has business there"
    else:
        return
    values = {
        "root": state.system.root, "path": path, "parent": parent, "act": act, "user": home.name,
        "uid": home.uid, "gid": home.gid, "home": home.home, "execute": key in EXECUTED,
    }  # fmt: skip
    yield Change(SUBJECT, path, before, "empty, mode 700" if act != "mode" else "mode 700", why,
                 f"cache.{key}", Script("change/cache", values), home.name)  # fmt: skip


def _bound(declared: GoSetup, state: HostState, homes: list[Home]) -> Iterator[Change | Finding]:
    if not declared.cache.max_size:
        return
    trimmer = f"{state.system.root}/libexec/trim-cache"
    entry, content = state.caches.entry(trimmer), render("trim_cache.sh.j2").encode()
    if entry.content != content or (entry.mode, entry.uid) != ("755", state.system.uid):
        yield Change(SUBJECT, trimmer, "absent" if entry.kind == "absent" else "another",
                     "as made", "it holds the bound of the build caches", "cache.max_size",
                     file_script(state, entry, content, "file", "755"))  # fmt: skip
    limit = in_bytes(declared.cache.max_size)
    for home in homes:
        path = build_cache(declared, state, home)
        total, old = state.caches.sizes.get(path, (0, 0))
        if path == home.build_cache[0]:
            total, old = home.build_cache[1:]
        if total > limit and old:
            yield Change(
                SUBJECT, f"build cache of {home.name}", written(total),
                f"{declared.cache.max_size} at most", "the least recently used goes",
                "cache.max_size",
                Script("change/trim", {
                    "root": state.system.root, "user": home.name, "uid": home.uid,
                    "gid": home.gid, "home": home.home, "trimmer": trimmer, "path": path,
                    "limit": limit}),
                home.name,
            )  # fmt: skip
        elif total > limit:
            yield Finding(SUBJECT, path, "warning", f"holds {written(total)}, the bound is "
                          f"{declared.cache.max_size}: all of it was used in the last three hours",
                          "raise cache.max_size", user=home.name)  # fmt: skip
        yield from timer(state, home, trimmer, path, limit, SUBJECT)


def build_cache(declared: GoSetup, state: HostState, home: Home) -> str:
    """Where that user's build cache is, as declared or by Go's default (os.UserCacheDir)."""
    value = declared.settings(home.uid).get("GOCACHE", (None, ""))[0]
    caches = "Library/Caches" if state.system.name == "darwin" else ".cache"
    default = home.build_cache[0] or f"{home.home}/{caches}/go-build"
    return value if isinstance(value, str) else default


def _former(declared: GoSetup, state: HostState) -> Iterator[Change | Finding]:
    """The timers of users who are declared no longer, or where no bound is."""
    kept = {daemons.path_of(home) for home in state.shells.homes
            if declared.cache.max_size and is_declared(declared, state, home)}  # fmt: skip
    for known in sorted(state.toolchains.registry, key=lambda r: r.path):
        if known.kind == launchd.DAEMON and known.path not in kept:
            yield from daemons.take_back(state, known, SUBJECT, "no longer declared",
                                         "cache.max_size")  # fmt: skip
    for home in state.shells.homes:
        wanted = declared.cache.max_size and is_declared(declared, state, home)
        if not wanted and not home.error:
            for known in registered_of(state, home.name):
                if known.kind.partition("@")[0] in KINDS:
                    yield from take_back(state, home, known, SUBJECT, "no longer declared",
                                         "cache.max_size")  # fmt: skip


@operation()
def caches(directory: str | None = None) -> Generator[Any, None, None]:
    """
    Gives each declared user caches of their own, and holds the bound of the build caches.

    + directory: where the declaration's YAML files are; default ``group_data``
    """
    yield from converge(SUBJECT, plan, directory)
