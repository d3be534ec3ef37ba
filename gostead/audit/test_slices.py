"""The budget holds: systemd has every limit; go-slice and services are in the slice."""

from __future__ import annotations

from typing import Any

import pytest

from gostead.audit.asking import Place, ask, printable
from gostead.audit.findings import AuditFinding, NotAsDeclared
from gostead.declaration import GoSetup

SUBJECT = "slices"
SLICE = "gobuilds.slice"
#: Declared key -> systemd's property; what it says where nothing limits.
LIMITS = {"memory_high": "MemoryHigh", "memory_max": "MemoryMax", "memory_swap_max":
          "MemorySwapMax", "cpu_quota": "CPUQuotaPerSecUSec", "cpu_weight": "CPUWeight",
          "io_weight": "IOWeight", "tasks_max": "TasksMax"}  # fmt: skip
NONE = ("infinity", "[not set]", "")


def _budget(host: Any, where: Place, setup: GoSetup) -> dict[str, str | int]:
    """The declared limits; skips where there are none, or nothing could hold them."""
    budget = setup.slices.builds
    if setup.state == "absent" or budget is None:
        pytest.skip("no budget is declared")
    idle = ask(host, "[ ! -d /run/systemd/system ] && ls /lib/systemd/systemd")
    if where.scope == "system" and not idle.code:
        pytest.skip("systemd does not run here: the budget holds once it does")
    able = ask(host, "[ -d /run/systemd/system ] && [ -r /sys/fs/cgroup/cgroup.controllers ]")
    if not able.code and budget.io_weight is not None:
        able = ask(host, "ls /sys/fs/cgroup | grep -x io.cost.qos || ls /sys/fs/cgroup/*/io.weight")
    if where.scope != "system" or (able.code and setup.slices.when == "auto"):
        pytest.skip("not applicable: no systemd with cgroup v2 (and weights for disks) here")
    return budget.limits()


def test_systemd_holds_every_limit(host: Any, where: Place, setup: GoSetup) -> None:
    declared = _budget(host, where, setup)
    names = [SLICE]
    for user in setup.slices.users:
        uid = ask(host, 'id -u "$1"', user).out.strip()
        # Only while somebody is logged in is there a slice to ask.
        if not ask(host, 'systemctl -q is-active "$1"', f"user-{uid}.slice").code:
            names.append(f"user-{uid}.slice")
    for name in names:
        for key in declared:
            answer = ask(host, 'systemctl show -p "$1" --value "$2"', LIMITS[key], name)
            if answer.out.strip() in NONE:
                raise NotAsDeclared(
                    AuditFinding(SUBJECT, name, f"{LIMITS[key]} is not set, {key} is declared",
                                 "gostead apply")
                )  # fmt: skip


def test_what_go_slice_starts_is_in_the_slice(host: Any, where: Place, setup: GoSetup) -> None:
    _budget(host, where, setup)
    program = f"{where.root}/libexec/go-slice"
    answer = ask(host, '"$1" cat /proc/self/cgroup', program)
    if f"/{SLICE}/" not in answer.out:
        what = f"what it starts is in {printable(answer.out or answer.error)}, not in {SLICE}"
        raise NotAsDeclared(AuditFinding(SUBJECT, program, what, "gostead apply"))


def test_go_slice_of_a_mac_tells_go_of_the_budget(host: Any, where: Place, setup: GoSetup) -> None:
    """Nothing in macOS holds a budget: what go-slice says to Go is all there is of it."""
    if setup.state == "absent" or setup.slices.builds is None or where.system != "darwin":
        pytest.skip("no budget is declared, or this is no Mac")
    program = f"{where.root}/libexec/go-slice"
    answer = ask(host, '"$1" sh -c \'echo "${GOMAXPROCS-}"\'', program)
    told = answer.out.strip()
    if answer.code or bool(told) != bool(setup.slices.go_limits):
        what = f"says GOMAXPROCS={told}: {printable(answer.error)}"
        raise NotAsDeclared(AuditFinding(SUBJECT, program, what, "gostead apply"))


def test_declared_services_run_in_the_slice(
    host: Any, where: Place, setup: GoSetup, note: Any
) -> None:
    _budget(host, where, setup)
    for pattern in setup.slices.units:
        script = 'systemctl list-units --no-legend --plain --state=active "$1" | cut -d " " -f 1'
        for name in ask(host, script, pattern).out.split():
            group = ask(host, 'systemctl show -p ControlGroup --value "$1"', name).out.strip()
            if group and not group.startswith(f"/{SLICE}/"):
                note(AuditFinding(SUBJECT, name, f"still runs in {printable(group)}, outside of "
                                  f"{SLICE}", "gostead apply, when its job is done",
                                  "warning"))  # fmt: skip
