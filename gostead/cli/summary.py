"""The last lines of a run on one host: what a new shell gets, why to believe it, how to undo."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence

from gostead import transport
from gostead.cli.session import Look
from gostead.declaration import MissingPin, pin_for
from gostead.operations import context
from gostead.report.text import safe
from gostead.transport import TransportError

# As a login begins: nothing of this shell's own environment.
ASK = 'env -i HOME="$HOME" PATH=/usr/bin:/bin sh -lc "command -v go; go version" </dev/null'


def summary(command: str, looks: Sequence[Look]) -> Iterator[str]:
    """Nothing for a fleet: its lines are the hosts'. One host: where its Go stands now."""
    failed = [look for look in looks if look.error]
    if len(looks) != 1 or failed:
        if failed:
            yield f"{len(failed)} of {len(looks)} hosts failed; the rest is as said above"
        return
    (look,) = looks
    if command == "remove":
        yield "gostead has left nothing on this host but what is said above"
        return
    if look.changes:
        look.setup, look.state = context.current(look.host)
    if look.state is None or look.setup is None or look.setup.state == "absent":
        return
    active = look.state.toolchains.active()
    tree = look.state.toolchains.trees.get(active)
    if tree is None:
        return
    answer = _ask(look) if look.changes else []
    if answer:
        yield f"a new login shell gets: {answer[-1]} ({answer[0]})"
    else:
        yield f"active: {active} ({look.state.system.root}/current)"
    yield f"it came from: {safe(tree.origin)}"
    try:
        pin = pin_for(look.setup, active.removeprefix("go"), look.state.system.platform)
        yield f"verified: every file hashed on the host is {pin.h1} ({safe(pin.source)})"
    except MissingPin:
        pass
    where = "" if look.host.name == "@local" else f" {safe(look.host.name)}"
    ours = "gostead" if shutil.which("gostead") else ".venv/bin/gostead"
    yield f"to undo all of it: {ours} remove{where}"


def _ask(look: Look) -> list[str]:
    try:
        answer = transport.run(look.host, ASK, timeout=10)
    except TransportError:
        return []
    lines = [safe(line) for line in answer.stdout.decode("utf-8", "replace").splitlines() if line]
    return lines if answer.code == 0 and len(lines) >= 2 else []
