"""Tools follow the toolchain: built with it, switched and rolled back with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support import real_go
from tests.support.go_cache import own_goproxy
from tests.support.sandbox import Sandbox
from tests.support.tool_proxy import ENV, HOST, publish

# With real toolchains, which take their time: with --all.
pytestmark = pytest.mark.slow

NAMES = tuple(f"tool{number}" for number in range(10))


def of(report: dict[str, Any], subject: str = "tools") -> list[dict[str, Any]]:
    return [c for c in report["hosts"]["@local"]["changes"] if c["subject"] == subject]


def said(ground: Sandbox, user: str, name: str) -> str:
    return ground.run(f"su - {user} -c {name}").stdout.strip()


def test_ten_tools_follow_the_toolchain_and_back(go_ground: Sandbox) -> None:
    """Two users, ten tools, 1.26.8 to 1.27.3 and back."""
    tools = [publish(go_ground, name) for name in NAMES]
    users = ["ann", "zed"]

    def converge(default: str) -> dict[str, Any]:
        real_go.declare(go_ground, {"default": default, "versions": ["1.26.8", "1.27.3"]},
                        users=users, tools=tools, env=ENV)  # fmt: skip
        report = real_go.gostead(go_ground, "apply", "-y", timeout=900)
        assert report["exit"] == 0, report
        for user in users:
            for name in NAMES:
                assert said(go_ground, user, name) == f"{name} v1.0.0 go{default}"
        again = real_go.gostead(go_ground, "apply", "-y")
        assert (again["exit"], again["hosts"]["@local"]["changes"]) == (0, [])
        return report

    first = converge("1.26.8")
    assert len(of(first)) == 10
    outside = go_ground.digest(exclude=["/opt/gostead", "/srv", "/tmp", "/root/.cache"])
    second = converge("1.27.3")
    # The tools are there before the one rename that switches.
    order = [c["item"] for c in second["hosts"]["@local"]["changes"]]
    assert order.index("/opt/gostead/current") == 10
    third = converge("1.26.8")
    assert of(third) == []
    assert go_ground.digest(exclude=["/opt/gostead", "/srv", "/tmp", "/root/.cache"]) == outside
    done = go_ground.gostead("rollback", "@local", "--declaration", "/srv/group_data", cwd="/")
    assert done.returncode == 0, done.stderr
    assert said(go_ground, "ann", "tool3") == "tool3 v1.0.0 go1.27.3"
    assert go_ground.run("ls /opt/gostead/build 2>&1").returncode != 0


def test_drift_is_built_anew_and_what_is_undeclared_goes(go_ground: Sandbox) -> None:
    one, two = publish(go_ground, "one"), publish(go_ground, "two")
    go_ground.run("echo mine >/opt/gostead/profiles/go1.27.3/bin/theirs")
    real_go.declare(go_ground, users=["ann"], tools=[one, two], env=ENV)
    report = real_go.gostead(go_ground, "apply", "-y")
    assert report["exit"] == 0, [c["error"] for c in of(report)]
    binary = "/opt/gostead/tools/go1.27.3/bin/one"
    assert go_ground.run(["stat", "-c", "%U %a", binary]).stdout == "root 555\n"

    go_ground.run(f"printf x | dd of={binary} bs=1 seek=900000 conv=notrunc 2>/dev/null")
    report = real_go.gostead(go_ground, "apply", "-y")
    ((item, before),) = [(c["item"], c["from"]) for c in of(report)]
    assert (item, before, report["exit"]) == (binary, "changed", 0)
    go_ground.run("rm /opt/gostead/profiles/go1.27.3/bin/two")
    report = real_go.gostead(go_ground, "apply", "-y")
    assert [c["item"] for c in of(report)] == ["/opt/gostead/profiles/go1.27.3/bin/two"]
    assert said(go_ground, "ann", "two") == "two v1.0.0 go1.27.3"

    newer = publish(go_ground, "one", "v1.1.0")
    real_go.declare(go_ground, users=["ann"], tools=[newer], env=ENV)
    report = real_go.gostead(go_ground, "apply", "-y")
    assert report["exit"] == 0, report
    assert {(c["item"].rpartition("/")[2], c["to"]) for c in of(report)} == {
        ("one", f"{newer} by go1.27.3"), ("two", "absent"),
    }  # fmt: skip
    assert said(go_ground, "ann", "one") == "one v1.1.0 go1.27.3"
    assert go_ground.run("ls /opt/gostead/tools/go1.27.3/bin").stdout == "one\n"
    assert go_ground.run("cat /opt/gostead/profiles/go1.27.3/bin/theirs").stdout == "mine\n"
    real_go.declare(go_ground, users=["ann"])
    report = real_go.gostead(go_ground, "apply", "-y")
    assert report["exit"] == 0, [c["error"] for c in of(report)]
    assert go_ground.run("ls -d /opt/gostead/tools").stdout == ""


def test_a_tool_that_fails_is_shown_and_the_others_are_there(go_ground: Sandbox) -> None:
    good = publish(go_ground, "good")
    broken = publish(go_ground, "broken", source="package main\n\nfunc main() { nosuch() }\n")
    newer = publish(go_ground, "newer", go="1.99.0")
    missing = f"{HOST}/missing@v1.0.0"
    evil = publish(go_ground, "library", source="package library\n")
    real_go.declare(go_ground, users=["ann"], tools=[broken, newer, missing, evil, good], env=ENV)
    report = real_go.gostead(go_ground, "apply", "-y", timeout=600)
    assert report["exit"] == 1
    found = {c["item"].rpartition("/")[2]: (c["result"], c["error"] or "") for c in of(report)}
    assert found["good"][0] == "changed"
    assert "undefined: nosuch" in found["broken"][1]
    assert "requires go >= 1.99.0 (running go 1.27.3; GOTOOLCHAIN=local)" in found["newer"][1]
    assert "missing" in found["missing"][1]
    assert "is not a main package" in found["library"][1]
    assert said(go_ground, "ann", "good") == "good v1.0.0 go1.27.3"
    left = "find /opt/gostead/build /opt/gostead/state/staging -mindepth 1 2>/dev/null"
    assert go_ground.run(left).stdout == ""


SPY = """package main

import "fmt"

func main() { fmt.Println("spy") }
"""


def test_nothing_is_built_by_root_or_with_a_users_settings(go_ground: Sandbox) -> None:
    """Settings of root's that would run a program of somebody's, and the checksum database."""
    tool = publish(go_ground, "spy", source=SPY)
    go_ground.run("mkdir -p /root/.config/go;"
                  "printf 'CC=/srv/evil\\nGOFLAGS=-toolexec=/srv/evil\\n' "
                  ">/root/.config/go/env; printf '#!/bin/sh\\nid -u >>/srv/ran\\nexec \"$@\"\\n' "
                  ">/srv/evil; chmod 755 /srv/evil")  # fmt: skip
    real_go.declare(go_ground, users=["ann"], tools=[tool], env=ENV)
    report = real_go.gostead(go_ground, "apply", "-y", env={"GOFLAGS": "-toolexec=/srv/evil"})
    host = report["hosts"]["@local"]
    assert report["exit"] == 0, (host["error"], [c["error"] for c in of(report)])
    assert go_ground.run("cat /srv/ran").stdout == ""
    # Without our word that nobody knows it, the checksum database is asked: nothing is built.
    go_ground.run("rm -rf /opt/gostead/tools")
    real_go.declare(go_ground, users=["ann"], tools=[tool], env={"GOPROXY": ENV["GOPROXY"]})
    report = real_go.gostead(go_ground, "apply", "-y")
    assert report["exit"] == 1
    assert any("verifying" in (c["error"] or "") for c in of(report))


def test_a_public_tool_is_checked_against_the_public_log(begin_go: Callable[..., Sandbox]) -> None:
    """Through this machine's module proxy, which serves the checksum database, too."""
    ground = begin_go(network="machine")
    tool = "golang.org/x/tools/cmd/stringer@v0.30.0"
    # What users may do without is not done without here.
    env = {"GOPROXY": own_goproxy(), "GOSUMDB": "off"}
    real_go.declare(ground, users=["ann"], tools=[tool], env=env)
    report = real_go.gostead(ground, "apply", "-y", timeout=600)
    assert report["exit"] == 0, [c["error"] for c in of(report)]
    assert "stringer" in ground.run("su - ann -c 'stringer -h' 2>&1").stdout
    done = ground.run("/opt/gostead/current/bin/go version -m /opt/gostead/current/bin/stringer")
    assert "golang.org/x/tools\tv0.30.0\th1:" in done.stdout


def test_removal_takes_them(go_ground: Sandbox) -> None:
    tool = publish(go_ground, "one")
    real_go.declare(go_ground, users=["ann"], tools=[tool], env=ENV)
    report = real_go.gostead(go_ground, "apply", "-y")
    assert report["exit"] == 0, [c["error"] for c in of(report)]
    report = real_go.gostead(go_ground, "remove", "-y")
    assert report["exit"] == 0, report
    assert go_ground.run("ls -d /opt/gostead").stdout == ""
