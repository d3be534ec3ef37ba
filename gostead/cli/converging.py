"""Carries a plan out over many hosts, in batches, and keeps what became of each change."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import gevent
from pyinfra.api.deploy import add_deploy
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.operations import run_ops

from gostead.cli.session import Look, Session
from gostead.deploy import go_setup
from gostead.operations import context
from gostead.operations.change import Outcome

if TYPE_CHECKING:
    from pyinfra.api.host import Host

PATIENCE = 900


def converge_all(
    session: Session, looks: Sequence[Look], canary: int, max_fail: int | None
) -> dict[str, str]:
    """Runs the deploy on the hosts of `looks`. Returns why hosts were not started, by name.

    The first `canary` hosts go first, the rest only when all of them are well; with `max_fail`,
    no further batch starts after more than that many hosts failed.
    """
    waiting = list(looks)
    not_started: dict[str, str] = {}
    failed = 0
    first = canary if 0 < canary < len(waiting) else 0
    size = first or (len(waiting) if max_fail is None else max(1, session.state.config.PARALLEL))
    while waiting:
        batch, waiting = waiting[:size], waiting[size:]
        _run_batch(session, batch)
        failed += sum(_failed(session, look.host) for look in batch)
        why = ""
        if context.stopping:
            why = "interrupted"
        elif first and failed:
            why = "a canary host failed"
        elif max_fail is not None and failed > max_fail:
            why = f"{failed} hosts failed, --max-fail is {max_fail}"
        if why:
            not_started = {look.host.name: f"not started: {why}" for look in waiting}
            break
        first = 0
        size = len(waiting) if max_fail is None else max(1, session.state.config.PARALLEL)
    return not_started


def _run_batch(session: Session, batch: Sequence[Look]) -> None:
    state, hosts = session.state, [look.host for look in batch]
    # Operations belong to a batch: pyinfra would run those of earlier ones again.
    state.op_meta.clear()
    for host in session.hosts:
        state.ops[host] = {}
        host.op_hash_order = []
    active = set(state.active_hosts)
    state.active_hosts = set(hosts) & active
    started = time.monotonic()
    try:
        add_deploy(state, go_setup, host=hosts)
        run = gevent.spawn(run_ops, state)
        _wait(run)
        run.get()
    except PyinfraError:
        pass  # "No hosts remaining!": each host's own record says why
    except Exception as error:
        for host in hosts:
            known = context.record(host)
            known.error = known.error or f"internal error: {type(error).__name__}: {error}"
    finally:
        state.active_hosts = active - state.failed_hosts
        state.is_executing = False
    for look in batch:
        look.seconds += time.monotonic() - started


def _wait(run: gevent.Greenlet) -> None:
    """Until the batch is done. At Ctrl-C a host ends the change it is in, and begins no other."""
    try:
        run.join()
    except KeyboardInterrupt:
        context.stopping.append(True)
        print(
            "gostead: interrupted: each host ends the change it is in (again: leave at once)",
            file=sys.stderr,
        )
        run.join(PATIENCE)


def _failed(session: Session, host: Host) -> bool:
    known = context.record(host)
    return host in session.state.failed_hosts or bool(known.error)


def outcomes(look: Look) -> list[Outcome]:
    """What became of each planned change, in the order of the plan."""
    known = context.record(look.host)
    done = {(o.change.subject, o.change.item): o for o in known.outcomes}
    found = []
    for change in look.changes:
        outcome = done.pop((change.subject, change.item), None)
        if outcome:
            found.append(outcome)
        elif known.error or any(o.result == "failed" for o in known.outcomes):
            found.append(Outcome(change, "planned"))
        # Otherwise another run had made it meanwhile: it is no change of ours.
    return [*found, *done.values()]
