"""plan() is pure: the same answer twice, a refusal or a complete list, whatever a host says."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gostead.declaration import GoSetup, pin_for
from gostead.facts.entries import Entry
from gostead.facts.host_state import HostState
from gostead.facts.shells import ShellsState
from gostead.facts.system import System
from gostead.facts.toolchains import Hold, Registered, ToolchainsState, Tree
from gostead.operations import trees
from gostead.operations.change import PlanError
from gostead.operations.removal import plan as plan_removal
from gostead.operations.shells import plan as plan_shells
from gostead.operations.toolchains import plan as plan_toolchains

ROOT = "/opt/gostead"
VERSIONS = ("1.27.3", "1.26.8", "1.25.14")
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def setup(**toolchains_: object) -> GoSetup:
    return GoSetup.model_validate({"toolchains": toolchains_})


def system(platform: str = "linux-amd64", version: tuple[int, ...] = (), uid: int = 0) -> System:
    return System(
        name="darwin" if platform.startswith("darwin") else "linux", platform=platform,
        version=version, uid=uid, user="root", sudo_user="", home="", scope="system", root=ROOT,
        bin="/usr/local/bin", fetcher="curl",
    )  # fmt: skip


def converged(active: str = "1.27.3", installed: tuple[str, ...] = ("1.27.3",)) -> HostState:
    """A host as an apply leaves it."""
    entries = {ROOT: Entry(ROOT, "directory", 0, 0, "755")}
    for name in ("toolchains", "profiles", "state", "state/stamps", "state/manifests"):
        mode = "700" if name.startswith("state") else "755"
        entries[f"{ROOT}/{name}"] = Entry(f"{ROOT}/{name}", "directory", 0, 0, mode)
    registry, found = set(), {}
    for version in installed:
        name = f"go{version}"
        tree, profile = f"{ROOT}/toolchains/{name}", f"{ROOT}/profiles/{name}"
        registry |= {Registered("toolchain", tree), Registered("profile", profile)}
        entries |= {
            tree: Entry(tree, "directory", 0, 0, "755"),
            profile: Entry(profile, "directory", 0, 0, "755"),
            f"{profile}/bin": Entry(f"{profile}/bin", "directory", 0, 0, "755"),
            f"{profile}/goroot": Entry(
                f"{profile}/goroot", "link", target=f"../../toolchains/{name}"
            ),
        }
        for command in trees.COMMANDS:
            path = f"{profile}/bin/{command}"
            entries[path] = Entry(path, "link", target=f"../goroot/bin/{command}")
        h1 = trees.hexadecimal(pin_for(setup(), version, "linux-amd64").h1)
        found[name] = Tree(name, "stamped", f"1 10 99 then {h1}\nsomewhere", "10 99 then")
    entries[f"{ROOT}/current"] = Entry(f"{ROOT}/current", "link", target=f"profiles/go{active}")
    entries["/usr/local/bin"] = Entry("/usr/local/bin", "directory", 0, 0, "755")
    for command in trees.COMMANDS:
        path = f"/usr/local/bin/{command}"
        entries[path] = Entry(path, "link", target=f"{ROOT}/current/bin/{command}")
        registry.add(Registered("link", path))
    state = ToolchainsState(
        entries[ROOT], entries, found, 1, frozenset(registry), free_kib=10**9, free_inodes=10**9,
        filesystem="/",
    )  # fmt: skip
    return HostState(system(), state, ShellsState())


def replace(state: HostState, **changes: object) -> HostState:
    return dataclasses.replace(state, toolchains=dataclasses.replace(state.toolchains, **changes))  # type: ignore[arg-type]


def items(state: HostState, declared: GoSetup) -> list[str]:
    return [change.item for change in plan_toolchains(declared, state, NOW).changes]


def test_a_converged_host_has_nothing_to_change() -> None:
    assert items(converged(), setup()) == []


def test_a_kept_version_is_not_pruned_and_the_next_one_is() -> None:
    state = converged("1.27.3", VERSIONS)
    assert items(state, setup(keep=2)) == []
    assert items(state, setup(keep=1)) == [f"{ROOT}/toolchains/go1.25.14"]
    assert items(state, setup(keep=0)) == [
        f"{ROOT}/toolchains/go1.26.8",
        f"{ROOT}/toolchains/go1.25.14",
    ]


def test_what_rollback_would_go_back_to_is_kept_first() -> None:
    state = converged("1.27.3", VERSIONS)
    previous = Entry(f"{ROOT}/previous", "link", target="profiles/go1.25.14")
    entries = {**state.toolchains.entries, previous.path: previous}
    assert items(replace(state, entries=entries), setup(keep=1)) == [f"{ROOT}/toolchains/go1.26.8"]


def test_a_hold_keeps_the_active_version_until_it_ends() -> None:
    state = converged("1.26.8", ("1.27.3", "1.26.8"))
    held = replace(state, hold=Hold("1.26.8", "ann", "broken build", ""))
    assert items(held, setup()) == []
    assert plan_toolchains(setup(), held, NOW).held == "1.26.8"
    until = replace(state, hold=Hold("1.26.8", "ann", "", "2026-05-31T00:00:00+00:00"))
    assert items(until, setup()) == [f"{ROOT}/current", f"{ROOT}/state/hold"]


def test_a_held_version_that_nobody_declares_is_never_pruned() -> None:
    state = converged("1.26.8", ("1.27.3", "1.26.8"))
    held = replace(state, hold=Hold("1.26.8", "ann", "", ""))
    assert items(held, setup(keep=0)) == []


def test_a_pin_that_is_missing_is_told_before_anything_else() -> None:
    with pytest.raises(PlanError, match=r"1\.24\.1.*linux-amd64"):
        items(converged(), setup(default="1.24.1"))


def test_a_mac_too_old_for_a_release_is_told() -> None:
    old = HostState(system("darwin-arm64", (12, 7)), converged().toolchains, ShellsState())
    with pytest.raises(PlanError, match=r"needs macOS 13 or newer, this host has 12\.7"):
        items(old, setup())


@pytest.mark.parametrize("free", [{"free_kib": 1000}, {"free_inodes": 10}])
def test_a_full_filesystem_is_told_before_anything_is_fetched(free: dict[str, int]) -> None:
    empty = replace(converged(), trees={}, entries={ROOT: converged().toolchains.root}, **free)
    with pytest.raises(PlanError, match="not enough room on filesystem /"):
        items(empty, setup())


kinds = st.sampled_from(["absent", "file", "directory", "link", "other"])
paths = st.sampled_from(sorted(converged("1.27.3", VERSIONS).toolchains.entries))


@given(
    altered=st.dictionaries(paths, st.tuples(kinds, st.sampled_from(["", "755", "777"]))),
    dropped=st.sets(st.sampled_from(VERSIONS)),
    declared=st.lists(st.sampled_from(VERSIONS), min_size=1, unique=True),
    keep=st.integers(0, 3),
    unreadable=st.booleans(),
)
def test_any_host_is_planned_or_refused_and_twice_the_same(
    altered: dict[str, tuple[str, str]],
    dropped: set[str],
    declared: list[str],
    keep: int,
    unreadable: bool,
) -> None:
    state = converged("1.27.3", VERSIONS)
    entries = dict(state.toolchains.entries)
    for path, (kind, mode) in altered.items():
        entries[path] = Entry(path, kind, 0, 0, mode, "elsewhere" if kind == "link" else "")  # type: ignore[arg-type]
    found = {n: t for n, t in state.toolchains.trees.items() if n.removeprefix("go") not in dropped}
    host = replace(state, entries=entries, root=entries[ROOT], trees=found)
    if unreadable:
        host = dataclasses.replace(host, unreadable=("/opt/gostead/state",))
    wanted = setup(default=declared[0], versions=declared[1:], keep=keep)
    for plan in (plan_toolchains, plan_shells, plan_removal):
        try:
            once = plan(wanted, host)
        except PlanError:
            continue
        assert not unreadable
        assert once == plan(wanted, host)
        pruned = {c.item for c in once.changes if c.script.template == "change/prune"}
        assert f"{ROOT}/toolchains/go{declared[0]}" not in pruned
        assert len({(c.item, c.script.template) for c in once.changes}) == len(once.changes)


def test_nothing_is_planned_where_the_root_is_somebody_else_s() -> None:
    foreign = replace(converged(), format=None)
    with pytest.raises(PlanError, match="gostead did not make it"):
        items(foreign, setup())
