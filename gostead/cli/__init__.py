"""The `gostead` command: a thin face on pyinfra's own API, whose command line exits 0 with changes
pending and prints no JSON when a host fails."""

from __future__ import annotations


def main() -> int:
    """Runs the command line; the exit code."""
    # pyinfra's greenlets need patched sockets, before anything else imports them. Not every
    # command needs pyinfra, but none may be wrong about it.
    from gevent import monkey

    monkey.patch_all()
    from gostead.cli.commands import run

    return run()
