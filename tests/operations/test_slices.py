"""Budgets where nothing can hold them: said, and nothing is done. Where systemd is: tests/vm."""

from __future__ import annotations

from typing import Any

from tests.support.sandbox import Sandbox
from tests.support.site import Site, changes

BUDGET = {"memory_high": "70%", "tasks_max": 512}


def host(report: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = report["hosts"]["@local"]
    return found


def test_without_systemd_it_is_not_applicable_and_the_rest_converges(
    site: Site, ground: Sandbox
) -> None:
    site.declare(slices={"builds": BUDGET})
    report = site.apply(ground)
    assert report["exit"] == 0
    [why] = host(report)["not_applicable"]
    assert why["subject"] == "slices"
    assert "systemd is not what runs here" in why["why"]
    assert ground.run("ls -d /etc/systemd/system /usr/local/bin/go-slice").returncode != 0
    assert (site.plan(ground)["exit"], changes(site.plan(ground))) == (0, {})
    done = ground.gostead("plan", "@local", "--declaration", str(site.declaration), cwd="/")
    assert "slices: not applicable: systemd is not what runs here" in done.stdout


def test_where_it_is_required_the_host_fails_and_is_told_why(site: Site, ground: Sandbox) -> None:
    site.declare(slices={"builds": BUDGET, "when": "required"})
    report = site.apply(ground)
    assert report["exit"] == 1
    assert "cannot be held here: systemd is not what runs here" in host(report)["error"]


def test_version_one_of_cgroups_is_not_applicable(site: Site, ground: Sandbox) -> None:
    """A machine that booted with systemd, and whose limits are where systemd 258 has none."""
    ground.run("mkdir -p /run/systemd/system", check=True)
    site.declare(slices={"builds": BUDGET})
    [why] = host(site.plan(ground))["not_applicable"]
    assert "cgroup v2" in why["why"]


def test_in_user_scope_it_is_not_applicable(site: Site, ground: Sandbox) -> None:
    site.declare(slices={"builds": BUDGET}, scope="user")
    [why] = host(site.plan(ground, user="ann"))["not_applicable"]
    assert "scope is user" in why["why"]
