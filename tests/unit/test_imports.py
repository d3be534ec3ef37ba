"""Imports run one way between the rooms of the house, and optional weight stays out of the way."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "gostead"

# What each room imports directly; whatever those may import is allowed as well.
DIRECT = {
    "cli": {"deploy", "audit", "artifact", "trace", "report"},
    "deploy": {"operations"},
    "operations": {"facts", "templates", "sources", "transport", "trace"},
    # The probe is a host script too.
    "facts": {"declaration", "transport", "templates", "armour"},
    "sources": {"declaration"},
    "audit": {"trace", "declaration"},
    "artifact": {"declaration"},
    "trace": {"templates", "armour"},
    "armour": set(),
    "report": set(),
    "templates": set(),
    "transport": {"telling"},
    "telling": set(),
    "declaration": set(),
}
# Rooms that may know a library; everybody else reaches it through them.
KEEPERS = {
    "paramiko": {"transport"},
    "urllib3": {"sources"},
    "click": {"cli"},
    "lief": {"artifact"},
}
# Rooms that may not know pyinfra.
WITHOUT_PYINFRA = {"declaration", "sources", "templates", "trace", "report", "artifact"}


def allowed(room: str) -> set[str]:
    """All rooms that `room` may import from, itself included."""
    found, waiting = {room}, [room]
    while waiting:
        for below in DIRECT[waiting.pop()] - found:
            found.add(below)
            waiting.append(below)
    return found


def imported(path: Path, package: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of whatever `path` imports, at any depth of its code."""
    here = [package.name, *path.relative_to(package).with_suffix("").parts]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = here[: -node.level] if node.level else []
            names = [*base, *(node.module.split(".") if node.module else [])]
            yield from ((node.lineno, ".".join([*names, alias.name])) for alias in node.names)
        elif isinstance(node, ast.Call) and node.args:
            called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            called = node.func.id if isinstance(node.func, ast.Name) else called
            first = node.args[0]
            if (
                called in ("import_module", "__import__")
                and isinstance(first, ast.Constant)
                and isinstance(first.value, str)
            ):
                yield node.lineno, first.value


def violations(package: Path) -> list[str]:
    """Each import that runs the wrong way, as file:line: what is wrong."""
    found = []
    for path in sorted(package.rglob("*.py")):
        room = path.relative_to(package).with_suffix("").parts[0]
        if room in ("__init__", "__main__"):
            room = "cli" if room == "__main__" else room
        for line, name in imported(path, package):
            where = f"{path.relative_to(package.parent)}:{line}"
            top, _, rest = name.partition(".")
            target = rest.partition(".")[0]
            if (
                top == package.name
                and target
                and (package / target).exists() | (package / f"{target}.py").exists()
            ):
                if room == "__init__":
                    found.append(f"{where}: the package itself imports {target}")
                elif room not in DIRECT:
                    found.append(f"{where}: {room} is no room of the house")
                elif target not in allowed(room):
                    found.append(f"{where}: {room} imports {target}")
            if top in KEEPERS and room not in KEEPERS[top]:
                found.append(f"{where}: {room} imports {top}")
            if top in ("pyinfra", "pyinfra_cli") and room in WITHOUT_PYINFRA:
                found.append(f"{where}: {room} imports {top}")
    return found


def test_imports_run_one_way() -> None:
    assert violations(PACKAGE) == []


@pytest.mark.parametrize(
    ("file", "code", "wrong"),
    [
        ("declaration/a.py", "import pyinfra", "declaration imports pyinfra"),
        ("declaration/a.py", "from pyinfra.api import deploy", "declaration imports pyinfra"),
        ("declaration/a.py", "from gostead.facts import x", "declaration imports facts"),
        ("facts/a.py", "from gostead import operations", "facts imports operations"),
        ("facts/a.py", "import gostead.operations.x as x", "facts imports operations"),
        ("facts/a.py", "from ..operations import x", "facts imports operations"),
        ("facts/a.py", "from .. import operations", "facts imports operations"),
        (
            "facts/a.py",
            "def f():\n    from gostead.operations import x",
            "facts imports operations",
        ),
        ("audit/a.py", "from gostead.facts import x", "audit imports facts"),
        ("audit/a.py", "from gostead.operations import x", "audit imports operations"),
        ("sources/a.py", "import_module('gostead.operations')", "sources imports operations"),
        ("facts/a.py", "import paramiko", "facts imports paramiko"),
        ("audit/a.py", "import lief", "audit imports lief"),
        ("artifact/a.py", "from gostead.facts import x", "artifact imports facts"),
        ("attic/a.py", "from gostead import facts", "attic is no room of the house"),
        ("__init__.py", "from gostead import facts", "the package itself imports facts"),
        ("facts/a.py", "from gostead.declaration import x", ""),
        ("deploy.py", "from gostead.declaration import x", ""),
        ("cli/a.py", "from gostead.facts import x", ""),
        ("audit/a.py", "from gostead.declaration import x", ""),
        ("transport.py", "import paramiko", ""),
        ("facts/a.py", "from gostead import __version__", ""),
    ],
)
def test_the_check_sees_an_import_that_runs_the_wrong_way(
    tmp_path: Path, file: str, code: str, wrong: str
) -> None:
    package = tmp_path / "gostead"
    rooms = ("facts", "operations", "declaration", "audit", "artifact", "sources", "cli", "attic")
    for room in rooms:
        (package / room).mkdir(parents=True)
    (package / file).write_text(code + "\n")
    found = violations(package)
    assert [text.partition(": ")[2] for text in found] == ([wrong] if wrong else [])


def test_the_declaration_loads_nothing_that_it_does_not_need() -> None:
    heavy = ["pyinfra", "paramiko", "gevent", "jinja2", "urllib3", "click", "rich", "difflib"]
    script = (
        "import sys; from pathlib import Path; from gostead.declaration import load, pin_for\n"
        "load(Path('group_data'), [], 'h')\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=PACKAGE.parent,
    )
    assert run.stdout.strip() == "[]"
