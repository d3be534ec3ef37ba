"""Caches of each user: private, in place, made anew where somebody else built in them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from gostead.templates import host_script
from tests.support.sandbox import Sandbox
from tests.support.site import Site, changes

Run = Callable[..., subprocess.CompletedProcess[str]]
ANN, ZED = "1002", "1001"


@pytest.fixture
def cached(site: Site, converged: Callable[[], Sandbox]) -> Sandbox:
    """A root that is converged with all three caches, for two users."""
    site.declare(users=["ann", "zed"], cache=CACHE)
    return converged()


CACHE = {"root": "/var/cache/go", "modules": "/var/cache/go-mod", "tmp": "/srv/go-tmp"}
KEYS = {"GOCACHE": "/var/cache/go", "GOMODCACHE": "/var/cache/go-mod", "GOTMPDIR": "/srv/go-tmp"}


def entry(ground: Sandbox, path: str) -> str:
    return ground.run(["stat", "-c", "%F %u:%g %a", path]).stdout.strip()


def of(report: dict[str, Any], kind: str = "changes") -> list[dict[str, Any]]:
    return [c for c in report["hosts"]["@local"][kind] if c["subject"] == "caches"]


def test_each_user_has_their_own(site: Site, cached: Sandbox) -> None:
    for uid, user in ((ANN, "ann"), (ZED, "zed")):
        for name, parent in KEYS.items():
            assert entry(cached, f"{parent}/{uid}") == f"directory {uid}:{uid} 700"
            said = cached.run(f"su - {user} -c 'go env {name}'").stdout.strip()
            assert said == f"{parent}/{uid}"
            assert cached.run(["touch", f"{parent}/{uid}/x"], user=user).returncode == 0
    assert cached.run([f"ls /var/cache/go/{ANN}"], user="zed").returncode != 0
    again = site.apply(cached)
    assert (again["exit"], changes(again)) == (0, {})


@pytest.mark.parametrize(
    ("spoil", "before", "kept"),
    [
        (f"chmod 755 /var/cache/go/{ANN}", "mode 755", True),
        (f"chown zed /var/cache/go/{ANN}", f"of uid {ZED}", False),
        (f"mkdir -p /var/cache/go/{ANN}/ab; touch /var/cache/go/{ANN}/ab/c-d", "with entries of "
         "others", False),
        (f"rm -r /var/cache/go/{ANN}", "absent", False),
    ],
)  # fmt: skip
def test_drift_is_repaired_and_nothing_else(
    site: Site, cached: Sandbox, spoil: str, before: str, kept: bool
) -> None:
    cached.run(f"echo hers >/var/cache/go/{ANN}/kept; mkdir /srv/victim; echo v >/srv/victim/f;"
               f"ln -s /srv/victim /var/cache/go/{ANN}/link")  # fmt: skip
    cached.run(f"chown -h ann /var/cache/go/{ANN}/*; {spoil}")
    report = site.apply(cached)
    assert report["exit"] == 0, report
    (change,) = report["hosts"]["@local"]["changes"]
    assert (change["item"], change["user"]) == (f"/var/cache/go/{ANN}", "ann")
    assert change["from"].startswith(before)
    assert entry(cached, f"/var/cache/go/{ANN}") == f"directory {ANN}:{ANN} 700"
    assert (cached.run(f"cat /var/cache/go/{ANN}/kept").returncode == 0) is kept
    assert cached.run("cat /srv/victim/f").stdout == "v\n"
    assert entry(cached, "/srv/victim") == "directory 0:0 755"
    assert cached.run("ls -A /var/cache/go").stdout.split() == sorted([ANN, ZED])


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        ("touch /var/cache/go", "expected a directory"),
        (f"mkdir -p /var/cache/go; ln -s /root /var/cache/go/{ANN}", "expected a directory or"),
        (f"mkdir -p /var/cache/go; mkfifo /var/cache/go/{ANN}", "expected a directory or"),
        ("mkdir -m 777 /var/cache/go", "others than root can exchange"),
        ("mkdir /var/cache/go; chown zed /var/cache/go", "others than root can exchange"),
        (
            "mkdir /var/cache/go; mount -t tmpfs -o noexec,mode=755 none /var/cache/go",
            "mounted noexec",
        ),
        (
            "mkdir /var/cache/go; mount -t tmpfs -o ro,mode=755 none /var/cache/go",
            "mounted read-only",
        ),
    ],
)
def test_no_place_for_a_cache(site: Site, ground: Sandbox, prepare: str, said: str) -> None:
    ground.run(prepare, check=True)
    before = ground.run("ls -laR /var/cache/go /root").stdout
    site.declare(users=["ann", "zed"], cache={"root": "/var/cache/go"})
    report = site.apply(ground, "--subject", "toolchains", "--subject", "caches")
    assert report["exit"] == 1
    assert any(said in finding["what"] for finding in of(report, "findings"))
    after = ground.run("ls -laR /var/cache/go /root").stdout
    if ZED not in after:
        assert after.replace(".cache", "") == before.replace(".cache", "") or "root" in after


def test_a_tmpfs_is_told_with_its_numbers(site: Site, ground: Sandbox) -> None:
    ground.run(
        "mkdir /var/cache/go; mount -t tmpfs -o size=64m,nr_inodes=900,mode=755 none /var/cache/go"
    )
    site.declare(users=["ann"], cache={"root": "/var/cache/go"})
    report = site.apply(ground)
    assert report["exit"] == 0
    said = [f["what"] for f in of(report, "findings")]
    assert said[0].startswith("is on tmpfs, 6")
    assert "MiB free" in said[0]
    assert "less than 2 GiB" in said[1]
    assert "inodes left" in said[2]


def test_noexec_is_found_by_doing_where_no_option_says_so(site: Site, ground: Sandbox) -> None:
    """A security module, an unknown filesystem: what counts is whether a program starts."""
    site.declare(users=["ann"])
    site.apply(ground)
    ground.run("mkdir /var/cache/go && mount -t tmpfs -o noexec,mode=755 none /var/cache/go",
               check=True)  # fmt: skip
    script = host_script(
        "change/cache", root="/opt/gostead", run="x", lock_wait=1, path=f"/var/cache/go/{ANN}",
        parent="/var/cache/go", act="make", user="ann", uid=int(ANN), gid=int(ANN),
        home="/home/ann", execute=True,
    )  # fmt: skip
    done = ground.run(["sh", "-s"], input=script)
    assert done.returncode == 1
    assert "can be executed: is it mounted noexec?" in done.stderr


def test_removal_leaves_the_caches_and_purge_takes_them(site: Site, cached: Sandbox) -> None:
    cached.run(f"echo hers >/var/cache/go/{ANN}/kept", user="ann", check=True)
    report = site.ask(cached, "remove", "-y")
    assert report["exit"] == 0
    assert {f["item"] for f in report["hosts"]["@local"]["findings"]} == {
        f"{parent}/{uid}" for parent in KEYS.values() for uid in (ANN, ZED)
    }
    assert cached.run(f"cat /var/cache/go/{ANN}/kept").stdout == "hers\n"
    assert site.apply(cached)["exit"] == 0
    assert cached.run(f"cat /var/cache/go/{ANN}/kept").stdout == "hers\n"


def test_purge_takes_them(site: Site, cached: Sandbox) -> None:
    assert site.ask(cached, "remove", "-y", "--purge")["exit"] == 0
    assert cached.run("ls -d /var/cache/go /var/cache/go-mod /srv/go-tmp").stdout == ""


ENTRIES = """
mkdir -p ~/.cache/go-build/ab; cd ~/.cache/go-build/ab
for n in 1 2 3 4 5 6; do
  head -c 1000000 /dev/zero >000$n-d; touch -d "-$n days" 000$n-d
done
mkdir 0007-d; head -c 1000000 /dev/zero >0007-d/tool; touch -d '-9 days' 0007-d/tool 0007-d
echo x >README; touch -d '-20 days' README
"""


def test_the_bound_is_held_and_what_is_in_use_stays(site: Site, ground: Sandbox) -> None:
    ground.run(ENTRIES, user="ann", check=True)
    site.declare(users=["ann", "zed"], cache={"max_size": "4MiB"})
    report = site.apply(ground)
    assert report["exit"] == 0, report
    (trimmed,) = [c for c in of(report) if c["item"] == "build cache of ann"]
    assert trimmed["detail"].startswith("freed 300")
    assert ground.run("ls /home/ann/.cache/go-build/ab").stdout.split() == [
        "0001-d", "0002-d", "0003-d", "0004-d", "README",
    ]  # fmt: skip
    assert changes(site.apply(ground)) == {}
    # What cannot be removed is not said to be freed.
    kept = "cd ~/.cache/go-build; mkdir cd; head -c 1000000 /dev/zero >cd/0009-d; "
    kept += "touch -d '-9 days' cd/0009-d; chmod 555 cd; "
    trim = "/opt/gostead/libexec/trim-cache ~/.cache/go-build 4500000; chmod 755 cd"
    assert ground.run(kept + trim, user="ann").stdout.startswith("freed 0 bytes of 5000000\n")
    again = trim.replace("; chmod 755 cd", "; ls cd")
    assert ground.run(again, user="ann").stdout == "freed 1000000 bytes of 5000000\n"
    # Everything young: the bound cannot be met, and that is said.
    more = "cd ~/.cache/go-build/ab; touch *; head -c 2000000 /dev/zero >0008-d"
    ground.run(more, user="ann", check=True)
    report = site.apply(ground)
    assert (report["exit"], changes(report)) == (0, {})
    assert "used in the last three hours" in of(report, "findings")[0]["what"]


def test_cron_trims_every_day(site: Site, ground: Sandbox) -> None:
    ground.run("echo '1 1 * * * true' | crontab -", user="ann", check=True)
    site.declare(users=["ann"], cache={"max_size": "4MiB"}, shells={"cron": True})
    assert site.apply(ground)["exit"] == 0
    table = ground.run("crontab -l", user="ann").stdout
    (line,) = [line for line in table.splitlines() if "trim-cache" in line]
    ground.run(ENTRIES, user="ann", check=True)
    done = ground.run(["sh", "-c", line.split(None, 5)[5]], user="ann")
    assert done.stdout.startswith("freed 300")
    assert changes(site.apply(ground)) == {}
    site.declare(users=["ann"], shells={"cron": True})
    assert site.apply(ground)["exit"] == 0
    table = ground.run("crontab -l", user="ann").stdout
    assert "trim-cache" not in table
    assert "PATH=/opt/gostead" in table
    site.declare(users=["ann"], cache={"max_size": "4MiB"}, shells={"cron": True})
    site.apply(ground)
    assert site.ask(ground, "remove", "-y")["exit"] == 0
    assert ground.run("crontab -l", user="ann").stdout == "1 1 * * * true\n"


def test_systemd_units_are_files_of_the_user(site: Site, ground: Sandbox) -> None:
    ground.run("mkdir -p /run/systemd/system")
    before = ground.digest(exclude=["/opt", "/tmp", "/root/.cache"])
    site.declare(users=["ann"], cache={"max_size": "4MiB"})
    assert site.apply(ground)["exit"] == 0
    units = "/home/ann/.config/systemd/user"
    found = ground.run(f"cd {units} && find . -type f | sort").stdout.split()
    assert found == ["./gostead-trim-cache.service", "./gostead-trim-cache.timer",
                     "./timers.target.d/gostead.conf"]  # fmt: skip
    if ground.run("command -v systemd-analyze").returncode == 0:
        done = ground.run(f"systemd-analyze verify --user {units}/gostead-trim-cache.timer")
        assert done.returncode == 0, done.stderr
    assert changes(site.apply(ground)) == {}
    assert site.ask(ground, "remove", "-y")["exit"] == 0
    assert ground.digest(exclude=["/opt", "/tmp", "/root/.cache"]) == before
