"""Each tool is what was declared, built by the active Go, by its own record."""

from __future__ import annotations

from typing import Any

import pytest

from gostead.audit.asking import Place, ask, printable
from gostead.audit.findings import AuditFinding, NotAsDeclared
from gostead.declaration import GoSetup
from gostead.declaration.tools import name_of

SUBJECT = "tools"


def test_each_tool_is_the_declared_one(host: Any, where: Place, setup: GoSetup) -> None:
    if setup.state == "absent" or not setup.tools:
        pytest.skip("no tool is declared")
    current = f"{where.root}/current"
    version = ask(host, 'readlink "$1"', current).out.strip().rpartition("/")[2]
    for tool in setup.tools:
        path = f"{current}/bin/{name_of(tool)}"
        script = 'env -i GOENV=off GOTOOLCHAIN=local "$1" version -m "$2"'
        answer = ask(host, script, f"{current}/bin/go", path)
        package, _, wanted = tool.partition("@")
        lines = [line.split("\t") for line in answer.out.splitlines()]
        said = {line[1]: line[2:] for line in lines[1:] if len(line) > 2}
        built = lines[0][0].rpartition(": ")[2] if lines else ""
        if answer.code:
            what = f"cannot be read: {printable(answer.error) or 'absent'}"
        elif built != version:
            what = f"was built by {printable(built)}, {version} is active"
        elif said.get("path") != [package] or said.get("mod", ["", ""])[1] != wanted:
            what = f"is {printable(str(said.get('path')))} of {printable(str(said.get('mod')))}"
        else:
            continue
        raise NotAsDeclared(AuditFinding(SUBJECT, path, f"{what}; declared is {tool}",
                                         "gostead apply"))  # fmt: skip
