"""What the connecting user's login shells run is the declared Go, once on PATH."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from gostead.audit.asking import Place, ask, printable
from gostead.audit.findings import AuditFinding, NotAsDeclared
from gostead.declaration import GoSetup

SUBJECT = "shells"
ASK = 'command -v go; printf "%s\\n" "$PATH"'


@pytest.mark.parametrize("shell", ["bash", "sh", "zsh", "fish"])
def test_a_login_shell_runs_the_declared_go(
    host: Any, where: Place, setup: GoSetup, shell: str
) -> None:
    if setup.state == "absent":
        pytest.skip("state is absent")
    if ask(host, f"command -v {shell}").code:
        pytest.skip(f"{shell} is not installed")
    # As login(1) begins: nothing of the environment of whoever audits.
    begin = shlex.join(["env", "-i", f"HOME={where.home}", f"USER={where.user}", "TERM=dumb",
                        "PATH=/usr/local/bin:/usr/bin:/bin"])  # fmt: skip
    question = ASK if shell != "fish" else "command -v go; string join : $PATH"
    answer = ask(host, f"{begin} {shell} -lc {shlex.quote(question)} </dev/null")
    lines = answer.out.splitlines()
    directory = f"{where.root}/current/bin"
    found = lines[-2] if len(lines) > 1 else ""
    path = lines[-1].split(":") if lines else []
    if found != f"{directory}/go":
        what = f"{shell} -l runs {printable(found) or 'no go'}, expected {directory}/go"
    elif path.count(directory) != 1:
        what = f"{directory} is {path.count(directory)} times on PATH of {shell} -l"
    else:
        return
    raise NotAsDeclared(
        AuditFinding(SUBJECT, f"{shell} -l", what, "gostead apply; then look for a later line in "
                     "that shell's start-up files that changes PATH", user=where.user)
    )  # fmt: skip
