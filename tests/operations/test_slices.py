"""Budgets where nothing can hold them: said, and nothing is done. Where systemd is: tests/vm."""

from __future__ import annotations

from typing import Any

from tests.support.sandbox import Sandbox
from tests.support.site import Site, changes
from tests.support.stand_in_systemd import BOOTED

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


JOURNALCTL = r"""#!/bin/sh
case $* in
  *--after-cursor=c=2*) ;;
  *--after-cursor=c=1*) cat /srv/kernel; echo '-- cursor: c=2' ;;
  *) echo '-- cursor: c=1' ;;
esac
"""
KILL = (
    "1700000000.5 guest kernel: oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,"
    "mems_allowed=0,oom_memcg=/gobuilds.slice,task_memcg=/gobuilds.slice/gone.service,"
    "task=it's a $(id),pid=7,uid=0"
)


def test_a_kill_is_told_and_written_to_the_journal_once(site: Site, ground: Sandbox) -> None:
    """plan says it and writes nothing; apply says it, writes it, and goes on from there."""
    ground.run(BOOTED, check=True)
    for name, text in (("journalctl", JOURNALCTL), ("logger", "#!/bin/sh\ncat >>/srv/entries\n")):
        put = f"cat >/usr/bin/{name} <<'TEXT'\n{text}TEXT\nchmod 755 /usr/bin/{name}"
        ground.run(put, check=True)
    site.declare(slices={"builds": {"tasks_max": 99}})
    assert host(site.apply(ground))["findings"] == []
    kept = ground.run("cat /opt/gostead/state/slices", check=True).stdout
    assert "cursor c=1\n" in kept
    kernel = f"cat >/srv/kernel <<'TEXT'\n{KILL}\nTEXT\n"
    counted = "echo oom_kill 1 >/sys/fs/cgroup/gobuilds.slice/memory.events"
    ground.run(kernel + counted, check=True)

    said = ("gone.service", "1 process of it killed for want of memory since the last run: it's a "
            "$(id) (process 7 of uid 0)")  # fmt: skip
    assert [(f["item"], f["what"]) for f in host(site.plan(ground))["findings"]] == [said]
    assert ground.run("cat /opt/gostead/state/slices", check=True).stdout == kept
    assert ground.run("cat /srv/entries").returncode != 0
    assert [(f["item"], f["what"]) for f in host(site.apply(ground))["findings"]] == [said]
    entries = ground.run("cat /srv/entries", check=True).stdout.splitlines()
    assert {"GOSTEAD_EVENT=oom_kill", "GOSTEAD_TASK=it's a $(id)", "GOSTEAD_PID=7"} < {*entries}
    assert len([field for field in entries if field.startswith("MESSAGE=")]) == 1
    assert "cursor c=2\n" in ground.run("cat /opt/gostead/state/slices", check=True).stdout
    assert host(site.plan(ground))["findings"] == []
