"""From a plan to a host that was seen to be so: what every subject's operation shares.

pyinfra runs an operation's generator once to its first yield to see whether it would change
anything, and again to execute it. The plan is complete before the first yield. A change counts as
made when the subject, read again, no longer asks for it: not because a command ran.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from pyinfra import logger
from pyinfra.api.command import FunctionCommand
from pyinfra.context import ctx_host

from gostead.armour import CannotRead
from gostead.declaration import DeclarationError
from gostead.facts import host_state
from gostead.operations.change import Change, Finding, Outcome, Plan, PlanError
from gostead.operations.context import current, options, record, stopping
from gostead.operations.execute import ChangedSincePlanned, ChangeFailed, PutOff, execute
from gostead.transport import TransportError

if TYPE_CHECKING:
    from pyinfra.api.host import Host
    from pyinfra.api.state import State

# Each conflict is a change that another run made: a first install of two versions has twelve.
ROUNDS = 12
LESSONS = 3
AGAIN = 3
Planner = Callable[..., Plan]
Learner = Callable[..., bool]
REFUSALS = (DeclarationError, PlanError, CannotRead, TransportError)


def converge(
    subject: str, planner: Planner, directory: str | None, learn: Learner | None = None
) -> Generator[Any, None, None]:
    """The body of an operation: a command per change, and one that reads the host again. `learn`
    tries the host out after something was changed (and with --deep); what it keeps there may lead
    the planner to more."""
    host: Host = ctx_host.get()
    wanted = options(host).subjects
    if wanted and subject not in wanted:
        host.noop(f"{subject}: not asked for")
        return
    try:
        plan = planner(*current(host, directory))
    except REFUSALS as error:
        # An exception here would end the run on every host; this fails one.
        if not host.state.is_executing:  # --dry executes nothing, and must not be silent
            host.log_styled(str(error), fg="red", log_func=logger.error)
        yield FunctionCommand(_refuse, [str(error)], {})
        return
    except Exception as error:
        yield FunctionCommand(_refuse, [f"internal error: {type(error).__name__}: {error}"], {})
        return
    # Planned twice, before the first change and at it: what is said of an item is the latest.
    latest = {(f.subject, f.item, f.user) for f in plan.findings}
    kept = [f for f in record(host).findings if (f.subject, f.item, f.user) not in latest]
    record(host).findings = [*kept, *plan.findings]
    if not plan.changes and not (plan.untried and options(host).deep):
        host.noop(f"{subject}: as declared")
        return
    for change in plan.changes:
        yield FunctionCommand(_carry_out, [change, planner, directory], {})
    yield FunctionCommand(_verify, [subject, planner, directory, learn], {})


def _refuse(state: State, host: Host, message: str) -> bool:  # noqa: ARG001 - pyinfra passes both
    record(host).error = message
    host.log_styled(message, fg="red", log_func=logger.error)
    return False


def _carry_out(
    state: State,  # noqa: ARG001
    host: Host,
    change: Change,
    planner: Planner,
    directory: str | None,
) -> bool:
    known = record(host)
    if stopping:
        known.error = f"interrupted before {change.item}; what came before it is done"
        _settle(host, _remaining(host, planner, directory))
        return False
    if known.conflict:
        return True  # the rest of a plan that no longer holds: _verify plans again
    host.log(f"{change.item}: {change.before} to {change.after} ({change.why})")
    try:
        detail = execute(host, change, *current(host, directory))
        known.executed.append(Outcome(change, "changed", None, detail))
        known.conflict = known.conflict or change.leads_on
    except ChangedSincePlanned as error:
        host.log(f"{error}: planning again")
        known.conflict = True
    except PutOff as why:
        mend = f"gostead apply, or systemctl restart {change.item}, when its job is done"
        told = Finding(change.subject, change.item, "note", str(why), mend, user=change.user)
        known.put_off[change.subject, change.item, change.user] = told
        known.findings.append(told)
    except (ChangeFailed, TransportError) as error:
        known.executed.append(Outcome(change, "failed", str(error)))
        host.log_styled(f"{change.item}: {error}", fg="red", log_func=logger.error)
        if (change.user or change.alone) and isinstance(error, ChangeFailed):
            return True  # a home's trouble is its owner's alone: _settle fails the host at the end
        _settle(host, _remaining(host, planner, directory))
        return False
    except Exception as error:  # pyinfra logs it; the report must hold it too
        known.error = f"{change.item}: {type(error).__name__}: {error}"
        raise
    return True


def _verify(
    state: State,
    host: Host,
    subject: str,
    planner: Planner,
    directory: str | None,
    learn: Learner | None,
) -> bool:
    known, lessons = record(host), LESSONS if learn else 0
    for _ in range(ROUNDS):
        remaining = _remaining(host, planner, directory)
        if isinstance(remaining, str):
            break
        if not known.conflict or not remaining:
            if lessons == 0 or learn is None:
                break
            lessons -= 1
            left = {(change.item, change.user) for change in remaining}
            if not _try_out(host, subject, learn, directory):
                break
            remaining = _remaining(host, planner, directory)
            if isinstance(remaining, str):
                break
            more = [c for c in remaining if (c.item, c.user) not in left]
            if not more:
                break
            remaining = tuple(more)
        if any(_in_vain(known.executed, change) for change in remaining):
            break
        # Another run changed the host meanwhile, or trying it out showed that more is needed.
        known.conflict = False
        for change in remaining:
            if not _carry_out(state, host, change, planner, directory):
                return False
    else:
        known.error = f"{subject}: another run kept changing this host; apply again"
        return False
    if learn:
        _renew_findings(host, subject, planner, directory)
    return _settle(host, remaining)


def _in_vain(executed: list[Outcome], change: Change) -> bool:
    """Whether the very same was done again and again already; another run may undo it once."""
    return sum(outcome.change == change for outcome in executed) >= AGAIN


def _try_out(host: Host, subject: str, learn: Learner, directory: str | None) -> bool:
    """Whether trying out taught something that the planner must know."""
    try:
        return learn(host, *current(host, directory))
    except (ChangeFailed, CannotRead, TransportError) as error:
        what = f"could not be tried out: {error}"
        finding = Finding(subject, subject, "warning", what, "gostead audit")
        record(host).findings.append(finding)
        return False


def _renew_findings(host: Host, subject: str, planner: Planner, directory: str | None) -> None:
    """What was found before the changes may be mended, and what was found by trying is new."""
    known = record(host)
    try:
        found = planner(*current(host, directory)).findings
    except REFUSALS:
        return
    stays = [*known.put_off.values()]
    kept = [f for f in known.findings if f.subject != subject or f.item == subject or f in stays]
    known.findings = [*kept, *(f for f in found if f not in kept)]


def _remaining(host: Host, planner: Planner, directory: str | None) -> tuple[Change, ...] | str:
    host_state.forget(host)
    try:
        changes = planner(*current(host, directory)).changes
    except REFUSALS as error:
        return str(error)
    return tuple(c for c in changes if (c.subject, c.item, c.user) not in record(host).put_off)


def _settle(host: Host, remaining: tuple[Change, ...] | str) -> bool:
    """Judges what was executed by what is left to do now, or why that cannot be said. False where
    something did not take."""
    known = record(host)
    good = True
    for outcome in known.executed:
        if outcome.result == "changed":
            if isinstance(remaining, str):
                wrong = f"it could not be read back: {remaining}"
            elif any(_same(outcome.change, left) for left in remaining):
                wrong = "it did not take: read back, the host is not as it was made"
            else:
                wrong = ""
            if wrong:
                outcome = dataclasses.replace(outcome, result="failed", error=wrong)
                message = f"{outcome.change.item}: {wrong}"
                host.log_styled(message, fg="red", log_func=logger.error)
        good = good and outcome.result == "changed"
        known.outcomes.append(outcome)
    for new in () if isinstance(remaining, str) or not good else remaining:
        if new.arises:
            what = f"{new.before}; found after the run: {new.why}"
            finding = Finding(new.subject, new.item, "note", what, "gostead apply", user=new.user)
            known.findings.append(finding)
        elif good:
            known.error = f"{new.item}: {new.why}, after the run"
            good = False
    known.executed.clear()
    return good


def _same(one: Change, other: Change) -> bool:
    return (one.subject, one.item, one.user) == (other.subject, other.item, other.user)
