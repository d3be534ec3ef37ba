"""The `gostead` command: a thin face on pyinfra's own API, whose command line exits 0 with changes
pending and prints no JSON when a host fails."""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def main() -> int:
    """Runs the command line; the exit code."""
    from gostead.cli.startup import prepare

    prepare()
    from gostead.cli.commands import run

    return run()


def script() -> NoReturn:
    """The whole life of a process: `main`, and out, without taking a thousand modules apart."""
    code = main()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or 1
    os._exit(code)
