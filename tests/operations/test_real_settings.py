"""Settings, with the real go: what it says as each user, and who set it."""

from __future__ import annotations

import json

import pytest

from tests.support import real_go
from tests.support.sandbox import Sandbox

# With real toolchains, which take their time: with --all.
pytestmark = pytest.mark.slow


def test_go_says_so_and_explain_names_who_set_it(go_ground: Sandbox) -> None:
    go_ground.run("go env -w GOFLAGS=-v GOSUMDB=off", user="ann", check=True)
    go_ground.run("echo 'export GOPRIVATE=elsewhere.example.com' >>~/.profile", user="ann")
    before = go_ground.run("cat ~/.config/go/env", user="ann").stdout
    real_go.declare(
        go_ground, users=["ann", "zed"], telemetry="off",
        env={"GOFLAGS": None, "GOPRIVATE": "git.example.com", "GOTOOLCHAIN": "local",
             "CGO_ENABLED": 0, "GOARM64": "v8.2", "GOWORK": "off"},
    )  # fmt: skip
    report = real_go.gostead(go_ground, "apply", "-y")
    assert report["exit"] == 0, report
    again = real_go.gostead(go_ground, "apply", "-y")
    assert (again["exit"], again["hosts"]["@local"]["changes"]) == (0, [])
    said = json.loads(go_ground.run("su - zed -c 'go env -json'").stdout)
    assert (said["GOPRIVATE"], said["GOTOOLCHAIN"], said["CGO_ENABLED"], said["GOTELEMETRY"],
            said["GOWORK"]) == ("git.example.com", "local", "0", "off", "off")  # fmt: skip
    assert go_ground.run("ls -A /home/zed/.config/go/telemetry").stdout == "mode\n"

    audit = real_go.gostead(go_ground, "audit")
    (found,) = [f for f in audit["hosts"]["@local"]["findings"] if f["subject"] == "go_env"]
    assert (found["user"], found["item"]) == ("ann", "GOPRIVATE")
    assert found["where"].startswith("/home/ann/.profile:")
    assert "bash: login" in found["what"]

    whole = real_go.gostead(go_ground, "explain")["hosts"]["@local"]
    assert [f["item"] for f in whole["findings"] if f["subject"] == "go_env"] == ["GOPRIVATE"]
    explained = whole["explained"]["settings"]
    by = {(row["user"], row["name"], row["value"]): row["by"] for row in explained}
    assert by["ann", "GOSUMDB", "off"] == "settings file"
    assert by["zed", "GOSUMDB", "sum.golang.org"] == "go.env"
    assert by["zed", "GOAMD64", "v1"] == "built in"
    assert by["ann", "GOPRIVATE", "git.example.com"] == "settings file"
    assert by["ann", "GOPRIVATE", "elsewhere.example.com"].startswith("variable in bash: login")

    # Behind our back: the audit asks go, and finds it.
    go_ground.run("go env -w CGO_ENABLED=1; go telemetry local", user="zed", check=True)
    audit = real_go.gostead(go_ground, "audit")
    found = {(f["user"], f["item"]) for f in audit["hosts"]["@local"]["findings"]}
    assert {("zed", "CGO_ENABLED"), ("zed", "telemetry")} <= found

    real_go.declare(go_ground, users=["ann"])
    assert real_go.gostead(go_ground, "apply", "-y")["exit"] == 0
    assert go_ground.run("cat ~/.config/go/env", user="ann").stdout == before
    # No compiler, and nobody said so: Go is silent about it, explain is not.
    whole = real_go.gostead(go_ground, "explain")["hosts"]["@local"]
    assert [f["what"][:29] for f in whole["findings"] if f["subject"] == "cgo"] == [
        "is 0, and nobody said so: Go ",
    ]  # fmt: skip
