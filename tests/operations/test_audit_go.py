"""The audit of settings, caches, tools and builds, with real toolchains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support import real_go
from tests.support.go_cache import own_goproxy
from tests.support.sandbox import Sandbox
from tests.support.tool_proxy import ENV, publish

# With real toolchains, which take their time: with --all.
pytestmark = pytest.mark.slow


def of(report: dict[str, Any], *subjects: str) -> list[dict[str, Any]]:
    found = report["hosts"]["@local"]["findings"]
    return [f for f in found if f["subject"] in subjects and f["severity"] != "note"]


def test_faults_of_caches_and_tools_are_found(go_ground: Sandbox) -> None:
    tool = publish(go_ground, "one")
    other = publish(go_ground, "other")
    real_go.declare(
        go_ground, users=["ann"], tools=[tool], env=ENV, cache={"root": "/var/cache/go"}
    )
    assert real_go.gostead(go_ground, "apply", "-y")["exit"] == 0
    audit = real_go.gostead(go_ground, "audit")
    assert (audit["exit"], of(audit, "caches", "tools", "go_env")) == (0, [])

    go_ground.run("chmod 755 /var/cache/go/1002; mkdir -p /home/ann/go/pkg/mod/x; "
                  "chown ann: /home/ann/go /home/ann/go/pkg /home/ann/go/pkg/mod")  # fmt: skip
    found = of(real_go.gostead(go_ground, "audit"), "caches")
    assert {f["item"] for f in found} == {"/var/cache/go/1002", "GOMODCACHE"}
    assert "drwxr-xr-x" in found[0]["what"] + found[1]["what"]
    (stray,) = [f for f in found if f["item"] == "GOMODCACHE"]
    assert (stray["user"], "somebody else" in stray["what"]) == ("ann", True)

    real_go.declare(go_ground, users=["ann"], tools=[other], env=ENV)
    (fault,) = of(real_go.gostead(go_ground, "audit"), "tools")
    assert "cannot be read" in fault["what"]
    go_ground.run("cp /opt/gostead/current/bin/one /opt/gostead/current/bin/other")
    (fault,) = of(real_go.gostead(go_ground, "audit"), "tools")
    assert "tools.example.com/one" in fault["what"]
    versions = {"default": "1.26.8", "versions": ["1.27.3"]}
    real_go.declare(go_ground, versions, users=["ann"], tools=[tool], env=ENV)
    stale = "cp /opt/gostead/tools/go1.27.3/bin/one /opt/gostead/current/bin/one"
    go_ground.run(f"ln -sfn profiles/go1.26.8 /opt/gostead/current; {stale}")
    (fault,) = of(real_go.gostead(go_ground, "audit"), "tools")
    assert "was built by go1.27.3, go1.26.8 is active" in fault["what"]


def test_builds_are_real(begin_go: Callable[..., Sandbox]) -> None:
    ground = begin_go(network="machine")
    env = {"GOPROXY": own_goproxy(), "GOTOOLCHAIN": "local"}
    real_go.declare(ground, {"versions": []}, users=["ann", "zed"], env=env)
    assert real_go.gostead(ground, "apply", "-y")["exit"] == 0
    # A user whose settings break every build, and a part of the toolchain that is not there: what
    # works all the same (ann's build, what needs no vet) is no finding.
    ground.run("echo GOFLAGS=-toolexec=/nonexistent >>~/.config/go/env", user="zed", check=True)
    ground.run("rm -f /opt/gostead/toolchains/go1.27.3/pkg/tool/linux_amd64/vet")
    before = ground.digest(exclude=["/root/.cache"])
    audit = real_go.gostead(ground, "audit", "--build", timeout=900)
    assert ground.digest(exclude=["/root/.cache"]) == before
    assert [(f["user"], f["item"]) for f in of(audit, "caches")] == [("zed", "build")]
    assert {(f["item"], f["what"].partition(":")[0]) for f in of(audit, "toolchains")} == {
        ("go1.27.3", step) for step in ("not what was released", "vet", "test")
    }
