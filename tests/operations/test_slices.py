"""Budgets where nothing can hold them: said, and nothing is done. Where systemd is: tests/vm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.root import Mount
from tests.support.sandbox import Sandbox
from tests.support.site import Site, changes
from tests.support.stand_in_systemd import BOOTED

UNITS = "/etc/systemd/system"
#: systemctl where no systemd runs: it knows the files, and reaches nobody.
OFFLINE = """\
#!/bin/sh
case $SYSTEMD_OFFLINE$1 in
1list-unit-files) echo r.service enabled; exit ;;
1list-units) exit ;;
esac
echo "$*" >>/srv/told
exit 1
"""
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


@pytest.fixture
def image(site: Site, make_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """A root with another one in /srv/image, in which systemd is installed and does not run."""
    sandbox = make_sandbox(mounts=[Mount(site.directory)])
    sandbox.run("mkdir -p /usr/lib/systemd /srv/image; ln -s /bin/true /usr/lib/systemd/systemd",
                check=True)  # fmt: skip
    (sandbox.path / "usr/bin/systemctl").write_text(OFFLINE)
    (sandbox.path / "usr/bin/systemctl").chmod(0o755)
    sandbox.run(
        "cd / && tar -cf - --one-file-system --exclude=./srv --exclude=./proc --exclude=./sys "
        "--exclude=./root . 2>/dev/null | tar -xf - -C /srv/image; cd /srv/image && mkdir -p root "
        "proc dev sys srv && mount --rbind /dev dev",
        timeout=120,
    )  # fmt: skip
    return sandbox


def test_an_image_is_converged_offline_and_holds_the_budget_once_it_boots(
    site: Site, image: Sandbox
) -> None:
    """`gostead apply @chroot/DIR`, also where a budget is required. What is worked out from memory
    and processors is not: those are the builder's."""
    inventory = "@chroot//srv/image"
    site.declare(slices={"builds": {"tasks_max": 512}, "users": ["ann"], "units": ["r.service"],
                         "when": "required", "go_limits": "auto"})  # fmt: skip
    report = site.apply(image, inventory=inventory)
    (name,) = report["hosts"]
    assert report["exit"] == 0, report
    uid = image.run("id -u ann").stdout.strip()
    written = ["gobuilds.slice", "slices.target.d/gostead.conf", "r.service.d/gostead.conf",
               f"user-{uid}.slice.d/gostead.conf", "../user/gobuilds.slice"]  # fmt: skip
    image.run(f"cd /srv/image{UNITS} && ls {' '.join(written)}", check=True)
    found = [f["what"] for f in report["hosts"][name]["findings"] if f["subject"] == "slices"]
    assert found == ["systemd does not run here: the budget holds once it does; Go is told of it "
                     "by the first apply then"]  # fmt: skip
    assert not (image.path / "srv/image/srv/told").exists(), "a systemd was asked"
    assert "reload" not in image.run("cat /srv/image/opt/gostead/state/registry").stdout
    assert changes(site.apply(image, inventory=inventory), name) == {}

    # It boots: systemd has read all of it, and the runner is in the slice.
    image.run("chroot /srv/image sh", input=BOOTED, check=True)
    image.run("chroot /srv/image sh -c 'systemctl daemon-reload && systemctl restart r.service'",
              check=True)  # fmt: skip
    report = site.apply(image, inventory=inventory)
    assert report["exit"] == 0, report
    told = ["/opt/gostead/libexec/go-slice", f"{UNITS}/r.service.d/gostead.conf", "systemd"]
    assert changes(report, name) == dict.fromkeys(told, "changed")
    assert "GOMAXPROCS" in image.run(f"cat /srv/image{UNITS}/r.service.d/gostead.conf").stdout
    assert changes(site.apply(image, inventory=inventory), name) == {}


@pytest.mark.parametrize("how", ["undeclared", "remove"])
def test_from_an_image_it_goes_offline(how: str, site: Site, image: Sandbox) -> None:
    inventory = "@chroot//srv/image"
    site.declare(slices={"builds": BUDGET, "units": ["r.service"]})
    assert site.apply(image, inventory=inventory)["exit"] == 0
    # A share stays one: of the memory of what boots from it.
    assert "MemoryHigh=70%\n" in image.run(f"cat /srv/image{UNITS}/gobuilds.slice").stdout
    if how == "undeclared":
        site.declare()
        report = site.apply(image, inventory=inventory)
    else:
        report = site.ask(image, "remove", "-y", inventory=inventory)
    assert report["exit"] == 0, report
    left = image.run("cd /srv/image && find etc usr/local -name '*gostead.conf' -o -name "
                     "'gobuilds*' -o -name go-slice").stdout  # fmt: skip
    assert left == ""
    assert not (image.path / "srv/image/srv/told").exists(), "a systemd was asked"
