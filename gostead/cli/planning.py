"""gostead plan and gostead facts: looking, and nothing else."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import Any

import click

from gostead.cli.building import host_report
from gostead.cli.errors import CommandError
from gostead.cli.output import write_json, write_report
from gostead.cli.runs import Clock, new_report, run_id
from gostead.cli.session import Look, Session
from gostead.facts.toolchains import Registered
from gostead.operations import context
from gostead.operations.go_env import KINDS as SETTINGS_KINDS
from gostead.report.model import RunReport, redacted


def open_session(run: str, given: Mapping[str, Any], **more: Any) -> Session:
    """A session with the options that every command shares. Raises CommandError where a
    declaration or the inventory is wrong."""
    options: dict[str, Any] = {"run": run, "declaration": given["declaration"], **more}
    if given["timeout"]:
        options["timeout"] = given["timeout"]
    for name in ("deep", "subjects", "purge"):
        if given.get(name):
            options[name] = given[name]
    session = Session(
        given["inventory"], options, given["limit"], given["parallel"], given["verbose"]
    )
    session.check_declarations()
    return session


def plan_hosts(**given: Any) -> int:
    """Exit 0 nothing to do, 2 changes pending, 1 a host could not be read or planned."""
    clock, run = Clock(), run_id()
    report = new_report("plan", run, given["declaration"])
    with open_session(run, given) as session:
        looks = session.look(given["subjects"])
        fill(report, looks, clock)
        write_report(report, given["json_to"], session.secrets)
        if given["explain"] and given["json_to"] != "-":
            for look in looks:
                _explain(look, session)
        if given["out"]:
            write_json(redacted(report.data(), session.secrets), given["out"])
    return exit_code(report, pending=2)


def fill(report: RunReport, looks: list[Look], clock: Clock) -> None:
    """The hosts' parts of a report in which nothing was done yet."""
    report.hosts = {look.host.name: host_report(look) for look in looks}
    report.seconds = clock.seconds()


def exit_code(report: RunReport, *, pending: int = 0) -> int:
    """1 where a host failed, `pending` where changes are pending, else 0."""
    totals = report.totals()
    if totals["failed"] or totals["unreachable"]:
        return 1
    return pending if totals["pending"] else 0


def _explain(look: Look, session: Session) -> None:
    if look.state is None or look.setup is None:
        return
    known = context.declared(look.host)
    click.echo(f"{look.host.name}: values and where they come from")
    for key, value in _flat(look.setup.model_dump(mode="json")):
        where = known.source(look.state.system.name, key)
        click.echo(redacted(f"  {key}: {value}  [{where}]", session.secrets))


def _flat(value: Any, key: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        return [
            row
            for name, part in value.items()
            for row in _flat(part, f"{key}.{name}" if key else str(name))
        ]
    return [(key, value)]


def print_facts(**given: Any) -> int:
    """Exit 0, or 1 where a host could not be read; the other hosts are printed all the same."""
    with open_session(run_id(), given) as session:
        looks = session.connect()

        def task(look: Look) -> None:
            look.setup, look.state = context.current(look.host)

        session.each(looks, task)
        data = {
            look.host.name: plain(look.state) if look.state else {"error": look.error}
            for look in sorted(looks, key=lambda look: look.host.name)
        }
        write_json(redacted(data, session.secrets), given["json_to"] or "-")
    return 0 if all(look.state for look in looks) else 1


def plain(value: Any) -> Any:
    """Dataclasses, sets and bytes as JSON has them, in stable order; a file's bytes as their number
    and sha256."""
    if isinstance(value, Registered) and value.kind.startswith(SETTINGS_KINDS):
        # What stood in a settings file before us: there may be secrets in it.
        value = dataclasses.replace(value, detail=hashlib.sha256(value.detail.encode()).hexdigest())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, bytes):
        return {"size": len(value), "sha256": hashlib.sha256(value).hexdigest()}
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in sorted(value.items())}
    if isinstance(value, frozenset | set):
        return sorted((plain(part) for part in value), key=str)
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return value


def need_terminal(question: str) -> None:
    """Asks; raises CommandError where nobody can answer or the answer is no."""
    import sys

    if not sys.stdin.isatty():
        raise CommandError(
            f"{question} Nobody is there to answer: nothing was changed",
            "without a terminal, say -y",
        )
    if not click.confirm(question, err=True):
        raise CommandError("nothing was changed")
