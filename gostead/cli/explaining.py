"""gostead explain: which go runs in each way of starting a shell, and which line put it there."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from gostead import trace, transport
from gostead.armour import CannotRead
from gostead.cli.output import write_report
from gostead.cli.planning import open_session
from gostead.cli.runs import Clock, new_report, run_id
from gostead.cli.session import Look
from gostead.operations import context
from gostead.report.matrix import matrix_lines
from gostead.report.model import FindingRow, HostReport
from gostead.report.text import safe

LIMIT = 5.0


def explain_hosts(user: Sequence[str], **given: Any) -> int:
    """Exit 0 all as declared, 2 findings, 1 a host could not be asked."""
    clock, run = Clock(), run_id()
    report = new_report("explain", run, given["declaration"])
    with open_session(run, given) as session:
        looks = session.connect()
        for look in looks:
            report.hosts[look.host.name] = HostReport(
                "clean" if look.reachable else "unreachable", look.seconds, error=look.error
            )

        def task(look: Look) -> None:
            _explain(look, report.hosts[look.host.name], tuple(user))

        session.each(looks, task)
        for look in looks:
            host = report.hosts[look.host.name]
            host.seconds = look.seconds
            if look.error and look.reachable:
                host.status, host.error = "failed", look.error
        report.seconds = clock.seconds()
        write_report(report, given["json_to"], session.secrets)
        if given["json_to"] != "-":
            for name in sorted(report.hosts):
                for line in _lines(report.hosts[name], given["verbose"]):
                    click.echo(line)
    totals = report.totals()
    if totals["failed"] or totals["unreachable"]:
        return 1
    return 2 if totals["pending"] else 0


def _explain(look: Look, report: HostReport, users: tuple[str, ...]) -> None:
    host = look.host
    setup, state = context.current(host)
    directory = f"{state.system.root}/current/bin"

    def run(script: str) -> bytes:
        answer = transport.run(host, script, max_output=32 * 1024 * 1024)
        if answer.code:
            raise CannotRead(transport.printable(answer.stderr)[-300:] or "the script failed")
        return answer.stdout

    try:
        people, installed = trace.people(run, users or setup.users)
    except trace.TraceError as error:
        raise CannotRead(str(error)) from None
    shells = [s for s in setup.shells.wanted(installed) if s in installed]
    cells = trace.survey(run, people, directory, shells=shells, limit=LIMIT)
    chains = trace.chains(run, cells, people, directory, limit=LIMIT)
    judged = trace.verdicts(
        cells, chains, directory, cron=setup.shells.cron,
        links=state.system.scope == "system" and setup.toolchains.links != "off",
    )  # fmt: skip
    report.matrix = [trace.plain(v.cell) | {"verdict": v.colour} for v in judged]
    report.findings = [
        FindingRow("shells", trace.ways(spoilt), verdict.cell.user, verdict.severity, verdict.what,
                   verdict.where, verdict.mend)
        for verdict, spoilt in trace.grouped(judged)
    ]  # fmt: skip
    declared = {person.name: setup.digests(person.uid) for person in people}
    report.findings += [
        FindingRow("go_env", one.name, one.user, "warning", f"exported as {one.shown} "
                   f"({trace.ways(one.cells)}): a variable comes before the settings file",
                   one.where, "take the line out")
        for one in trace.overruled(cells, chains, declared)
    ]  # fmt: skip
    asked_of = trace.settings(run, people, f"{directory}/go")
    for asked in asked_of:
        cgo = asked.known.get("CGO_ENABLED")
        if cgo and cgo.value == "0" and cgo.origin == "built in":
            report.findings.append(
                FindingRow("cgo", "CGO_ENABLED", asked.user, "note", "is 0, and nobody said so: Go "
                           "finds no C compiler. Packages that use cgo are left out without a word",
                           "", "install one (`cgo: {required: true}`), or declare CGO_ENABLED: 0")
            )  # fmt: skip
    others = trace.installations(run, people)
    if setup.xcode.rosetta == "native":
        report.findings += _foreign_architecture(state.system.platform, others)
    if state.system.name == "darwin" and not setup.shells.gui:
        report.findings.append(_at_the_screen(directory))
    report.explained = {
        "directory": directory,
        "settings": [
            row
            for asked in asked_of
            for row in _settings(asked, cells, chains)
        ],
        "chains": [
            {"user": key[0], "shell": key[1], "mode": key[2],
             "lines": [{"where": f"{cause.file}:{cause.line}", "text": cause.text,
                        "sets": cause.what, "value": cause.value} for cause in chain]}
            for key, chain in chains.items() if chain
        ],
        "installations": [
            dataclasses.asdict(found)
            | {"shadows": sorted({f"{c.user}: {trace.ways([c])}" for c in cells
                                  if c.resolved.startswith(f"{found.path}/")})}
            for found in others
        ],
    }  # fmt: skip
    if any(row.severity != "note" for row in report.findings):
        report.status = "pending"


def _at_the_screen(directory: str) -> FindingRow:
    """Here alone, where somebody asks: a Mac on which all is well is not talked about."""
    path = f"{directory}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
    return FindingRow(
        "shells", "programs at the screen", None, "note", "what is started from the Dock or Finder "
        "reads no start-up file and has launchd's PATH, without the declared Go", "",
        "declare `shells: {gui: true}`; or, for everybody and from the next restart of the Mac on, "
        f"sudo launchctl config user path {path}, which `gostead remove` does not know of",
    )  # fmt: skip


def _foreign_architecture(
    platform: str, others: Sequence[trace.Installation]
) -> Iterator[FindingRow]:
    """Apple silicon runs what was made for Intel, slower, and such a Go builds for Intel."""
    for found in others:
        if platform == "darwin-arm64" and found.platform == "darwin_amd64":
            yield FindingRow(
                "toolchains", found.path, found.user or None, "warning", f"{found.version} for "
                "Intel (darwin/amd64) on Apple silicon: it runs under Rosetta, and what it builds "
                "is for Intel", "", "remove it, or install the one for arm64",
            )  # fmt: skip


def _settings(
    asked: trace.Settings, cells: Sequence[trace.Cell],
    chains: Mapping[tuple[str, str, str], tuple[trace.Cause, ...]],
) -> Iterator[dict[str, str]]:  # fmt: skip
    """Every setting of a user, its value without credentials, and who set it; a variable of a shell
    once more, with the shells that export it."""
    if asked.error:
        yield {"user": asked.user, "name": "go env", "value": asked.error, "by": "", "where": ""}
        return
    for name, setting in asked.known.items():
        where = {"settings file": asked.file, "go.env": "the toolchain's go.env"}
        yield {"user": asked.user, "name": name, "value": trace.redacted(setting.value),
               "by": setting.origin, "where": where.get(setting.origin, "")}  # fmt: skip
    exported: dict[tuple[str, str, str], list[trace.Cell]] = {}
    for cell in cells:
        for variable in cell.variables:
            if cell.user == asked.user and variable.name in asked.known:
                chain = chains.get((cell.user, cell.shell, cell.mode), ())
                line = trace.variable_line(chain, variable.name)
                at = f"{line.file}:{line.line}" if line else ""
                exported.setdefault((variable.name, variable.shown, at), []).append(cell)
    for (name, value, at), where_ in exported.items():
        yield {"user": asked.user, "name": name, "value": value,
               "by": f"variable in {trace.ways(where_)}", "where": at}  # fmt: skip


def _lines(host: HostReport, verbose: bool) -> Iterator[str]:
    if not host.matrix:
        return
    yield from matrix_lines(host.matrix)
    cells = {(cell["user"], cell["shell"], cell["mode"]): cell for cell in host.matrix}
    met: dict[tuple[str, ...], list[str]] = {}
    for chain in host.explained.get("chains", []):
        user, shell, mode = chain["user"], chain["shell"], chain["mode"]
        cell = cells[user, shell, mode]
        if cell["verdict"] == "good" and not verbose and mode not in ("both", "ssh-command"):
            continue
        asked = cell["status"] == "asked"
        found = safe(cell["go"]) or "no go" if asked else f"no answer: {safe(cell['why'])}"
        shown = (found, *(text for line in chain["lines"] for text in _line(line, asked)))
        met.setdefault((user, shell, *shown), []).append(mode)
    for (user, shell, found, *texts), modes in met.items():
        yield f"{safe(user)}, {shell} {', '.join(modes)}: {found}"
        yield from texts
    for row in host.explained.get("settings", []):
        if row["by"] != "built in" or verbose:
            where = f", {safe(row['where'])}" if row["where"] else ""
            by = f"  [{safe(row['by'])}{where}]"
            yield f"{safe(row['user'])}: {safe(row['name'])}={safe(row['value'])}{by}"
    for found in host.explained.get("installations", []):
        owner = f" (of {safe(found['user'])})" if found["user"] else ""
        where = safe(", ".join(found["shadows"]))
        answers = f"; it answers in {where}" if where else ""
        by = f" [{safe(found['by'])}]" if found["by"] else ""
        yield f"other Go: {safe(found['path'])}{owner}: {safe(found['version'])}{by}{answers}"


def _line(line: Mapping[str, str], asked: bool) -> Iterator[str]:
    """A line of a start-up file, and what it did; the last one only where nothing came after."""
    if line["sets"] == "end":
        if not asked:
            where = "?" if line["where"].endswith(":0") else safe(line["where"])
            yield f"    {where}: {safe(line['text'] or line['value'])}"
            yield "        the last command that was begun"
        return
    path = line["sets"] == "path"
    value = line["value"].split(":")[0] if path else line["value"]
    yield f"    {safe(line['where'])}: {safe(line['text'])}"
    name = line["sets"].upper()
    yield f"        {'PATH begins with' if path else f'{name} is'} {safe(value) or 'nothing'}"
