"""gostead audit --project: whether the declared toolchains have what a Go project asks for."""

from __future__ import annotations

import functools
import os
import platform
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from pydantic import SecretStr

from gostead.cli.errors import CommandError
from gostead.cli.output import environment_secrets, write_json
from gostead.cli.planning import open_session
from gostead.cli.runs import Clock, new_report, run_id
from gostead.declaration import GoSetup, shipped_pins
from gostead.declaration.grammar import Refusal
from gostead.declaration.project import (
    GoFile,
    Project,
    ProjectError,
    find,
    is_language,
    order,
    outcome,
    version_of,
)
from gostead.declaration.versions import check_version
from gostead.operations import context
from gostead.report.model import FindingRow, HostReport, redacted
from gostead.report.text import safe

if TYPE_CHECKING:
    from pyinfra.api.host import Host

SUBJECT = "project"
_LOCAL = "env: {GOTOOLCHAIN: local}"


@dataclass(frozen=True)
class Offer:
    """What a declaration has for projects: `setting` is GOTOOLCHAIN, auto where none is declared,
    as in every release; `known` are the releases with a pin."""

    default: str
    versions: tuple[str, ...] = ()
    setting: str = "auto"
    known: tuple[str, ...] = ()
    profiles: str = "/opt/gostead/profiles"
    workspace: bool = True
    present: bool = True

    def title(self) -> str:
        """In a few words."""
        if not self.present:
            return "declared absent"
        beside = f", beside it {', '.join(f'go{v}' for v in self.versions)}" * bool(self.versions)
        return f"default go{self.default}{beside}, GOTOOLCHAIN={self.setting}"


def audit_project(directory: str, **given: Any) -> int:
    """Exit 0 each module satisfied on each host, 2 one is not. Raises CommandError, exit code 1,
    where the project or a declaration cannot be read. Connects to no host."""
    if given.get("deep") or given.get("build"):
        raise CommandError("--project asks no host: --deep and --build mean nothing beside it")
    clock, run = Clock(), run_id()
    read = functools.cache(find)
    try:
        session = open_session(run, given)
        secrets = {*session.secrets, *environment_secrets()}
        offers: dict[Offer, list[str]] = {}
        report = new_report("audit", run, given["declaration"])
        for host in session.hosts:
            report.hosts[host.name] = HostReport()
            for name, setup in _setups(host):
                offer = _offer(setup, secrets)
                offers.setdefault(offer, []).append(name)
                project = read(directory, offer.workspace)
                report.hosts[host.name].findings += judge(project, offer)
    except ProjectError as error:
        raise CommandError(str(error), "") from None
    except OSError as error:
        raise CommandError(f"{directory}: {error.strerror}") from None
    for part in report.hosts.values():
        if any(row.severity != "note" for row in part.findings):
            part.status = "pending"
    report.seconds = clock.seconds()
    if given["json_to"] is not None:
        write_json(redacted(report.data(), secrets), given["json_to"])
    if given["json_to"] != "-":
        for offer, names in offers.items():
            for line in _lines(read(directory, offer.workspace), offer, names, given["verbose"]):
                click.echo(safe(redacted(line, secrets)))
    return 2 if report.totals()["pending"] else 0


def judge(project: Project, offer: Offer) -> list[FindingRow]:
    """A row for go.work, where there is one, and for each module: a note where it is satisfied."""
    work, root = project.work, project.main.path.parent
    if not offer.present:
        what = "not satisfied: the declaration takes Go away"
        return [_row(project.main, root, what, "declare `state: present`", "error")]
    first = _judged(project.main, offer, root)
    if work is None:
        return [first]
    rows = [first]
    for module in project.modules:
        alone = _judged(replace(module, toolchain=None), offer, root)
        if not project.too_old_for(module):
            shown = first.what.partition(":")[0] + ", as go.work"
            rows.append(_row(module, root, shown, "", first.severity))
            continue
        lists = "lists" if work.go else "implicitly requires"
        what = (
            f"not satisfied: go: module {Path(alone.item).parent} listed in go.work file requires "
            f"go >= {module.go}, but go.work {lists} go {work.required}; to update it: go work use"
        )
        mend = f"write go {module.go} into {first.where}, or let `go work use` do it"
        mend += f"; then {alone.mend}" if alone.mend else ""
        rows.append(_row(module, root, what, mend, "error"))
    if project.stray:
        here = os.path.relpath(project.stray.parent, root)
        what = "not satisfied: go.work does not use it, and go refuses to work in it"
        mend = f"`go work use {here}` in {root}, or GOWORK=off"
        rows.append(_row(GoFile(project.stray), root, what, mend, "error"))
    return rows


def _judged(file: GoFile, offer: Offer, root: Path) -> FindingRow:
    own, now = f"go{offer.default}", outcome(offer.default, offer.setting, file)
    if now.serves:
        return _row(file, root, f"satisfied by the default, {own}")
    download = f"go would download {now.name}, which is not declared ({now.why})"
    why = now.error or download
    for version in sorted(offer.versions, key=order):
        if outcome(version, offer.setting, file).serves:
            mend = f"select it: PATH={offer.profiles}/go{version}/bin:$PATH; with {own}: {why}"
            return _row(file, root, f"satisfied by go{version} beside the default", mend)
    return _row(file, root, f"not satisfied: {why}", _mend(file, offer, root), "error")


def _mend(file: GoFile, offer: Offer, root: Path) -> str:
    """What to declare, or which line to change."""
    ways = []
    switches = offer.setting.endswith(("auto", "path"))
    wanted = version_of(file.toolchain or "") if switches else ""
    need = max(file.required, wanted, "1.21" if file.toolchain else "", key=order)
    if order(need) > order(offer.default):
        release = _release(need, offer.known)
        also = "" if outcome(release, offer.setting, file).serves else f" and `{_LOCAL}`"
        pin = "" if release in offer.known else " (with its pin: none is shipped)"
        ways.append(f'declare `toolchains: {{default: "{release}"}}`{also}{pin}')
    if outcome(offer.default, "local", file).serves:
        ways.append(f"declare `{_LOCAL}`: go{offer.default} serves then")
    elif order(file.required) > order(offer.default):
        where = _where(file, file.go_line, root)
        ways.append(f"change {where} to an older go, where the code allows it")
    elif file.toolchain:
        ways.append(f"take {_where(file, file.toolchain_line, root)} out")
    return ", or ".join(ways)


def _release(need: str, known: tuple[str, ...]) -> str:
    """The newest patch of the oldest minor that serves, of those with a pin; else `need`."""
    fit = sorted((v for v in known if order(v) >= order(need)), key=order)
    if fit:
        return [v for v in fit if order(v)[:2] == order(fit[0])[:2]][-1]
    try:
        return need + ".0" if is_language(need) else check_version(need)
    except Refusal:  # an alpha: its minor's first release has all of it
        return ".".join(re.findall("[0-9]+", need)[:2]) + ".0"


def _row(file: GoFile, root: Path, what: str, mend: str = "", severity: str = "note") -> FindingRow:
    item, where = os.path.relpath(file.path, root), _where(file, file.go_line, root)
    return FindingRow(SUBJECT, item, None, severity, what, where, mend)


def _where(file: GoFile, line: int, root: Path) -> str:
    return os.path.relpath(file.path, root) + (f":{line}" if line else "")


def _setups(host: Host) -> Iterator[tuple[str, GoSetup]]:
    """Both systems' declarations where they differ: which of them this host has, only it knows."""
    known = context.declared(host)
    both = {"linux": known.linux, "darwin": known.darwin}
    here = platform.system().lower()
    if host.name == "@local" and here in both:
        both = {here: both[here]}
    if len({_offer(setup, set()) for setup in both.values()}) == 1:
        yield host.name, next(iter(both.values()))
        return
    for system, setup in both.items():
        yield f"{host.name} (if it is {system})", setup


def _offer(setup: GoSetup, secrets: set[str]) -> Offer:
    env = getattr(setup, "env", {})
    values = {}
    for name in ("GOTOOLCHAIN", "GOWORK"):
        value = env.get(name)
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
            secrets.add(value)
        values[name] = value or ""
    root = "~/.local/share/gostead" if setup.scope == "user" else "/opt/gostead"
    tools = setup.toolchains
    return Offer(
        tools.default, tuple(v for v in tools.all_versions if v != tools.default),
        values["GOTOOLCHAIN"] or "auto", tuple(sorted({*shipped_pins(), *tools.pins}, key=order)),
        f"{root}/profiles", values["GOWORK"] != "off", setup.state == "present",
    )  # fmt: skip


def _lines(project: Project, offer: Offer, names: list[str], verbose: bool) -> Iterator[str]:
    more = f" and {len(names) - 3} more" if len(names) > 4 and not verbose else ""
    yield f"{', '.join(names[:3] if more else names)}{more}: {offer.title()}"
    yield f"  {project.main.path}"
    asks = {file.path: file for file in (*project.modules, project.main)}
    for row in judge(project, offer):
        file = asks.get(Path(os.path.normpath(project.main.path.parent / row.item)))
        yield f"  {'+' if row.severity == 'note' else '!'} {row.where}{_asks(file)}: {row.what}"
        if row.mend:
            yield f"      {row.mend}"


def _asks(file: GoFile | None) -> str:
    if file is None:
        return ""
    go = f"go {file.go}" if file.go else f"no go line, which means go {file.required}"
    toolchain = f", toolchain {file.toolchain}" if file.toolchain else ""
    return f" ({file.module + ', ' if file.module else ''}{go}{toolchain})"
