"""The lint of host scripts for macOS: no script offends, and it catches what it is there for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import gostead.audit
from gostead.templates import render
from tests.support import rendered
from tests.support.portability import ALLOWED, EVERYWHERE, GUARDED, LINUX_ONLY, complaints

SCRIPTS = {**dict(rendered.scripts()), "env": render("env.sh.j2", bin="/opt/it's/current/bin")}


def asked_by_the_audit() -> Iterator[tuple[str, str]]:
    """Where and what: the scripts that the audit's modules have as texts of their own."""
    for path in sorted(Path(gostead.audit.__file__).parent.glob("*.py")):
        for top in ast.parse(path.read_text()).body:
            # Of systemd, but for what says that it is of Macs.
            if path.name in ("test_schedule.py", "test_slices.py") and "'darwin'" not in (
                ast.unparse(top)
            ):
                continue
            for node in ast.walk(top):
                value: ast.expr | None = None
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    value = node.args[1] if node.func.id == "ask" and len(node.args) > 1 else None
                elif isinstance(node, ast.Assign):
                    name = ast.unparse(node.targets[0])
                    value = node.value if name.isupper() or name in ("script", "header") else None
                if value is not None and (text := written(value)):
                    yield f"{path.name}:{value.lineno}", text + "\n"


def written(value: ast.expr) -> str:
    """The text of a script as far as it stands there; what is put into it is left out."""
    if isinstance(value, ast.BinOp):
        return written(value.left) + written(value.right)
    if isinstance(value, ast.JoinedStr):
        return "".join(written(part) or "x" for part in value.values)
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""


#: A line that a Mac does not understand -> the rule that says so.
BAD = {
    'path=$(readlink -f "$1")': "readlink -f",
    "sed -i s/a/b/ file": "sed -i",
    "sed -n -i s/a/b/ file": "sed -i",
    "sed 's/\\t/ /' file": "sed: \\t, \\+, \\| or \\? of GNU",
    "sed -n 's/a\\+/b/p'": "sed: \\t, \\+, \\| or \\? of GNU",
    "sed 's/a/b\\nc/' file": "sed: \\n in a replacement",
    "sed -e 's|^#|x;\\n&|' -e 's/a/b/' file": "sed: \\n in a replacement",
    "sed -r 's/(a)/b/' file": "sed -r, -z, -s",
    "sed -n -z p file": "sed -r, -z, -s",
    "sed -ns p file other": "sed -r, -z, -s",
    "cp -t there x": "cp, mv or ln -t",
    "mv -f -t there x": "cp, mv or ln -t",
    "ln -st there x": "cp, mv or ln -t",
    "case $x in a) y ;& b) z ;; esac": ";& or ;;&",
    "case $x in a) y ;;& b) z ;; esac": ";& or ;;&",
    "exec {lock}>file": "exec {fd}",
    "cp -pa x y": "cp -a",
    "now=$(date -d yesterday)": "date -d",
    "now=$(date +%s%3N)": "date -d",
    "timeout 5 sleep 9": "timeout",
    "mktemp -p /tmp": "mktemp",
    "tac file": "not a program of macOS",
    "md5sum file": "not a program of macOS",
    "grep -oP x file": "grep -P",
    "grep 'a\\|b' file": "grep -P",
    "find . | xargs -r rm": "xargs of GNU",
    "find . | xargs -0 -r rm": "xargs of GNU",
    "sort -rV": "sort -V",
    "touch -d now x": "touch -d",
    "ln -sr a b": "ln of GNU",
    "du -sb .": "du or df of GNU",
    "base64 -w 0": "od, base64, cut of GNU",
    "head -n -1": "head -c of all but",
    "find . -executable": "find of GNU",
    "find . -perm /022": "find of GNU",
    "find -name x": "find without a path",
    'find "$@" -maxdepth 0 -type f -mmin +9 -print -delete': "find -delete",
    "find . -type f -delete 2>/dev/null || :": "find -delete",
    "tar --owner=0 -cf x": "tar of GNU",
    "ps -o etimes= -p 1": "ps of GNU",
    "if [[ -e x ]]; then": "[[",
    "declare -A table": "a word of bash",
    "local x": "a word of bash",
    "source /etc/profile": "source",
    "echo -n x": "echo -n, -e",
    "cat <<<x": "<( or <<<",
    "make &>log": "&> or |&",
    "x=${name^^}": "${x^^}, ${x,,}, ${!x}, ${x/a/b}, ${x:1:2}",
    "x=${name:1:2}": "${x^^}, ${x,,}, ${!x}, ${x/a/b}, ${x:1:2}",
    "x=${!name}": "${x^^}, ${x,,}, ${!x}, ${x/a/b}, ${x:1:2}",
    "now=$EPOCHSECONDS": "a variable of newer bashes",
    "IFS=$'\\n'": "$'…'",
    "function main {": "function name",
    "read -t 5 x": "wait -n, read -t",
    "awk '{ print strftime(1) }'": "awk of GNU",
    "sha256sum file": "sha256sum",
    "stat -c %u x": "stat -c",
    "stat --format=%u x": "stat -c",
    "find . -printf x": "find -printf",
    "mv -T a b": "mv -T",
    "mv -f -T a b || exit 1": "mv -T",
    "cp --preserve=all a b": "a long option",
    "ls --color": "a long option",
    "ls -lnq": "ls -q",
    "cat /proc/uptime": "/proc",
    "flock -n 9": "flock",
    "getent passwd ann": "getent",
    "setpriv --reuid=1 true": "setpriv",
    "nproc --all": "nproc",
    "systemctl stop x": "systemctl",
}
#: The same, where something on the way says that this host has it.
GOOD = (
    'if [ "$system" = Linux ]; then\n  stat -c %u x\n  cat /proc/uptime\nfi',
    'if [ "$system" = Darwin ]; then\n  true\nelse\n  cat /proc/uptime\nfi',
    "if [ -r /proc/uptime ]; then\n  cat /proc/uptime\nfi",
    "if command -v getent >/dev/null 2>&1; then\n  getent passwd ann\nfi",
    "if x; then\n  y\nelif command -v getent >/dev/null; then\n  getent passwd ann\nfi",
    "if find / -prune -printf '' >/dev/null 2>&1; then\n  find . -printf x\nfi",
    "if stat -c %u / >/dev/null 2>&1; then x=-c; fi",
    "if mv -f -T a b 2>/dev/null; then return 0; fi",
    "cp --preserve=all a b 2>/dev/null || cp -p a b",
    "work() {\n  [ -d /proc/1 ] || return 0\n  cat /proc/uptime\n}",
    "command -v sha256sum || shasum -a 256\nsha256sum x",
    "# readlink -f is not there",
    "sed 's/^a$/b/; s|x*|y|' file | grep -E 'a|b'",
    "sed -e '/^a$/{N;s/\\n/ /;}' -n file; printf 'a\\n'",
    "case $x in a) y & ;; esac; exec 9>file",
)
#: A branch does not speak for what stands beside or behind it.
STILL_BAD = (
    'if [ "$system" = Linux ]; then\n  true\nelse\n  cat /proc/uptime\nfi',
    'if [ "$system" = Darwin ]; then\n  cat /proc/uptime\nfi',
    'if [ "$system" = Linux ]; then\n  true\nfi\ncat /proc/uptime',
    "if command -v getent; then\n  flock -n 9\nfi",
    "work() {\n  [ -d /proc/1 ] || return 0\n}\ncat /proc/uptime",
    "if command -v getent; then true; fi\ngetent passwd ann",
)


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_script_has_what_a_mac_lacks(name: str) -> None:
    assert complaints(name, SCRIPTS[name]) == []


@pytest.mark.parametrize("name", ["setup", "converge"])
def test_no_script_of_the_projects_own_has(name: str) -> None:
    """What a fresh Mac starts with."""
    text = (Path(__file__).parents[2] / "script" / name).read_text()
    assert complaints(name, text) == []


def test_no_question_of_the_audit_has() -> None:
    # Of a Mac it is asked too, says that it knows no cgroup, and that is the answer.
    known = "ps -o cgroup="
    asked = [(where, text) for where, text in asked_by_the_audit() if known not in text]
    assert len(asked) > 30
    assert {where.partition(":")[0] for where, _ in asked} >= {"test_slices.py", "trees.py"}
    assert {where: found for where, text in asked if (found := complaints("", text))} == {}


@pytest.mark.parametrize("line", BAD)
def test_each_rule_catches(line: str) -> None:
    found = complaints("bad", f"main() {{\n  {line}\n}}\nmain\n")
    assert [rule for rule in found if rule.startswith(BAD[line])], found


def test_each_rule_has_a_bad_sample() -> None:
    unproved = (EVERYWHERE.keys() | GUARDED.keys()) - set(BAD.values())
    # These are rules of one form: the samples of their neighbours are theirs.
    assert unproved == {"runuser", "setsid", "loginctl", "useradd", "lsof", "busybox"}


@pytest.mark.parametrize("text", GOOD)
def test_what_is_asked_for_first_is_allowed(text: str) -> None:
    assert complaints("good", text + "\n") == []


@pytest.mark.parametrize("text", STILL_BAD)
def test_a_branch_speaks_for_itself_alone(text: str) -> None:
    assert complaints("bad", text + "\n") != []


def test_every_exception_is_of_a_script_that_there_is() -> None:
    for prefix in LINUX_ONLY:
        assert any(name.startswith(prefix) for name in SCRIPTS), prefix
    assert {name for name, _rule in ALLOWED} <= SCRIPTS.keys()
