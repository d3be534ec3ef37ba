"""What all tiers share: the fixtures, the sweep of what a killed run left, the count per tier."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import hypothesis
import pytest

from tests.support.digest import Digest
from tests.support.fixtures import (  # noqa: F401 - pytest finds fixtures by name
    begin,
    busybox_host,
    fleet,
    go_cache,
    make_root,
    make_sandbox,
    mirror,
    network,
    sandbox,
    ssh_host,
    starts,
)
from tests.support.preloaded import processes_of_their_own
from tests.support.requirements import why_no_hosts
from tests.support.runs import sweep

# The environment's own commands (shellcheck, gostead), also when it is not activated.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

# The machine may be busy with other tests: how long an example takes says nothing.
hypothesis.settings.register_profile("gostead", deadline=None)
hypothesis.settings.load_profile("gostead")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Remove what a killed earlier run left behind; its processes and mounts ended with it."""
    if why_no_hosts() is None:
        sweep()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """A test marked so starts the command itself, not a fork of what has its modules loaded."""
    own = item.get_closest_marker("own_process") is not None
    with processes_of_their_own() if own else nullcontext():
        return (yield)


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Of two digests that differ, show what differs and not all that they hold."""
    if op == "==" and isinstance(left, Digest) and isinstance(right, Digest):
        lines = left.changes(right)
        return [
            "the digests are equal",
            *lines[:40],
            *[f"… {len(lines)} in all"][: len(lines) > 40],
        ]
    return None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write the counts to $GOSTEAD_TEST_SUMMARY, for the table at the end of script/test."""
    target = os.environ.get("GOSTEAD_TEST_SUMMARY")
    if target:
        kinds = ("passed", "failed", "error", "skipped", "xfailed", "xpassed")
        stats = terminalreporter.stats
        counts = {kind: len(stats.get(kind, [])) for kind in kinds}
        told = (str(report.longrepr[2]) for report in stats.get("skipped", []) if report.longrepr)
        reasons = {reason.removeprefix("Skipped: ") for reason in told}
        Path(target).write_text(json.dumps({"counts": counts, "skipped": sorted(reasons)}))
