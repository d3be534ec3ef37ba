"""The shells' matrix of ten users: every way of starting every shell, by one script.

.venv/bin/python -m tests.bench.matrix
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from gostead import trace
from tests.support.homes import make
from tests.support.root import Mount
from tests.support.sandbox import Sandbox
from tests.support.site import Site

RUNS = 3


def main() -> None:
    """Prints seconds, and how many cells there were."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        site = Site(directory)
        with Sandbox(mounts=[Mount(directory)]) as sandbox:
            site.declare(users=make(sandbox))
            report = site.apply(sandbox)
            if report["exit"]:
                raise SystemExit(report)

            def run(script: str) -> bytes:
                return sandbox.run(["sh", "-s"], input=script, timeout=300).stdout.encode()

            people, shells = trace.people(run, ["root", "humans"])
            for _ in range(RUNS):
                started = time.perf_counter()
                cells = trace.survey(run, people, "/opt/gostead/current/bin", shells=shells)
                seconds = time.perf_counter() - started
                asked = sum(cell.status == "asked" for cell in cells)
                print(f"{len(people)} users, {asked} of {len(cells)} cells: {seconds:.1f} s")


if __name__ == "__main__":
    main()
