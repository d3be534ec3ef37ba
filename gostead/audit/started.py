"""The shells of the declared users, started for several checks at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gostead import trace
from gostead.audit.asking import Place
from gostead.audit.findings import AuditFinding, NotAsDeclared
from gostead.declaration import GoSetup

LIMIT = 5.0
#: Seconds for all starts, and for all that are traced: an audit has 30.
BUDGET, TRACE_BUDGET = 16.0, 5.0


@dataclass(frozen=True)
class Surveyed:
    """Who was asked, what every start said, what is wrong with it, and the lines behind that."""

    people: Sequence[trace.Person]
    cells: Sequence[trace.Cell]
    chains: Mapping[tuple[str, str, str], tuple[trace.Cause, ...]]


def survey(run: trace.Run, where: Place, setup: GoSetup) -> Surveyed:
    """Starts the shells, and traces those that are not as declared. Raises NotAsDeclared for users
    that do not exist, armour.CannotRead."""
    directory = f"{where.root}/current/bin"
    try:
        people, installed = trace.people(run, setup.users)
    except trace.TraceError as error:
        raise NotAsDeclared(
            AuditFinding("shells", "users", str(error), "make the user, or take the name out")
        ) from None
    wanted = setup.shells.wanted(installed)
    shells = [shell for shell in wanted if shell in installed]
    cells = trace.survey(run, people, directory, shells=shells, limit=LIMIT, budget=BUDGET)
    rough = trace.verdicts(cells, {}, directory, **expected(where, setup))
    declared = {person.name: setup.settings(person.uid) for person in people}
    wrong = [
        v.cell
        for v in rough
        if v.colour == "bad" or any(x.name in declared[v.cell.user] for x in v.cell.variables)
    ]
    chains = trace.chains(run, wrong, people, directory, limit=2.0, budget=TRACE_BUDGET)
    return Surveyed(people, cells, chains)


def expected(where: Place, setup: GoSetup) -> dict[str, bool]:
    """What the declaration promises to starts that read no start-up file."""
    links = where.scope == "system" and setup.toolchains.links != "off"
    return {"cron": setup.shells.cron, "links": links}
