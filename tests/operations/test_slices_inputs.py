"""Budgets, on a stand-in of systemd: what is declared or found that cannot be, or is odd."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.root import Mount
from tests.support.sandbox import Sandbox
from tests.support.site import Site, changes
from tests.support.stand_in_systemd import BOOTED

UNITS = "/etc/systemd/system"
CGROUPS = "/sys/fs/cgroup"
MIB = 2**20


@pytest.fixture
def booted(site: Site, make_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """A root that looks as if systemd ran there, with cgroup v2."""
    sandbox = make_sandbox(mounts=[Mount(site.directory)])
    sandbox.run(BOOTED, check=True)
    return sandbox


def declare(site: Site, builds: dict[str, Any] | None = None, **slices: Any) -> None:
    """Declares a budget."""
    site.declare(slices={"builds": builds or {"tasks_max": 99}, **slices})


def there(root: Sandbox, *services: str) -> None:
    """These services are there, and run."""
    root.run("mkdir -p /run/stand-in; cd /run/stand-in; rm -f active-*.service; "
             f"printf '%s\\n' {' '.join(services)} >services; "
             "for unit in $(cat services); do : >active-$unit; done", check=True)  # fmt: skip


def drop_ins(root: Sandbox) -> list[str]:
    """The services that have a drop-in of gostead's."""
    found = root.run(f"cd {UNITS}; ls -d *.service.d/gostead.conf").stdout.split()
    return [path.removesuffix(".d/gostead.conf") for path in found]


def error(report: dict[str, Any]) -> str:
    """Why a host could not be planned."""
    return str(report["hosts"]["@local"]["error"])


def findings(report: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Item -> severity and what was found."""
    found = report["hosts"]["@local"]["findings"]
    return {f["item"]: (f["severity"], f["what"]) for f in found if f["subject"] == "slices"}


def memory() -> int:
    """Bytes of this machine, as a host reads it."""
    [line] = [m for m in Path("/proc/meminfo").read_text().splitlines() if "MemTotal:" in m]
    return int(line.split()[1]) * 1024


@pytest.mark.parametrize("high", ["90%", f"{memory() // MIB + 1}MiB"])
def test_memory_high_above_memory_max_shows_on_the_host(
    high: str, site: Site, booted: Sandbox
) -> None:
    """A share and a number of bytes: only a host says which is more."""
    declare(site, {"memory_high": high, "memory_max": "64MiB" if "%" in high else "100%"})
    report = site.apply(booted)
    assert report["exit"] == 1
    assert f"slices.builds: memory_high ({high}) is more than memory_max" in error(report)
    assert booted.run(["test", "-e", f"{UNITS}/gobuilds.slice"]).returncode == 1
    declare(site, {"memory_high": "64MiB", "memory_max": "90%"})
    assert site.plan(booted)["exit"] == 2


@pytest.mark.parametrize(
    ("spoil", "builds", "why"),
    [
        (f"echo cpu pids >{CGROUPS}/cgroup.controllers", {"memory_max": "50%", "io_weight": 9},
         "the kernel offers no controller for io, memory here"),
        (f": >{CGROUPS}/cgroup.controllers", {"tasks_max": 99}, "no controller for pids here"),
        # The stand-in's kernel has the controller, and no io.weight: as one without blk-iocost.
        (":", {"io_weight": 9}, "the kernel has no io.weight here"),
    ],
)  # fmt: skip
def test_what_the_kernel_cannot_hold_is_not_applicable_and_required_an_error(
    spoil: str, builds: dict[str, Any], why: str, site: Site, booted: Sandbox
) -> None:
    booted.run(spoil, check=True)
    declare(site, builds)
    report = site.apply(booted)
    assert report["exit"] == 0
    [told] = report["hosts"]["@local"]["not_applicable"]
    assert why in told["why"]
    assert changes(site.plan(booted)) == {}
    declare(site, builds, when="required")
    report = site.apply(booted)
    assert report["exit"] == 1
    assert f"a budget is required, and cannot be held here: {told['why']}" in error(report)


@pytest.mark.parametrize("file", ["io.cost.qos", "system.slice/io.weight"])
def test_io_weight_is_declared_where_the_kernel_has_it(
    file: str, site: Site, booted: Sandbox
) -> None:
    booted.run(f"mkdir -p {CGROUPS}/system.slice; : >{CGROUPS}/{file}", check=True)
    declare(site, {"io_weight": 9})
    report = site.plan(booted)
    assert report["hosts"]["@local"]["not_applicable"] == []
    assert f"{UNITS}/gobuilds.slice" in changes(report)


def test_an_unknown_user_is_told_and_the_others_have_their_budget(
    site: Site, booted: Sandbox
) -> None:
    declare(site, users=["ghost", "ann"])
    report = site.apply(booted)
    assert report["exit"] == 1
    assert findings(report)["ghost"] == ("error", "there is no such user here")
    number = booted.run("id -u ann").stdout.strip()
    assert changes(report)[f"{UNITS}/user-{number}.slice.d/gostead.conf"] == "changed"
    assert changes(site.apply(booted)) == {}


def test_each_pattern_that_matches_nothing_is_told_until_something_appears(
    site: Site, booted: Sandbox
) -> None:
    declare(site, units=["r.service", "x@.service", "late*.service"])
    nobody = ("note", "no service of that name is here yet")
    report = site.apply(booted)
    assert report["exit"] == 0
    assert findings(report) == {"x@.service": nobody, "late*.service": nobody}
    there(booted, "r.service", "x@.service", "late1.service")
    report = site.apply(booted)
    assert report["exit"] == 0, report
    appeared = {f"{UNITS}/{name}.d/gostead.conf" for name in ("x@.service", "late1.service")}
    assert changes(report) == dict.fromkeys([*appeared, "systemd", "late1.service"], "changed")
    assert findings(report) == {}
    assert (changes(site.apply(booted)), findings(site.plan(booted))) == ({}, {})
    # What somebody uninstalls has no budget any more.
    there(booted, "x@.service")
    report = site.apply(booted)
    assert f"{UNITS}/late1.service.d/gostead.conf" in changes(report)
    assert set(findings(report)) == {"r.service", "late*.service"}
    assert drop_ins(booted) == ["x@.service"]


def test_a_pattern_does_not_move_what_the_host_stands_on(site: Site, booted: Sandbox) -> None:
    theirs = ("ssh.service", "ssh@.service", "ssh@1.service", "dbus-broker.service")
    there(booted, *theirs, "sshrunner.service")
    declare(site, units=["ssh*.service", "s?h.service", "*broker.service"])
    report = site.apply(booted)
    assert report["exit"] == 1
    by = dict.fromkeys(theirs, "ssh*.service")
    by |= {"ssh.service": "ssh*.service and s?h.service", "dbus-broker.service": "*broker.service"}
    stays = "would move it: a service that the host itself stands on stays where it is"
    assert findings(report) == {unit: ("error", f"{by[unit]} {stays}") for unit in theirs}
    assert changes(report)["sshrunner.service"] == "changed", "it was started again"
    assert not set(theirs) & changes(report).keys()
    assert drop_ins(booted) == ["sshrunner.service"]
    assert booted.run("cd /run/stand-in; ls group-*").stdout == "group-sshrunner.service\n"


def test_a_drop_in_of_somebody_else_that_overrides_the_slice_is_named(
    site: Site, booted: Sandbox
) -> None:
    declare(site, units=["r.service"])
    assert site.apply(booted)["exit"] == 0
    own, other = (f"{UNITS}/r.service.d/{name}.conf" for name in ("gostead", "zz"))
    shown = f"Slice=system.slice\\nKillMode=process\\nDropInPaths={own} {other}\\n"
    booted.run(f"printf '{shown}' >/run/stand-in/show-r.service", check=True)
    report = site.apply(booted)
    assert (report["exit"], changes(report)) == (1, {})
    [said] = report["hosts"]["@local"]["findings"]
    assert (said["item"], said["severity"], said["where"]) == ("r.service", "error", other)
    assert said["what"] == (
        "another file overrides its place: Slice=system.slice, KillMode=process"
    )


def test_a_quota_beyond_all_processors_is_noted(site: Site, booted: Sandbox) -> None:
    processors = int(booted.run("getconf _NPROCESSORS_ONLN").stdout)
    for more, expected in ((0, {}), (1, {"gobuilds.slice": "note"})):
        declare(site, {"cpu_quota": f"{processors * 100 + more}%"})
        found = findings(site.plan(booted))
        assert {item: severity for item, (severity, _) in found.items()} == expected
        assert all("it limits nothing" in what for _, what in found.values())


def manager(root: Sandbox, uid: int, **limits: str) -> None:
    """A user's own systemd holds its gobuilds.slice to these limits."""
    path = f"{CGROUPS}/user.slice/user-{uid}.slice/user@{uid}.service/gobuilds.slice"
    root.run(f"mkdir -p {path}", check=True)
    for name, value in limits.items():
        root.run(f"echo {value} >{path}/{name.replace('_', '.')}", check=True)


def test_budgets_that_come_to_more_than_the_host_has_are_told(site: Site, booted: Sandbox) -> None:
    """That of a user's go-slice counts once: within that of their own slice, where there is one."""

    def told() -> list[str]:
        found = site.plan(booted)["hosts"]["@local"]["findings"]
        return [f["what"] for f in found if "can exhaust it" in f["what"]]

    uid = int(booted.run("id -u ann").stdout)
    declare(site, {"memory_max": "40%"}, users=["ann"])
    manager(booted, uid, memory_max="max")
    assert told() == []
    manager(booted, 4711, memory_max="max")
    [what] = told()
    assert what.startswith("the budgets of the slice, of 1 user, of go-slice for 1 user more come")
    declare(site, {"memory_max": "60%"}, users=["ann"])
    booted.run(f"rm -r {CGROUPS}/user.slice")
    [what] = told()
    assert what.startswith("the budgets of the slice, of 1 user come to ")


def test_what_a_users_own_systemd_holds_is_compared(site: Site, booted: Sandbox) -> None:
    booted.run(f": >{CGROUPS}/io.cost.qos", check=True)
    declare(site, {"memory_max": "64MiB", "io_weight": 9, "tasks_max": 99})
    # Disks are not a user's to divide: no io.weight is none that is missing.
    manager(booted, 1, memory_max=str(64 * MIB), pids_max="99")
    manager(booted, 2, memory_max=str(32 * MIB), pids_max="99")
    manager(booted, 3, memory_max=str(64 * MIB))
    found = findings(site.plan(booted))
    assert {item for item in found if item.startswith("user@")} == {"user@2", "user@3"}
    says = "their own systemd holds go-slice to another budget: "
    assert found["user@2"] == ("warning", f"{says}memory.max is {32 * MIB}, not {64 * MIB}")
    assert found["user@3"] == ("warning", f"{says}there is no pids.max")
