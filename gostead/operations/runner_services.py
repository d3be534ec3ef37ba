"""Part of the subject shells: services of CI runners read their PATH when they start, so they are
started again after it was changed; never while a job runs.

What is still to be started again is a line of the registry, `restart@user`: the runner's directory
and the invocation that has read the old file.
"""

from __future__ import annotations

from collections.abc import Iterator

from gostead.facts.host_state import HostState
from gostead.facts.people import Home
from gostead.operations.change import Change, Script
from gostead.operations.home_files import registered
from gostead.operations.runners import service_of


def restart(
    state: HostState, home: Home, runner: str, subject: str, key: str, *, moved: bool
) -> Iterator[Change]:
    """Starts the service of `runner` again where this plan changes a file of it (`moved`), or an
    earlier run had to leave it at work."""
    service = service_of(state.shells, home, runner)
    if service is None:
        return
    owed = registered(state, home.name, "restart", runner)
    if not moved and not (owed and owed.detail == service.invocation):
        return
    values = {
        "root": state.system.root, "kind": f"restart@{home.name}", "runner": runner,
        "unit": service.name, "service_user": service.user, "until": "keeps its PATH of before",
    }  # fmt: skip
    yield Change(
        subject, service.name, "with its PATH of before", "started again",
        "its jobs have the new PATH then; a job that runs is waited for, and not disturbed", key,
        Script("change/restart_runner", values), home.name, alone=True,
    )  # fmt: skip
