"""gostead rollback, hold and release."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from gostead.cli.building import host_report
from gostead.cli.errors import CommandError
from gostead.cli.output import write_report
from gostead.cli.planning import exit_code, open_session
from gostead.cli.runs import Clock, new_report, run_id, who
from gostead.cli.session import Look
from gostead.operations import context, holds
from gostead.operations.change import Change, Outcome
from gostead.operations.guard import check_host

Planner = Callable[[Look], list[Change]]
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def rollback_hosts(to: str, why: str, **given: Any) -> int:
    """Exit 0 done, 1 a host failed."""
    to = to.removeprefix("go")

    def planner(look: Look) -> list[Change]:
        assert look.setup is not None and look.state is not None  # noqa: S101, PT018
        return holds.plan_rollback(look.setup, look.state, to, who(), why)

    return _run("rollback", planner, given)


def hold_hosts(why: str, until: str, **given: Any) -> int:
    """Exit 0 done, 1 a host failed."""
    end = _end(until)

    def planner(look: Look) -> list[Change]:
        assert look.setup is not None and look.state is not None  # noqa: S101, PT018
        return holds.plan_hold(look.state, who(), why, end)

    return _run("hold", planner, given)


def release_hosts(**given: Any) -> int:
    """Exit 0 done, 1 a host failed."""

    def planner(look: Look) -> list[Change]:
        assert look.setup is not None and look.state is not None  # noqa: S101, PT018
        return holds.plan_release(look.state)

    return _run("release", planner, given)


def _run(command: str, planner: Planner, given: dict[str, Any]) -> int:
    clock, run = Clock(), run_id()
    report = new_report(command, run, given["declaration"])
    with open_session(run, given) as session:
        looks = session.connect()
        done: dict[str, list[Outcome]] = {}

        def task(look: Look) -> None:
            look.setup, look.state = context.current(look.host)
            check_host(look.setup, look.state)
            look.changes = planner(look)
            done[look.host.name] = holds.carry_out(look.host, look.changes)
            if look.changes:
                _, look.state = context.current(look.host)
                hold = look.state.toolchains.hold
                look.held = hold.version if hold else None

        session.each(looks, task)
        report.hosts = {
            look.host.name: host_report(look, done.get(look.host.name, [])) for look in looks
        }
        report.seconds = clock.seconds()
        write_report(report, given["json_to"], session.secrets)
    return exit_code(report)


def _end(until: str) -> str:
    """An ISO time from "2h", "3d" or an ISO time; empty stays empty. Raises CommandError."""
    if not until:
        return ""
    if found := re.fullmatch(r"(\d{1,4})([mhdw])", until):
        length = timedelta(**{UNITS[found[2]]: int(found[1])})
        return (datetime.now(UTC) + length).isoformat(timespec="seconds")
    try:
        time = datetime.fromisoformat(until)
    except ValueError:
        raise CommandError(
            f"--until {until} is no time: expected 30m, 2h, 3d, 1w, or an ISO time",
            "gostead hold --until 2h --why '…'",
        ) from None
    return (time if time.tzinfo else time.astimezone()).isoformat(timespec="seconds")
