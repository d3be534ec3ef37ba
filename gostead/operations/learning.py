"""Part of the subject shells: what running the users' shells taught, kept on the host.

Shells are run after a start-up file was changed (and with --deep), never to plan. A trace is text,
a line per fact, its first line a fingerprint of the start-up files that it was made of:

    1 <sha256 of the start-up files>
    last<TAB>/home/ann/.bashrc            only a block at this file's end wins
    goroot<TAB>FILE<TAB>LINE<TAB><sha256 of the line>
    path<TAB>FILE                         a file to look at from now on
    beaten<TAB>SHELL<TAB>MODES<TAB>FILE:LINE<TAB>the line
    variable<TAB>NAME<TAB>FILE:LINE<TAB><sha256 of its value>
    config<TAB>/home/ann/.cfg      an exported XDG_CONFIG_HOME
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gostead import trace, transport
from gostead.armour import CannotRead
from gostead.declaration import GoSetup
from gostead.facts.host_state import HostState
from gostead.facts.people import Home
from gostead.operations.context import options
from gostead.templates import host_script
from gostead.trace import Cause, Cell, Person

if TYPE_CHECKING:
    from pyinfra.api.host import Host

MODES = ("login", "interactive", "both", "plain", "ssh-command")
LIMIT = 10.0


@dataclass(frozen=True)
class Learned:
    """A trace, read: the fields of its lines by their first word."""

    fingerprint: str = ""
    lines: tuple[tuple[str, ...], ...] = ()

    def of(self, kind: str) -> Iterator[tuple[str, ...]]:
        """The fields of the lines of one kind."""
        return (line[1:] for line in self.lines if line[0] == kind)


def parse(text: str) -> Learned:
    """The trace of a home; nothing learned where there is none or it is of another format."""
    first, _, rest = text.partition("\n")
    version, _, fingerprint = first.partition(" ")
    if version != "1":
        return Learned()
    return Learned(fingerprint, tuple(tuple(x.split("\t")) for x in rest.split("\n") if x))


def fingerprint(state: HostState, home: Home) -> str:
    """A sha256 over all start-up files that a user's shells may read, as far as we look at them."""
    total = hashlib.sha256()
    for entries in (state.shells.entries, home.entries):
        for path in sorted(entries):
            entry = entries[path]
            if entry.kind == "file":
                content = hashlib.sha256(entry.content or b"").hexdigest()
                total.update(f"{path}\0{content}\n".encode("utf-8", "surrogateescape"))
    return total.hexdigest()


def stale(state: HostState, home: Home) -> bool:
    """Whether start-up files changed since the home's shells were run; false if they never were."""
    known = parse(home.trace).fingerprint
    return bool(known) and known != fingerprint(state, home)


def learn(host: Host, declared: GoSetup, state: HostState) -> bool:
    """Runs the shells of the declared users and keeps what they taught on the host; false where
    that is nothing but that all is well. Raises CannotRead, transport.TransportError."""
    homes = [home for home in state.shells.homes if home.declared and not home.error]
    if not homes:
        return False
    people = [Person(h.name, h.uid, h.gid, h.home, h.shell) for h in homes]
    directory = f"{state.system.root}/current/bin"
    kinds = declared.shells.wanted(state.shells.installed)
    shells = [kind for kind in kinds if kind == "sh" or kind in state.shells.installed]

    def run(script: str) -> bytes:
        answer = transport.run(host, script, max_output=32 * 1024 * 1024)
        if answer.code:
            said = transport.printable(answer.stderr)[-300:]
            raise CannotRead(f"the shells could not be run: {said}")
        return answer.stdout

    cells = trace.survey(run, people, directory, shells=shells, modes=MODES, limit=LIMIT)
    wrong = [c for c in cells if beaten(c, directory) or foreign_goroot(c) or c.variables]
    chains = trace.chains(run, wrong, people, directory, limit=LIMIT) if wrong else {}
    parts = []
    for home in homes:
        mine = [cell for cell in wrong if cell.user == home.name]
        text = _text(state, home, mine, dict(chains), directory)
        parts.append((home.name, text.encode("utf-8", "surrogateescape")))
    _keep(host, state, parts)
    return any(text.count(b"\n") > 1 for _, text in parts) or any(
        len(parse(home.trace).lines) for home in homes
    )


def beaten(cell: Cell, directory: str) -> bool:
    """Whether another go, or none, answers where a start-up file was read."""
    reads = cell.shell in ("zsh", "fish") or (
        cell.mode in ("login", "both")
        or (cell.shell == "bash" and cell.mode in ("interactive", "ssh-command"))
        or (cell.shell == "mksh" and cell.mode == "interactive")
    )
    return cell.status == "asked" and reads and cell.go != f"{directory}/go"


def foreign_goroot(cell: Cell) -> bool:
    """Whether a GOROOT is exported: never by us."""
    return cell.status == "asked" and bool(cell.goroot)


def _text(
    state: HostState, home: Home, cells: list[Cell],
    chains: dict[tuple[str, str, str], tuple[Cause, ...]], directory: str,
) -> str:  # fmt: skip
    lines: dict[str, None] = {}
    for cell in cells:
        chain = chains.get((cell.user, cell.shell, cell.mode), ())
        if foreign_goroot(cell):
            found = trace.goroot_line(chain)
            if found and found.line and "\t" not in found.file:
                mark = hashlib.sha256(found.text.encode("utf-8", "replace")).hexdigest()
                lines[f"goroot\t{found.file}\t{found.line}\t{mark}"] = None
                if found.file.startswith(f"{home.home}/"):
                    lines[f"path\t{found.file}"] = None
        for variable in cell.variables:
            line = trace.variable_line(chain, variable.name)
            where = f"{line.file}:{line.line}" if line else ""
            if variable.name == "XDG_CONFIG_HOME":
                if variable.shown.startswith("/") and "\t" not in variable.shown:
                    lines[f"config\t{variable.shown}"] = None
            elif "\t" not in where:
                lines[f"variable\t{variable.name}\t{where}\t{variable.digest}"] = None
        if beaten(cell, directory):
            last = last_file(home, cell)
            if last and "\t" not in last:
                lines[f"last\t{last}"] = None
            cause = trace.culprit(chain, directory)
            where = f"{cause.file}:{cause.line}" if cause else ""
            text = cause.text if cause else ""
            if "\t" not in where + text:
                lines[f"beaten\t{cell.shell}\t{cell.mode}\t{where}\t{text}"] = None
    # Blocks that already stand last because of an earlier trace stay asked for.
    for (path,) in parse(home.trace).of("last"):
        lines[f"last\t{path}"] = None
    return "\n".join([f"1 {fingerprint(state, home)}", *lines, ""])


def last_file(home: Home, cell: Cell) -> str:
    """The user's start-up file that is read last in this way of starting: a block at its end is
    the last word. Empty where there is none."""

    def there(*paths: str) -> str:
        found = (p for p in paths if home.entry(home.resolve(p)).kind == "file")
        return next(found, "")

    at, zsh = home.home, home.zdotdir
    if cell.shell == "fish":
        return there(f"{home.config}/fish/config.fish")
    if cell.shell == "zsh":
        order = {
            "login": (f"{zsh}/.zlogin", f"{zsh}/.zprofile"),
            "both": (f"{zsh}/.zlogin", f"{zsh}/.zshrc"),
            "interactive": (f"{zsh}/.zshrc",),
        }
        return there(*order.get(cell.mode, (f"{at}/.zshenv",)))
    login = (f"{at}/.bash_profile", f"{at}/.bash_login", f"{at}/.profile")
    if cell.shell == "bash":
        return there(*(login if cell.mode in ("login", "both") else (f"{at}/.bashrc",)))
    if cell.shell == "mksh" and cell.mode == "interactive":
        return there(f"{at}/.mkshrc")
    return there(f"{at}/.profile") if cell.mode in ("login", "both") else ""


def _keep(host: Host, state: HostState, parts: list[tuple[str, bytes]]) -> None:
    chosen = options(host)
    script = host_script(
        "change/trace", root=state.system.root, run=chosen.run, lock_wait=chosen.lock_wait,
        parts=[(name, len(text)) for name, text in parts],
    )  # fmt: skip
    stream = io.BytesIO(b"".join(text for _, text in parts))
    answer = transport.run(host, script, stream=stream)
    if answer.code:
        raise CannotRead(f"the trace was not kept: {transport.printable(answer.stderr)[-300:]}")
