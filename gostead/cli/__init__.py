"""The `gostead` command: a thin face on pyinfra's own API, whose command line exits 0 with changes
pending and prints no JSON when a host fails."""

from __future__ import annotations


def main() -> int:
    """Runs the command line; the exit code."""
    from gostead.cli.startup import prepare

    prepare()
    from gostead.cli.commands import run

    return run()
