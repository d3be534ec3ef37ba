"""The declared toolchains are there, are what was released, and are what answers."""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from gostead import trace
from gostead.audit import trees
from gostead.audit.asking import Place, ask, printable
from gostead.audit.findings import AuditFinding, NotAsDeclared
from gostead.declaration import GoSetup, pin_for
from gostead.declaration.go_env import text_of

SUBJECT = "toolchains"
APPLY = "gostead apply"
REBUILD = "gostead apply --deep"
RESOLVE = """
path=$(command -v go) || exit 3
hops=0
while [ -L "$path" ] && [ "$hops" -lt 16 ]; do
  target=$(readlink "$path")
  case $target in /*) ;; *) target=${path%/*}/$target ;; esac
  path=$target hops=$((hops + 1))
done
cd "${path%/*}" && printf '%s/%s' "$(pwd -P)" "${path##*/}"
"""


@pytest.fixture(autouse=True)
def _present(setup: GoSetup) -> None:
    if setup.state == "absent":
        pytest.skip("state is absent")


def refuse(item: str, what: str, mend: str = APPLY) -> NoReturn:
    """Ends a check with a finding."""
    raise NotAsDeclared(AuditFinding(SUBJECT, item, what, mend))


def go(host: Any, where: Place, version: str, *words: str) -> str:
    """What that version's go answers, with nobody's settings; without a home it writes nothing."""
    path = f"{where.root}/profiles/go{version}/bin/go"
    clean = "env -i PATH=/usr/bin:/bin GOENV=off GOTOOLCHAIN=local GOTELEMETRY=off"
    answer = ask(host, f"{clean} {shlex.quote(path)} {shlex.join(words)}")
    if answer.code:
        refuse(path, f"`go {' '.join(words)}` fails: {printable(answer.error or answer.out)}")
    return answer.out.strip()


def test_each_declared_version_says_that_it_is(host: Any, where: Place, setup: GoSetup) -> None:
    for version in setup.toolchains.all_versions:
        wanted = f"go version go{version} {where.platform.replace('-', '/')}"
        found = go(host, where, version, "version")
        if found != wanted:
            refuse(f"go{version}", f"says {printable(found)!r}, expected {wanted!r}", REBUILD)


def test_each_version_runs_from_its_own_tree(host: Any, where: Place, setup: GoSetup) -> None:
    for version in setup.toolchains.all_versions:
        wanted = f"{where.root}/toolchains/go{version}"
        found = go(host, where, version, "env", "GOROOT")
        if ask(host, 'cd "$1" && pwd -P', found).out.strip() != wanted:
            refuse(wanted, f"its GOROOT is {printable(found)}")


def test_the_declared_default_is_active(
    host: Any, where: Place, setup: GoSetup, note: Callable[[AuditFinding], None]
) -> None:
    link, wanted = f"{where.root}/current", f"profiles/go{setup.toolchains.default}"
    found = ask(host, 'readlink "$1"', link).out.strip()
    if found == wanted:
        return
    held = ask(host, 'head -n 2 "$1"', f"{where.root}/state/hold").out.split("\n")
    if held[0] and found == f"profiles/go{held[0]}":
        what = f"held at go{held[0]} by {held[1]}"
        note(AuditFinding(SUBJECT, link, printable(what), "gostead release", "note"))
        return
    refuse(link, f"leads to {printable(found) or 'nothing'}, expected {wanted}")


def test_nobody_else_can_exchange_what_runs(host: Any, where: Place) -> None:
    script = 'find "$1" ! -type l \\( ! -user "$2" -o -perm -020 -o -perm -002 \\) | head -n 5'
    found = ask(host, script, where.root, str(where.uid))
    if found.code or found.out:
        refuse(where.root, f"others own or can write: {printable(found.out or found.error)}")


def test_commands_are_the_released_bytes(host: Any, where: Place, setup: GoSetup) -> None:
    """A shim that prints the right version is no toolchain. The list of a tree's files is its own
    proof: its sha256 is the pin."""
    for version in setup.toolchains.all_versions:
        listed = trees.manifest(host, where, setup, version)
        if listed is None:
            refuse(f"go{version}", "the list of its files is missing or is not the release's")
        commands = {n: d for n, d in listed.items() if n.startswith(("bin/", "pkg/tool/"))}
        found = trees.digests(host, f"{where.root}/toolchains/go{version}", "bin", "pkg/tool")
        wrong = trees.differences(commands, found)
        if wrong:
            refuse(f"go{version}", f"not what was released: {printable(', '.join(wrong))}", REBUILD)


def test_what_sh_finds_is_the_declared_go(host: Any, where: Place, setup: GoSetup) -> None:
    """sh -c, systemd units and ssh commands: a PATH that no start-up file made."""
    if setup.toolchains.links == "off" or where.scope == "user":
        pytest.skip("nothing is declared for shells that read no file")
    answer = ask(host, "env -i PATH=/usr/local/bin:/usr/bin:/bin sh -c " + shlex.quote(RESOLVE))
    tree = f"{where.root}/toolchains/"
    if not answer.out.startswith(tree):
        found = printable(answer.out) or "no go at all"
        refuse(f"{where.bin}/go", f"sh -c finds {found}, expected one below {tree}")


def test_deep_each_tree_is_byte_for_byte_the_release(
    host: Any, where: Place, setup: GoSetup, request: pytest.FixtureRequest
) -> None:
    if not request.config.getoption("--gostead-deep"):
        pytest.skip("asked for with --deep")
    for version in setup.toolchains.all_versions:
        root, pin = f"{where.root}/toolchains/go{version}", pin_for(setup, version, where.platform)
        found = trees.digests(host, root, ".")
        prefix = f"golang.org/toolchain@v0.0.1-go{version}.{where.platform}/"
        lines = sorted((prefix + trees.module_name(n), d) for n, d in found.items())
        text = "".join(f"{digest}  {name}\n" for name, digest in lines)
        h1 = "h1:" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        if h1 != pin.h1:
            listed = trees.manifest(host, where, setup, version) or {}
            wrong = trees.differences(listed, found) if listed else [f"its h1 is {h1}"]
            refuse(root, f"not what was released: {printable(', '.join(wrong[:10]))}", REBUILD)
        odd = trees.oddities(host, root)
        if odd:
            refuse(root, f"entries that no release has: {printable(odd)}", REBUILD)


def test_build_with_each_toolchain(
    run: trace.Run, where: Place, setup: GoSetup, note: Callable[[AuditFinding], None],
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    if not request.config.getoption("--gostead-build"):
        pytest.skip("asked for with --build")
    lines = []
    env = dict(setup.env)
    if "GOPROXY" not in env and setup.toolchains.goproxy:
        env["GOPROXY"] = setup.toolchains.goproxy
    for name in ("GOPROXY", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOSUMDB", "GOINSECURE"):
        if text := text_of(env.get(name)):
            lines.append(f"{name}={text}")
    wrong = []
    for version in setup.toolchains.all_versions:
        go = f"{where.root}/profiles/go{version}/bin/go"
        for step in trace.build_steps(run, go, version, lines):
            if not step.good:
                mend = "look at what it says; then gostead apply --deep"
                what = f"{step.name}: {step.said}"
                wrong.append(AuditFinding(SUBJECT, f"go{version}", what, mend))
    for finding in wrong[1:]:
        note(finding)
    if wrong:
        raise NotAsDeclared(wrong[0])
