"""gostead audit."""

from __future__ import annotations

from typing import Any

from gostead.cli.errors import CommandError


def audit_hosts(**given: Any) -> int:
    """Exit 0 all hold, 2 findings, 1 error."""
    raise CommandError("not there yet")
