"""Run the tiers of tests one after the other and say what each did: `script/test` ends up here.

usage: python -m tests.support.tiers [--all] [pytest arguments]

Exit status: 0 if every tier passed; 130 after an interrupt; 1 otherwise. A tier in which nothing
ran is a failure, unless arguments narrow the choice down (-k, -m, a path). A tier that takes
minutes runs with --all only; without, a line says so.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.cache import PROJECT
from tests.support.requirements import in_ci, why_no_hosts
from tests.support.vm.accelerator import why_no_guests

NO_TESTS_RAN = 5
INTERRUPTED = 2
#: Tests wait a good part of their time: for hosts, servers, seconds that must pass. Guests compute.
WORKERS = min((os.cpu_count() or 1) + 1, 5)


@dataclass(frozen=True)
class Tier:
    """A directory of tests, and how it may be run."""

    name: str
    what: str
    needs_hosts: bool = True
    needs_guests: bool = False
    with_all_only: bool = False
    dist: str = "worksteal"


TIERS = (
    Tier("unit", "pure functions, host scripts in several shells", needs_hosts=False),
    Tier("operations", "@local in throw-away roots"),
    Tier("hosts", "real ssh, Debian and busybox hosts"),
    Tier("faults", "kills, full disks, bad servers, bad input", needs_hosts=False),
    Tier(
        "vm", "Debian 12 and 13 with their own kernel and systemd, under QEMU",
        needs_guests=True, with_all_only=True, dist="loadgroup",
    ),
)  # fmt: skip


@dataclass
class Outcome:
    """What came out of one tier."""

    tier: Tier
    status: int = 0
    seconds: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    cannot: str | None = None

    @property
    def good(self) -> bool:
        """Say whether the tier counts as passed."""
        return self.status == 0

    def line(self) -> str:
        """Return the tier's line of the closing table."""
        parts = [f"{count} {kind}" for kind, count in self.counts.items() if count]
        text = self.cannot or ", ".join(parts) or "no test ran"
        verdict = "FAILED " if not self.good else "skipped" if self.cannot else "ok     "
        return f"  {self.tier.name:<11}{verdict} {self.seconds:6.1f} s  {text}"


def main(arguments: list[str]) -> int:
    """Run what `arguments` ask for; return the exit status."""
    everything = "--all" in arguments
    arguments = [argument for argument in arguments if argument != "--all"]
    paths = [a for a in arguments if not a.startswith("-") and Path(a.split("::")[0]).exists()]
    if paths:
        return subprocess.run(_pytest([], arguments, everything), check=False).returncode
    outcomes = []
    for tier in TIERS:
        outcome = run_tier(tier, arguments, everything)
        outcomes.append(outcome)
        if outcome.status == INTERRUPTED:
            break
    if arguments:
        # -k and the like select from all tiers; that some have no such test is no fault of theirs.
        for outcome in outcomes:
            if outcome.status == NO_TESTS_RAN and any(other.good for other in outcomes):
                outcome.status = 0
    report(outcomes)
    if any(outcome.status == INTERRUPTED for outcome in outcomes):
        return 130
    return 0 if all(outcome.good for outcome in outcomes) else 1


def run_tier(tier: Tier, arguments: list[str], everything: bool) -> Outcome:
    """Run one tier, in parallel."""
    print(f"\n== {tier.name}: {tier.what}", flush=True)
    if tier.with_all_only and not everything:
        later = "takes minutes: script/test --all runs it"
        print(f"not run: {later}", flush=True)
        return Outcome(tier, cannot=later)
    reason = why_no_guests() if tier.needs_guests else None
    reason = reason or (why_no_hosts() if tier.needs_hosts else None)
    if reason is not None:
        print(f"cannot run: {reason}", flush=True)
        return Outcome(tier, status=1 if in_ci() else 0, cannot=reason)
    outcome = Outcome(tier)
    started = time.monotonic()
    with tempfile.NamedTemporaryFile(prefix="gostead-test-summary-") as summary:
        outcome.status = subprocess.run(
            _pytest([f"tests/{tier.name}"], arguments, everything, tier),
            env={**os.environ, "GOSTEAD_TEST_SUMMARY": summary.name}, check=False,
        ).returncode  # fmt: skip
        outcome.seconds = time.monotonic() - started
        text = Path(summary.name).read_text()
    if text:
        told = json.loads(text)
        outcome.counts, outcome.skipped = told["counts"], told["skipped"]
    return outcome


def report(outcomes: list[Outcome]) -> None:
    """Print a line per tier, why tests were skipped, and a closing line like pytest's."""
    print("\n== tiers")
    for outcome in outcomes:
        print(outcome.line())
    for reason in sorted({reason for outcome in outcomes for reason in outcome.skipped}):
        print(f"  skipped: {reason}")
    totals: dict[str, int] = {}
    for outcome in outcomes:
        for kind, count in outcome.counts.items():
            totals[kind] = totals.get(kind, 0) + count
    words = [f"{count} {kind}" for kind, count in totals.items() if count]
    failed = [outcome.tier.name for outcome in outcomes if not outcome.good]
    if failed:
        words.append(f"tiers failed: {' '.join(failed)}")
    seconds = sum(outcome.seconds for outcome in outcomes)
    print(f"==== {', '.join(words) or 'no tests ran'} in {seconds:.2f}s ====", flush=True)


def _pytest(
    paths: list[str], arguments: list[str], everything: bool, tier: Tier | None = None
) -> list[str]:
    processors = os.cpu_count() or 1
    workers = min(WORKERS, processors) if tier and tier.needs_guests else WORKERS
    options = ["-q", "-n", str(workers), "--dist", tier.dist if tier else "worksteal"]
    if tier and tier.dist == "loadgroup":
        # The order of the tier's own, instead of what has most tests first.
        options += ["--no-loadscope-reorder"]
    if in_ci():
        # What makes the run long is seen before it is too long.
        options += ["--durations=25", "--durations-min=10"]
    if not everything:
        options += ["-m", "not slow and not network"]
    return [sys.executable, "-m", "pytest", *options, *paths, *arguments]


if __name__ == "__main__":
    os.chdir(PROJECT)
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
