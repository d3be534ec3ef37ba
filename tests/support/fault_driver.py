"""Runs `gostead` with a fault built into the scripts that it sends to hosts.

usage: python -m tests.support.fault_driver FAULT gostead-arguments...     (FAULT: see `Fault`)

Nothing of gostead knows of this: the text of a script is changed on its way out.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from dataclasses import asdict, dataclass, field
from typing import Any, NoReturn

#: The line of lib/write.sh.j2 that tests take the place of.
CHECKPOINT = "checkpoint() { :; }"
#: How a shell begins and ends each of its commands: the steps of a script.
SYSCALLS = "clone,clone3,fork,vfork,wait4"


@dataclass(frozen=True)
class Fault:
    """What happens to the scripts of `template` (change/install; a part of the name; empty: all).

    `kill_at`: SIGKILL at that checkpoint. `kill_at_syscall`: SIGKILL as the shell enters its N-th
    system call. `inject`: what strace injects into all that the script runs. `first`: shell text
    that runs before the script; `at`: shell text run at each checkpoint, with its name as $1.
    `replace`: text for text, which must be there. `room`: the check for space while planning is
    passed. `probe`: shell text through which the answer of the probe goes (`head -c 100`).
    `seconds`: what a script may take where nobody says otherwise. `patience`: seconds that work of
    services is waited for before they are started again.
    """

    template: str = ""
    kill_at: str = ""
    kill_at_syscall: int = 0
    first: str = ""
    at: str = ""
    replace: dict[str, str] = field(default_factory=dict)
    room: bool = False
    probe: str = ""
    inject: str = ""
    seconds: float = 0
    patience: float | None = None

    def __str__(self) -> str:
        return json.dumps(asdict(self))

    def put_into(self, name: str, script: str) -> str:
        """The script called `name`, with the fault in it."""
        if self.template and self.template not in name:
            return script
        body = self.at or ":"
        if self.kill_at:
            # The process that is at work: $$ would be its parent, where it reads from a pipe.
            body += f"""; [ "$1" != {self.kill_at} ] || sh -c 'kill -9 "$PPID"'"""
        # The first is the script's own; what it writes on the host may have one, too.
        if CHECKPOINT not in script:
            raise AssertionError(f"there is no {CHECKPOINT!r} in the script")
        script = script.replace(CHECKPOINT, f"checkpoint() {{ {body}; }}", 1)
        for old, new in self.replace.items():
            script = _replaced(script, old, new)
        if self.first:
            script = f"{self.first}\n{script}"
        inject = self.inject and f"-f -e inject={self.inject}"
        if self.kill_at_syscall:
            inject = f"-e inject={SYSCALLS}:signal=KILL:when={self.kill_at_syscall}"
        if inject:
            script = f"exec strace -qq -o /dev/null {inject} sh -c {shlex.quote(script)}\n"
        return script


def _replaced(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        raise AssertionError(f"{old!r} is {text.count(old)} times in the script")
    return text.replace(old, new)


def install(fault: Fault) -> None:
    """Builds `fault` into this process."""
    from gostead.cli.startup import prepare

    prepare()  # before anything that gevent must patch is imported
    from gostead import transport
    from gostead.facts import host_state
    from gostead.operations import execute, trees

    known = execute.host_script  # type: ignore[attr-defined]

    def changed(name: str, /, **values: Any) -> str:
        return fault.put_into(name, known(name, **values))

    execute.host_script = changed  # type: ignore[attr-defined]
    if fault.room:
        trees.NEEDED_KIB = trees.NEEDED_INODES = 0
    if fault.patience is not None:
        execute.PATIENCE = fault.patience  # type: ignore[assignment]
    if fault.seconds:
        transport.DEFAULT_TIMEOUT = fault.seconds
    if fault.probe:

        def cut(name: str, /, **values: Any) -> str:
            return re.sub(r"\Z", f"\n}} | {fault.probe}\n", "{\n" + known(name, **values), count=1)

        host_state.host_script = cut  # type: ignore[attr-defined]


def main() -> NoReturn:
    """Runs gostead with the fault that the first argument describes."""
    fault = Fault(**json.loads(sys.argv.pop(1)))
    from gostead.cli import script

    install(fault)
    script()


if __name__ == "__main__":
    main()
