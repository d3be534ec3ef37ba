"""The C compiler that cgo needs: there, of the right libc, and seen to make a program that runs.

On macOS Apple's developer tools bring it, which the subject xcode sees to: here it is tried out.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Generator, Iterator
from typing import Any

from pyinfra.api.operation import operation

from gostead.declaration import GoSetup
from gostead.facts.cgo import CgoState, Compiler
from gostead.facts.host_state import HostState
from gostead.operations.change import Change, Finding, Plan, Script
from gostead.operations.converge import converge
from gostead.operations.guard import check_host

SUBJECT = "cgo"


def plan(declared: GoSetup, state: HostState) -> Plan:
    """What the subject would change. Raises PlanError where this host cannot be converged."""
    check_host(declared, state)
    wanted = declared.state == "present" and declared.cgo.required
    if wanted and state.system.name == "darwin":
        return Plan.of(_by_apples_tools(declared, state))
    if not wanted or not state.cgo.compilers:
        return Plan()
    compiler, plus = state.cgo.compilers[0], state.cgo.compilers[1]
    needs_plus = declared.compilers()[1] != "g++"
    wrong = list(_wrong(state.cgo, compiler, plus if needs_plus else None))
    packages = list(dict.fromkeys(name for _, names in wrong for name in names))
    findings, changes = [], []
    can_install = state.cgo.manager == "apt" and state.system.uid == 0
    if wrong and packages and declared.cgo.install and can_install:
        changes.append(Change(
            SUBJECT, " ".join(packages), "; ".join(what for what, _ in wrong), "installed",
            "cgo is required", "cgo.install",
            Script("change/packages", {"root": state.system.root, "packages": packages}),
            leads_on=True,
        ))  # fmt: skip
    elif wrong:
        for what, names in wrong:
            mend = f"install {' '.join(names)}" if names else "declare cgo.compiler, or mend it"
            if names and can_install:
                mend += ", or declare `cgo: {install: true}`"
            findings.append(Finding(SUBJECT, compiler.words, "error", what, mend))
        return Plan((), tuple(findings))
    version = f"go{declared.toolchains.default}"
    fingerprint = state.cgo.fingerprint(version)
    if wrong or state.cgo.proof != fingerprint:
        plus_words = declared.compilers()[1] if needs_plus else ""
        changes.append(
            _trial(
                declared, state, compiler.words, fingerprint, declared.compilers()[0], plus_words
            )
        )
    return Plan(tuple(changes), tuple(findings))


def _trial(
    declared: GoSetup, state: HostState, what: str, fingerprint: str, cc: str, cxx: str
) -> Change:
    version = f"go{declared.toolchains.default}"
    values = {
        "root": state.system.root, "version": version, "fingerprint": fingerprint,
        "cc": cc, "cxx": cxx, "apple": state.system.name == "darwin",
    }  # fmt: skip
    return Change(
        SUBJECT, "a cgo program", "not tried with these" if state.cgo.proof else "not tried",
        "links and runs", f"cgo is required; {what} and {version}",
        "cgo.required", Script("change/cgo", values),
    )  # fmt: skip


def _by_apples_tools(declared: GoSetup, state: HostState) -> Iterator[Change | Finding]:
    """The same with what xcode-select names. Without it nothing is started: clang would open a
    dialogue."""
    tools = state.xcode
    if not tools.usable and declared.xcode.command_line_tools in (None, "absent"):
        what = f"no developer tools can be used ({tools.selected or 'none are selected'})"
        yield Finding(SUBJECT, "a cgo program", "error", f"cgo is required, and {what}: not tried",
                      "declare xcode.command_line_tools: present, or select Xcode")  # fmt: skip
        return
    compilers = [declared.settings(0).get(name, (None, ""))[0] for name in ("CC", "CXX")]
    cc, cxx = (one if isinstance(one, str) else "" for one in compilers)
    told = f"{declared.toolchains.default} {cc} {cxx} {tools.identity}"
    fingerprint = hashlib.sha256(told.encode("utf-8", "surrogateescape")).hexdigest()
    if not tools.usable or state.cgo.proof != fingerprint:
        yield _trial(declared, state, cc or "clang", fingerprint, cc, cxx)


def _wrong(
    state: CgoState, compiler: Compiler, plus: Compiler | None
) -> Iterator[tuple[str, list[str]]]:
    """What keeps cgo from working, and the packages that mend it (none: no package does)."""
    name = compiler.words.split()[0]
    if not compiler.path:
        yield f"there is no C compiler {name} on the system's PATH", [_package(name), "libc6-dev"]
    elif "-musl" in compiler.machine and state.libc == "glibc":
        yield (f"{name} makes programs for musl ({compiler.machine}), this host has glibc: they do "
               "not find their libc here", [])  # fmt: skip
    elif compiler.machine.endswith("-gnu") and state.libc == "musl":
        yield (f"{name} makes programs for glibc ({compiler.machine}), this host has musl: they do "
               "not find their libc here", [])  # fmt: skip
    elif not compiler.headers or not compiler.links:
        lacks = "headers" if not compiler.headers else "start-up code (crt1.o)"
        yield f"{name} is there, but not the C library's {lacks}", ["libc6-dev"]
    if plus is None:
        return
    other = plus.words.split()[0]
    if not plus.path:
        yield f"there is no C++ compiler {other} on the system's PATH", [_package(other)]
    elif compiler.path and (compiler.machine, compiler.version) != (plus.machine, plus.version):
        yield (f"{name} is {compiler.version} for {compiler.machine}, {other} is {plus.version} "
               f"for {plus.machine}: what they make does not go together", [])  # fmt: skip


def _package(command: str) -> str:
    """Debian's package of a compiler: the command's own name; clang++ is in clang."""
    name = command.rpartition("/")[2]
    return re.sub(r"^clang\+\+", "clang", name) if re.match(r"(gcc|g\+\+|clang)", name) else "gcc"


@operation()
def cgo(directory: str | None = None) -> Generator[Any, None, None]:
    """
    Sees to a C compiler that links a cgo program which runs, where one is required.

    + directory: where the declaration's YAML files are; default ``group_data``
    """
    yield from converge(SUBJECT, plan, directory)
