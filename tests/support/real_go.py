"""Throw-away roots in which gostead has installed real toolchains, go1.27.3 and go1.26.8."""

from __future__ import annotations

import json
from typing import Any

from tests.support.sandbox import Sandbox

VERSIONS = ("1.27.3", "1.26.8")
DECLARED: dict[str, Any] = {
    "default": VERSIONS[0], "versions": list(VERSIONS[1:]), "sources": ["module"], "links": "auto",
}  # fmt: skip


def declare(sandbox: Sandbox, toolchains: dict[str, Any] | None = None, **go: Any) -> None:
    """Writes the declaration into /srv/group_data of the sandbox."""
    go["toolchains"] = DECLARED | (toolchains or {})
    text = json.dumps({"go": go}, indent=1)
    sandbox.run("mkdir -p /srv/group_data && cat >/srv/group_data/all.yaml", input=text, check=True)


def gostead(sandbox: Sandbox, command: str, *words: str, **run: Any) -> dict[str, Any]:
    """Any command that answers with a report; its exit code is in `exit`."""
    run = {"timeout": 300, **run}
    done = sandbox.gostead(
        command, "@local", "--declaration", "/srv/group_data", "--json", *words, cwd="/", **run
    )
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise AssertionError(f"no JSON report: {done.stdout!r} {done.stderr!r}") from None
    return report | {"exit": done.returncode, "stderr": done.stderr}


def install(sandbox: Sandbox) -> None:
    """Brings both toolchains into the sandbox."""
    declare(sandbox)
    report = gostead(sandbox, "apply", "-y")
    assert report["exit"] == 0, report
