"""What a check says when a host is not as declared."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class AuditFinding:
    """One thing that does not hold: the item, what is so, and what mends it."""

    subject: str
    item: str
    what: str
    mend: str
    severity: Severity = "error"
    user: str | None = None
    where: str = ""


class NotAsDeclared(AssertionError):
    """Raised by a check; pytest shows it, the report keeps its finding."""

    def __init__(self, finding: AuditFinding) -> None:
        super().__init__(f"{finding.item}: {finding.what}\nmend: {finding.mend}")
        self.finding = finding


@dataclass
class HostResult:
    """All that the checks said of one host. `error`: it could not be asked. `matrix`: the shells
    that were started, a map of gostead.trace.Cell's fields for each, with its verdict."""

    findings: list[AuditFinding] = field(default_factory=list)
    checks: int = 0
    error: str | None = None
    matrix: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
