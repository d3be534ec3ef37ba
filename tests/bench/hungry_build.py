"""A hungry build without a budget, with a hard one, and with all that gostead sets.

usage: python -m tests.bench.hungry_build [RELEASE]     (as root; some ten minutes)

The guest's processors are emulated: about nine times slower than this machine's.
"""

from __future__ import annotations

import math
import sys
import tempfile
from pathlib import Path

from tests.support.vm.guest import Guest
from tests.support.vm.hungry import MEMORY, PROCESSORS, WAYS, Hungry, Outcome


def main() -> None:
    """Prints the table."""
    release = sys.argv[1] if len(sys.argv) > 1 else "trixie"
    with (
        tempfile.TemporaryDirectory() as directory,
        Guest(release, memory=MEMORY, cpus=PROCESSORS, name="small") as guest,
    ):
        Path(directory).chmod(0o755)
        hungry = Hungry(guest, Path(directory))
        print(
            "| | the build | seconds | killed | memory_high reached | sshd's first line, at worst |"
        )
        print("|---|---|---|---|---|---|")
        for way in sorted(WAYS, key="no slice".__eq__):
            print(row(way, hungry.build(way)), flush=True)


def row(way: str, found: Outcome) -> str:
    """One line of the table."""
    ended = "succeeds" if found.built else "has not ended" if found.stalled else "is killed"
    return (
        f"| {way} | {ended} | {found.seconds:.0f} | {found.all_kills} | {found.high} times"
        f" | {f'{found.banner:.1f} s' if math.isfinite(found.banner) else 'does not come'} |"
    )


if __name__ == "__main__":
    main()
