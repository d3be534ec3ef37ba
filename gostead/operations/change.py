"""What a plan is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Result = Literal["planned", "changed", "failed"]


class PlanError(Exception):
    """This host cannot be brought to its declaration, and why: told before anything is fetched."""


@dataclass(frozen=True)
class Content:
    """Bytes that a script finds on its standard input."""

    data: bytes = b""


@dataclass(frozen=True)
class Toolchain:
    """A verified toolchain that a script finds on its standard input as a canonical tar."""

    version: str
    platform: str
    h1: str


@dataclass(frozen=True)
class Script:
    """The atomic act on the host: a template below change/ and its values; `limit` is how many
    seconds it may take where that is not what every script may."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    stream: Content | Toolchain | None = None
    limit: float | None = None


@dataclass(frozen=True)
class Change:
    """One difference between what is declared and what is: the item, both states in words, why,
    the declaration's key that asks for it, and the script that makes it so."""

    subject: str
    item: str
    before: str
    after: str
    why: str
    key: str
    script: Script = field(repr=False, compare=False)
    user: str | None = None
    alone: bool = False  # its failure is no reason not to make the others
    leads_on: bool = False  # what comes after it depends on what it brings, and is planned anew
    arises: bool = False  # from what people do: one more of it, after the run, is for the next one


@dataclass(frozen=True)
class Finding:
    """Something noticed that no change mends."""

    subject: str
    item: str
    severity: Literal["error", "warning", "note"]
    what: str
    mend: str
    where: str = ""
    user: str | None = None


@dataclass(frozen=True)
class Plan:
    """What one subject would change on one host, and what it noticed."""

    changes: tuple[Change, ...] = ()
    findings: tuple[Finding, ...] = ()
    held: str | None = None
    not_applicable: str = ""  # why nothing of it can be so on this host
    news: bool = False  # something happened on the host that is to be noted there
    untried: bool = False  # what only trying out can tell has changed since it was tried out

    @classmethod
    def of(
        cls, found: Iterable[Change | Finding], *, news: bool = False, untried: bool = False
    ) -> Plan:
        """A plan of what was found, each kind in its order."""
        every = tuple(found)
        return cls(
            tuple(one for one in every if isinstance(one, Change)),
            tuple(one for one in every if isinstance(one, Finding)),
            news=news, untried=untried,
        )  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """A change after the run: `changed` only where the host was seen to be so afterwards."""

    change: Change
    result: Result
    error: str | None = None
    detail: str = ""
