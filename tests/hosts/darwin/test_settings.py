"""Settings, caches, tools and orphans on the stand-in of a Mac."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

from tests.hosts.darwin.mac import Mac
from tests.hosts.darwin.test_life import BIN, NOTES, clean_twice, findings
from tests.support.controller import Controller

Apple = Callable[..., tuple[Mac, Controller]]
SUPPORT = "/Users/kim/Library/Application Support"


def test_settings_and_telemetry_stand_where_go_looks_on_a_mac(apple: Apple) -> None:
    mac, controller = apple()
    mac.shell(f"mkdir -p '{SUPPORT}/go'; echo GOFLAGS=-v >'{SUPPORT}/go/env'", user="kim")
    baseline = mac.digest(exclude=NOTES)
    # For the last, go would start the compiler, and /usr/bin/clang opens a dialogue here.
    env = {"GOPRIVATE": "git.example.com", "GOMEMLIMIT": "2GiB", "CGO_CFLAGS": "-O1"}
    controller.site.declare(users=["kim", "lee"], env=env, telemetry="off")
    clean_twice(mac, controller)
    explained = controller.ask("explain")["hosts"]["mac1"]["explained"]["settings"]
    assert {"clang", "1"} <= {row["value"] for row in explained if row["user"] == "kim"}
    assert (mac.touched, mac.unknown) == ([], [])
    mac.shell("go env CGO_CFLAGS", user="kim", env={"PATH": f"{BIN}:/usr/bin:/bin"})
    assert "clang" in mac.touched[0]  # had it been asked so
    lines = (mac.path / SUPPORT.lstrip("/") / "go/env").read_text().splitlines()
    assert sorted(lines) == ["CGO_CFLAGS=-O1", "GOFLAGS=-v", "GOPRIVATE=git.example.com"]
    assert not (mac.path / "Users/kim/.config/go").exists()
    for user in ("kim", "lee"):
        said = mac.ssh(
            "zsh -lc 'go env GOPRIVATE; echo $GOMEMLIMIT; go env GOTELEMETRY'", user=user
        )
        assert said.stdout == "git.example.com\n2GiB\noff\n"
    assert controller.ask("remove", "-y")["exit"] == 0
    assert baseline.changes(mac.digest(exclude=NOTES)) == []


def test_caches_of_each_user(apple: Apple) -> None:
    mac, controller = apple()
    baseline = mac.digest(exclude=NOTES)
    cache = {"root": "/var/cache/go", "modules": "/var/cache/go-mod", "tmp": "/var/cache/go-tmp"}
    controller.site.declare(users=["kim", "lee"], cache=cache)
    clean_twice(mac, controller)
    for uid, user in ((501, "kim"), (502, "lee")):
        said = mac.ssh("zsh -lc 'go env GOCACHE'", user=user).stdout.strip()
        assert said == f"/var/cache/go/{uid}"
        assert mac.shell(f"stat -f '%u:%g %Lp' {said}").stdout == f"{uid}:20 700\n"
    mac.shell("chmod 755 /var/cache/go/501; touch /var/cache/go/502/ab")
    changed = controller.changes(controller.converge())
    assert set(changed) == {"/var/cache/go/501", "/var/cache/go/502"}
    assert controller.ask("remove", "-y", "--purge")["exit"] == 0
    assert baseline.changes(mac.digest(exclude=NOTES)) == []


def test_tools_are_built_by_nobody_in_particular(apple: Apple) -> None:
    mac, controller = apple()
    baseline = mac.digest(exclude=NOTES)
    controller.site.declare(users=["kim"], tools=["a.example.com/one@v1.0.0"])
    clean_twice(mac, controller)
    text = (mac.path / "opt/gostead/tools/go1.27.3/bin/one").read_text()
    builder = int(text.split("# uid ")[1].split()[0])
    assert builder > 60_000
    assert mac.ssh("zsh -lc one", user="kim").stdout == "one v1.0.0 go1.27.3\n"
    assert controller.ask("remove", "-y")["exit"] == 0
    assert baseline.changes(mac.digest(exclude=NOTES)) == []


def test_what_only_a_repository_has_is_not_asked_for_by_a_dialogue(apple: Apple) -> None:
    mac, controller = apple()
    tool = "git.example.com/own@v1.0.0"
    controller.site.declare(users=["kim"], tools=[tool], env={"GOPROXY": "direct"})
    report = controller.ask("apply", "-y")
    assert report["exit"] == 1
    (said,) = [c["error"] for c in report["hosts"]["mac1"]["changes"] if c["subject"] == "tools"]
    assert "by git. That is one of Apple's developer tools" in " ".join(said.split()), said
    assert (mac.touched, mac.unknown) == ([], [])


def test_orphans_are_found_and_ended_by_ps(apple: Apple) -> None:
    mac, controller = apple()
    server = "/private/tmp/go-build12/b001/exe/server"
    mac.shell(f"mkdir -p {server.rpartition('/')[0]}; cp /bin/bash {server}")
    start = f"({server} -c 'while :; do sleep 1000; done' >/dev/null 2>&1 </dev/null &); sleep 2"
    began = time.monotonic()
    left = subprocess.Popen(mac.ssh_command(start, user="kim"))
    left.wait()
    running = "ps -A -o command= | grep -c '^/private/tmp/go-build12/[b]001'"
    assert mac.shell(running).stdout.strip() == "1"
    controller.site.declare(users=["kim"], orphans={"action": "report", "min_age": "1s"})
    controller.converge()
    (found,) = controller.ask("facts")["mac1"]["orphans"]["processes"]
    assert 1 <= found["age"] <= time.monotonic() - began + 1
    report = controller.ask("plan")
    assert any("server" in text for _severity, text in findings(report))
    controller.site.declare(users=["kim"], orphans={"action": "terminate", "min_age": "1s"})
    controller.converge()
    assert mac.shell(running).stdout.strip() == "0"
    assert (mac.touched, mac.unknown) == ([], [])
