"""gostead apply and gostead remove: the plan, a question, the changes, each read back."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from gostead.cli.building import host_report
from gostead.cli.errors import CommandError
from gostead.cli.output import write_report
from gostead.cli.planning import exit_code, fill, need_terminal, open_session
from gostead.cli.runs import Clock, new_report, run_id
from gostead.cli.session import Look, Session
from gostead.cli.startup import collect
from gostead.cli.summary import summary
from gostead.operations import context
from gostead.report.model import ChangeRow, RunReport


def apply_hosts(command: str, **given: Any) -> int:
    """Exit 0 converged, 1 a host failed or nobody agreed."""
    clock, run = Clock(), run_id()
    report = new_report(command, run, given["declaration"])
    with open_session(run, given, remove=command == "remove") as session:
        looks = session.look(given.get("subjects", ()))
        fill(report, looks, clock)
        if given.get("saved"):
            _must_match(given["saved"], report)
        deep = bool(given.get("deep"))
        pending = [
            look
            for look in looks
            if look.error is None and (look.changes or look.news or (deep and look.untried))
        ]
        asked = [look for look in pending if look.changes or look.untried]
        if asked and not given["yes"]:
            _ask(report, asked, given["json_to"], session)
        if pending:
            _carry_out(session, report, pending, given)
        if command == "remove":
            _forget_downloads(report)
        report.seconds = clock.seconds()
        write_report(report, given["json_to"], session.secrets)
        if given["json_to"] != "-":
            for line in summary(command, looks):
                click.echo(line)
    return exit_code(report, pending=1)


def _ask(report: RunReport, pending: Sequence[Look], json_to: str | None, session: Session) -> None:
    if sys.stdin.isatty() and json_to != "-":
        write_report(report, None, session.secrets)
    changes = sum(len(look.changes) for look in pending)
    hosts = "this host" if len(pending) == 1 else f"{len(pending)} hosts"
    need_terminal(f"Make {changes} change{'s' if changes != 1 else ''} on {hosts}?")


def _carry_out(
    session: Session, report: RunReport, pending: Sequence[Look], given: dict[str, Any]
) -> None:
    # Late: a run that has nothing to do needs none of it.
    collect()
    from gostead.cli.converging import converge_all, outcomes
    from gostead.cli.progress import shown

    with shown(given["json_to"] != "-"):
        not_started = converge_all(
            session, pending, given.get("canary") or 0, given.get("max_fail")
        )
    for look in pending:
        name, known = look.host.name, context.record(look.host)
        if name in not_started:
            report.hosts[name] = host_report(look)
            report.hosts[name].error = not_started[name]
            continue
        look.error = known.error
        if not known.error:
            look.findings = known.findings
        report.hosts[name] = host_report(look, outcomes(look))
        if report.hosts[name].status == "failed":
            look.error = look.error or report.hosts[name].error
        if look.host in session.state.failed_hosts and report.hosts[name].status != "failed":
            report.hosts[name].status = "failed"
            report.hosts[name].error = report.hosts[name].error or "an operation failed"


def _forget_downloads(report: RunReport) -> None:
    """Where this machine was the host, what it fetched as its own controller goes too."""
    host = report.hosts.get("@local")
    if len(report.hosts) != 1 or host is None or host.status not in ("clean", "changed"):
        return
    from gostead.sources.cache import default_cache

    cache = default_cache(os.environ)
    if cache.is_dir() and not cache.is_symlink() and cache.stat().st_uid == os.getuid():
        shutil.rmtree(cache, ignore_errors=True)
        # A place where another filesystem is mounted stays, empty.
        left = cache.is_dir() and any(cache.iterdir())
        host.error = f"{cache} cannot be removed" if left else None
        host.status = "failed" if left else "changed"
        host.changes.append(
            ChangeRow("removal", str(cache), None, "downloads", "absent", "state is absent",
                      "gostead remove", "failed" if left else "changed", host.error)
        )  # fmt: skip


def _must_match(path: str, report: RunReport) -> None:
    """Raises CommandError unless the saved plan is what would be done now."""
    try:
        saved = json.loads(Path(path).read_text())
        wanted = _planned(saved["hosts"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CommandError(f"{path} is no saved plan: {error}", "gostead plan --out FILE") from None
    now = _planned(report.data()["hosts"])
    if wanted != now:
        more, less = len(now - wanted), len(wanted - now)
        raise CommandError(
            f"the hosts are not as they were when {path} was made: {more} changes are new, {less} "
            "are no longer needed; nothing was changed",
            "gostead plan --out FILE, look at it, and apply that",
        )


def _planned(hosts: dict[str, Any]) -> set[tuple[str, ...]]:
    return {
        (name, *(str(change[key]) for key in ("subject", "item", "user", "from", "to")))
        for name, host in hosts.items()
        for change in host["changes"]
    }
