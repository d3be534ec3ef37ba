"""A first day with gostead, with real toolchains, in the order of the README.

With GOSTEAD_TRANSCRIPT=FILE the commands and what they printed are written there, for the README.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.go_cache import GoCache, own_goproxy
from tests.support.root import Mount
from tests.support.sandbox import Sandbox

TREE = "/opt/gostead/toolchains/go1.27.3"
# The controller's cache, and what running `go` as root leaves (its telemetry counters).
CONTROLLER = ("/root/.cache", "/root/.config")
SHELLS = ("bash -lc", "sh -lc", "zsh -lc", "sh -c")


class Day:
    """Runs commands in a sandbox and keeps a transcript."""

    def __init__(self, sandbox: Sandbox, declaration: Path) -> None:
        self.sandbox, self.declaration = sandbox, declaration
        self.transcript: list[str] = []

    def declare(self, **toolchains: object) -> None:
        # Where `audit --build` has its module from; a real host needs no word of it.
        text = json.dumps({"go": {"toolchains": toolchains | {"goproxy": own_goproxy()}}})
        (self.declaration / "all.yaml").write_text(text)
        words = ", ".join(f"{key}: {json.dumps(value)}" for key, value in toolchains.items())
        self.transcript.append(f"# group_data/all.yaml:  go: {{toolchains: {{{words}}}}}")

    def gostead(self, *words: str, exit_code: int = 0) -> str:
        done = self.sandbox.gostead(*words, "--declaration", str(self.declaration), timeout=300)
        self.transcript += [f"$ gostead {' '.join(words)}", done.stdout.rstrip()]
        assert done.returncode == exit_code, done.stdout + done.stderr
        return done.stdout

    def sh(self, command: str) -> str:
        done = self.sandbox.run(command, timeout=120)
        self.transcript += [f"$ {command}", done.stdout.rstrip()]
        return done.stdout

    def versions(self) -> set[str]:
        return {self.sh(f"{shell} 'go version'") for shell in SHELLS}


@pytest.mark.own_process
@pytest.mark.slow
def test_a_first_day(
    make_sandbox: Callable[..., Sandbox], go_cache: GoCache, tmp_path: Path
) -> None:
    for version in ("1.27.3", "1.26.8"):
        go_cache.tar(version)
    tmp_path.chmod(0o755)
    sandbox = make_sandbox(go_cache=go_cache.path, mounts=[Mount(tmp_path)], network="machine")
    day = Day(sandbox, tmp_path)
    before = sandbox.digest(exclude=CONTROLLER)
    newest, older = "go version go1.27.3 linux/amd64\n", "go version go1.26.8 linux/amd64\n"

    day.declare(default="1.27.3")
    day.gostead("apply", "-y")
    assert day.versions() == {newest}
    after = sandbox.digest(times=True)
    assert "as declared" in day.gostead("apply", "-y")
    assert after.changes(sandbox.digest(times=True)) == []

    day.declare(default="1.27.3", versions=["1.26.8"])
    assert "go1.26.8" in day.gostead("apply", "-y")
    day.declare(default="1.26.8", versions=["1.27.3"])
    assert "current: go1.27.3 -> go1.26.8" in day.gostead("apply", "-y")
    assert day.versions() == {older}
    day.gostead("rollback", "--why", "the linker crashes")
    assert day.versions() == {newest}
    assert "held at go1.27.3" in day.gostead("apply", "-y")
    assert day.versions() == {newest}
    day.gostead("release")
    day.declare(default="1.27.3", versions=["1.26.8"])
    day.gostead("apply", "-y")

    day.sh(f"printf x | dd of={TREE}/src/fmt/print.go bs=1 seek=99 conv=notrunc 2>/dev/null")
    assert "src/fmt/print.go (changed)" in day.gostead("audit", "--deep", exit_code=2)
    assert "damaged -> go1.27.3" in day.gostead("apply", "--deep", "-y")
    day.gostead("audit", "--deep")
    day.sh(f"rm -rf {TREE}/pkg/tool")
    assert "pkg/tool/linux_amd64/" in day.gostead("plan", exit_code=2)
    day.gostead("apply", "-y")
    day.gostead("audit", "--build")
    day.gostead("remove", "-y")
    left = sandbox.digest(exclude=CONTROLLER)
    assert before.changes(left) == []
    if target := os.environ.get("GOSTEAD_TRANSCRIPT"):
        Path(target).write_text("\n".join(day.transcript) + "\n")
