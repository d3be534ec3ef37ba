"""The pytest side of the audit: options, fixtures, and the findings as data.

    pytest --pyargs gostead.audit --hosts=local://,ssh://root@web1

`--hosts`, `--ssh-config`, `--ssh-identity-file` and `--sudo` are testinfra's.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gostead import trace
from gostead.audit.asking import CannotAsk, Place, ask, place
from gostead.audit.findings import AuditFinding, NotAsDeclared
from gostead.audit.started import Surveyed, survey
from gostead.declaration import Declared, GoSetup, load

RESULTS = pytest.StashKey[dict[str, Any]]()
SURVEYED = pytest.StashKey[dict[str, Surveyed]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the audit."""
    group = parser.getgroup("gostead")
    group.addoption("--gostead-declaration", default="group_data", metavar="DIR")
    group.addoption("--gostead-host", metavar="NAME", help="its name in the inventory")
    group.addoption("--gostead-groups", default="", metavar="A,B")
    group.addoption("--gostead-deep", action="store_true", help="hash every tree")
    group.addoption("--gostead-build", action="store_true", help="build with every toolchain")
    group.addoption("--gostead-report", metavar="FILE", help="the findings as JSON")


def pytest_configure(config: pytest.Config) -> None:
    """Room for what is found."""
    config.stash[RESULTS] = {"findings": [], "errors": [], "checks": 0, "matrix": []}


@pytest.fixture(scope="session")
def declared(request: pytest.FixtureRequest) -> Declared:
    """The declaration; of the named host, of this machine without a name."""
    option = request.config.getoption
    groups = [group for group in option("--gostead-groups").split(",") if group]
    return load(Path(option("--gostead-declaration")), groups, option("--gostead-host") or "@local")


@pytest.fixture(scope="module")
def where(host: Any, declared: Declared) -> Place:
    """Where gostead lives on the host."""
    return place(host, {"linux": declared.linux.scope, "darwin": declared.darwin.scope})


@pytest.fixture(scope="module")
def setup(declared: Declared, where: Place) -> GoSetup:
    """What the host should be."""
    return declared.for_system(where.system)


@pytest.fixture(scope="module")
def run(host: Any) -> trace.Run:
    """Runs a script on the host, as gostead.trace asks for it."""

    def on_the_host(script: str) -> bytes:
        answer = ask(host, script)
        if answer.code:
            raise CannotAsk(f"the shells could not be run: {answer.error.strip()[-300:]}")
        return answer.out.encode()

    return on_the_host


@pytest.fixture(scope="session")
def shells_of(request: pytest.FixtureRequest) -> Callable[..., Surveyed]:
    """The shells of the declared users, started once for all checks of a host."""
    kept: dict[str, Surveyed] = request.config.stash.setdefault(SURVEYED, {})

    def started(run: trace.Run, where: Place, setup: GoSetup) -> Surveyed:
        if where.root not in kept:
            kept[where.root] = survey(run, where, setup)
        return kept[where.root]

    return started


@pytest.fixture
def note(request: pytest.FixtureRequest) -> Any:
    """Records a finding that is no failure."""

    def record(finding: AuditFinding) -> None:
        request.config.stash[RESULTS]["findings"].append(dataclasses.asdict(finding))

    return record


@pytest.fixture
def matrix(request: pytest.FixtureRequest) -> Any:
    """Keeps the cells of the shells' matrix for the report."""
    return request.config.stash[RESULTS]["matrix"].extend


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Keeps findings as data, and every other error as "could not be asked"."""
    report = yield
    results = item.config.stash[RESULTS]
    if call.when == "call":
        results["checks"] += report.outcome != "skipped"
    if report.outcome == "failed" and call.excinfo is not None:
        if isinstance(call.excinfo.value, NotAsDeclared):
            results["findings"].append(dataclasses.asdict(call.excinfo.value.finding))
        elif isinstance(call.excinfo.value, CannotAsk):
            results["errors"].append(str(call.excinfo.value))
        else:
            results["errors"].append(f"{item.name}: {call.excinfo.exconly()}")
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Writes the report, where one is asked for."""
    target = session.config.getoption("--gostead-report")
    if target:
        Path(target).write_text(json.dumps(session.config.stash[RESULTS]))
