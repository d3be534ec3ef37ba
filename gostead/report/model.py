"""The report's form. It only grows: `format` says which form it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

FORMAT = 1

Status = Literal["clean", "pending", "changed", "failed", "unreachable"]
STATUSES: tuple[Status, ...] = ("clean", "pending", "changed", "failed", "unreachable")


@dataclass
class ChangeRow:
    """One change of one host: both states in words, and what became of it."""

    subject: str
    item: str
    user: str | None
    before: str
    after: str
    why: str
    source: str
    result: Literal["planned", "changed", "failed"]
    error: str | None = None
    detail: str = ""

    def data(self) -> dict[str, Any]:
        """As JSON has it: `from` and `to` are no names in Python."""
        row = asdict(self)
        row["from"], row["to"] = row.pop("before"), row.pop("after")
        if not row["detail"]:
            del row["detail"]
        return row


@dataclass
class FindingRow:
    """Something noticed that no change mends."""

    subject: str
    item: str
    user: str | None
    severity: str
    what: str
    where: str
    mend: str


@dataclass
class HostReport:
    """What a run says of one host. `seconds` is wall time spent on it."""

    status: Status = "clean"
    seconds: float = 0.0
    held: dict[str, str] | None = None
    changes: list[ChangeRow] = field(default_factory=list)
    not_applicable: list[dict[str, str]] = field(default_factory=list)
    findings: list[FindingRow] = field(default_factory=list)
    error: str | None = None
    matrix: list[dict[str, Any]] = field(default_factory=list)
    explained: dict[str, Any] = field(default_factory=dict)

    def data(self) -> dict[str, Any]:
        """As JSON has it; `matrix`, the shells that were started, only where some were, and
        what `explain` says of them."""
        return {
            "status": self.status,
            "seconds": round(self.seconds, 3),
            "held": self.held,
            "changes": [change.data() for change in self.changes],
            "not_applicable": self.not_applicable,
            "findings": [asdict(finding) for finding in self.findings],
            "error": self.error,
            **({"matrix": self.matrix} if self.matrix else {}),
            **({"explained": self.explained} if self.explained else {}),
        }


@dataclass
class ArtifactReport:
    """What a run says of one built file: `facts` as they were read, `runs` where it runs."""

    status: Status = "clean"
    title: str = ""
    runs: list[str] = field(default_factory=list)
    findings: list[FindingRow] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    error: str | None = None


@dataclass
class RunReport:
    """A whole run. Complete also when hosts failed."""

    command: str
    run: str
    started: str
    commit: str | None
    user: str
    seconds: float = 0.0
    hosts: dict[str, HostReport] = field(default_factory=dict)
    artifacts: dict[str, ArtifactReport] = field(default_factory=dict)

    def totals(self) -> dict[str, int]:
        """How many hosts, or files, ended in which state."""
        ended = [host.status for host in self.hosts.values()]
        ended += [file.status for file in self.artifacts.values()]
        return {status: ended.count(status) for status in STATUSES}

    def data(self) -> dict[str, Any]:
        """As JSON has it: hosts in the order of their names; files only where some were read."""
        return {
            "format": FORMAT,
            "command": self.command,
            "run": self.run,
            "started": self.started,
            "seconds": round(self.seconds, 3),
            "commit": self.commit,
            "user": self.user,
            "hosts": {name: host.data() for name, host in sorted(self.hosts.items())},
            **(
                {"artifacts": {file: asdict(row) for file, row in self.artifacts.items()}}
                if self.artifacts
                else {}
            ),
            "totals": self.totals(),
        }


def redacted(value: Any, secrets: Iterable[str]) -> Any:
    """`value` (strings, lists, maps) with every secret replaced by ***."""
    known = sorted({secret for secret in secrets if secret}, key=len, reverse=True)

    def clean(part: Any) -> Any:
        if isinstance(part, str):
            for secret in known:
                part = part.replace(secret, "***")
            return part
        if isinstance(part, Mapping):
            return {clean(key): clean(entry) for key, entry in part.items()}
        if isinstance(part, list | tuple):
            return [clean(entry) for entry in part]
        return part

    return clean(value) if known else value
