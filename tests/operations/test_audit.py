"""The audit holds on a converged root, and finds each planted fault by its own means."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from tests.support.report_schema import check_report
from tests.support.sandbox import Sandbox
from tests.support.site import Site

Run = Callable[..., subprocess.CompletedProcess[str]]
TREE = "/opt/gostead/toolchains/go1.27.3"
SHIM = "#!/bin/sh\\necho go version go1.27.3 linux/amd64\\n"
#: What is done, whether it takes --deep to see it, and what the finding says.
FAULTS = {
    "compiler removed": (f"rm -r {TREE}/pkg/tool", False, "(missing)"),
    "shim for bin/go": (
        f"rm {TREE}/bin/go; printf '{SHIM}' > {TREE}/bin/go; chmod 555 {TREE}/bin/go",
        False,
        "bin/go (changed)",
    ),
    "shim before ours": (
        f"rm /usr/local/bin/go; printf '{SHIM}' > /usr/local/bin/go; chmod 755 /usr/local/bin/go",
        False,
        "sh -c finds /usr/local/bin/go",
    ),
    "shim in a login shell": (
        f"mkdir /opt/shim; printf '{SHIM}' > /opt/shim/go; chmod 755 /opt/shim/go; "
        "echo 'PATH=/opt/shim:$PATH' >> /root/.profile",
        False,
        "/opt/shim/go runs",
    ),
    "another version active": ("ln -sfn profiles/go1.26.8 /opt/gostead/current", False, "leads to"),
    "writable by others": (f"chmod 757 {TREE}/bin", False, "others own or can write"),
    "one byte": (
        f"printf X | dd of={TREE}/src/fmt/print.go bs=1 conv=notrunc",
        True,
        "src/fmt/print.go (changed)",
    ),
    "a foreign file": (f"touch {TREE}/src/new.go", True, "src/new.go (not in the release)"),
    "a mode": (f"chmod 555 {TREE}/src/fmt/print.go", True, "src/fmt/print.go"),
    "an empty directory": (f"mkdir -m 755 {TREE}/src/empty", True, "src/empty/ (empty)"),
}


def test_a_converged_host_holds(run: Run, site: Site, ground: Sandbox) -> None:
    run("apply", "-y")
    report = site.ask(ground, "audit", "--deep")
    check_report(report)
    assert (report["exit"], report["hosts"]["@local"]["findings"]) == (0, [])


def test_a_bare_host_does_not(run: Run) -> None:
    done = run("audit")
    assert done.returncode == 2
    assert "there is no go" in done.stdout
    assert "no start-up file puts /opt/gostead/current/bin on PATH" in done.stdout
    assert "comes after" not in done.stdout


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str, site: Site, converged: Callable[[], Sandbox]) -> None:
    command, deep, said = FAULTS[name]
    site.declare({"versions": ["1.26.8"]})
    root = converged()
    root.run(command, check=True)
    report = site.ask(root, "audit", *(["--deep"] if deep else []))
    assert report["exit"] == 2
    found = [finding["what"] for finding in report["hosts"]["@local"]["findings"]]
    assert any(said in what for what in found), found


def test_an_audit_leaves_nothing(run: Run, ground: Sandbox) -> None:
    run("apply", "-y")
    before = ground.digest()
    run("audit", "--deep")
    assert before.changes(ground.digest()) == []


def test_a_held_version_is_a_note(run: Run, site: Site, ground: Sandbox) -> None:
    run("apply", "-y")
    run("hold")
    site.declare({"default": "1.26.8"})
    run("apply", "-y")
    site.declare({"default": "1.26.8", "versions": ["1.27.3"]})
    run("apply", "-y")
    report = site.ask(ground, "audit")
    findings = report["hosts"]["@local"]["findings"]
    assert [finding["severity"] for finding in findings] == ["note"]
    assert report["exit"] == 0


def test_absent_means_absent(run: Run, site: Site, ground: Sandbox) -> None:
    run("apply", "-y")
    site.declare(state="absent")
    assert run("audit").returncode == 2
    run("apply", "-y")
    assert run("audit").returncode == 0


def test_it_runs_under_pytest_as_documented(run: Run, site: Site, ground: Sandbox) -> None:
    run("apply", "-y")
    done = ground.python(
        "-m", "pytest", "-p", "gostead.audit.plugin", "--pyargs", "gostead.audit",
        "--hosts=local://", f"--gostead-declaration={site.declaration}", "-p", "no:cacheprovider",
        cwd="/",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


def test_what_is_set_for_somebodys_own_tests_has_no_say(run: Run) -> None:
    run("apply", "-y")
    theirs = {"PYTEST_ADDOPTS": "--nonsense", "PYTEST_PLUGINS": "nonsense"}
    done = run("audit", env=theirs)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_imports_nothing_of_what_converges(ground: Sandbox) -> None:
    code = (
        "import sys, gostead.audit.test_toolchains, gostead.audit.plugin\n"
        "print([n for n in sys.modules if n.startswith(('gostead.facts', 'gostead.operations', "
        "'gostead.transport', 'pyinfra'))])"
    )
    assert ground.python("-c", code, check=True).stdout == "[]\n"


def test_it_does_not_load_the_tests_of_the_project_it_stands_in(
    run: Run, site: Site, ground: Sandbox
) -> None:
    run("apply", "-y")
    ground.run("mkdir -p /root/tests; echo 'import nowhere' > /root/tests/conftest.py", check=True)
    done = ground.gostead("audit", "@local", "--declaration", str(site.declaration), cwd="/root")
    assert done.returncode == 0, done.stdout
