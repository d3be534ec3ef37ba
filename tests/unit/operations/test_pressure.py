"""What a budget did is told of the unit that it happened to, once, with a budget that would do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from gostead.declaration import GoSetup
from gostead.facts.kills import Journal, Kill
from gostead.facts.slices import Group, Seen, SlicesState, parse_group, parse_seen
from gostead.operations.change import Finding
from gostead.operations.pressure import findings, kept

GIB = 2**30
SLICE = "/gobuilds.slice"
RUNNER = f"{SLICE}/actions.runner.one.service"
SCOPE = f"{SLICE}/run-r1.scope"
ANN = "/user.slice/user-1000.slice"
OWN = f"{ANN}/user@1000.service/gobuilds.slice"
BUDGET = {"memory_high": "70%", "memory_max": "80%", "cpu_quota": "150%"}


def setup(**budget: str) -> GoSetup:
    return GoSetup.model_validate({"slices": {"builds": budget or BUDGET}})


def group(path: str, *lines: str, made: str = "boot:1") -> Group:
    """A cgroup whose files hold these lines."""
    said = "".join(f"{line}\n" for line in lines)
    return parse_group((path.encode(), said.encode(), made.encode()))


def host(*groups: Group, **known: object) -> SlicesState:
    """A host with 8 GiB, where the last run saw gobuilds.slice before anything had happened."""
    before = {SLICE: Seen("boot:1", Group(SLICE).counted())}
    state = SlicesState(memory=8 * GIB, groups={one.path: one for one in groups}, seen=before)
    return replace(state, **known)  # type: ignore[arg-type]


def after(earlier: SlicesState, *groups: Group, **known: object) -> SlicesState:
    """The host as the run after `earlier` finds it: by way of the file, as on a host."""
    lines = [f"{path} {seen.made or '-'} {' '.join(map(str, seen.counted))}\n"
             for path, seen in kept(earlier).items()]  # fmt: skip
    seen, _ = parse_seen("".join(lines).encode())
    assert seen == kept(earlier)
    return host(*groups, seen=seen, **known)


def said(state: SlicesState, declared: GoSetup | None = None) -> Iterator[str]:
    """Item and text of every finding."""
    for one in findings(declared or setup(), state):
        assert isinstance(one, Finding)
        yield f"{one.item}: {one.what}"


def killed(group: str = SCOPE, limit: str = SLICE, pid: int = 7) -> Kill:
    return Kill("1700000000.5", limit, group, "compile", pid, 1000)


HIGH = ("memory.events: high 41", "memory.events: max 0", "memory.events: oom_kill 0")


@pytest.mark.parametrize(
    ("budget", "peak", "advice"),
    [
        ({"memory_high": "70%"}, 5.7 * GIB, "75% would do"),
        ({"memory_high": "70%"}, 6.5 * GIB, "90% would do"),
        ({"memory_high": "70%"}, 7.9 * GIB, "the host has not the memory for more"),
        # A peak that is long over: it has room already.
        ({"memory_high": "70%"}, 3.0 * GIB, None),
        # As it is declared, so that it can be declared.
        ({"memory_high": "5GiB"}, 5.1 * GIB, "5632MiB would do"),
        ({"memory_high": "5GiB"}, 5.6 * GIB, "6GiB would do"),
        ({"memory_high": "7GiB"}, 7.6 * GIB, "the host has not the memory for more"),
        # memory_high above memory_max is refused: both have to go up.
        ({"memory_high": "70%", "memory_max": "80%"}, 6.4 * GIB,
         "85% would do, and a memory_max (now 80%) above it"),
    ],
)  # fmt: skip
def test_a_budget_that_would_do_is_recommended(
    budget: dict[str, str], peak: float, advice: str | None
) -> None:
    state = host(group(SLICE, *HIGH, f"memory.peak: {int(peak)}"))
    [what] = said(state, setup(**budget))
    high = budget["memory_high"]
    assert f"gobuilds.slice: memory_high {high} was reached 41 times since the last run" in what
    assert f"peak {peak / GIB:.3g} GiB" in what
    assert advice in what if advice else "; " not in what.partition(" GiB")[2]


def test_without_a_peak_nothing_is_recommended() -> None:
    """Before Linux 5.19 the kernel keeps none."""
    [what] = said(host(group(SLICE, *HIGH)))
    assert what == "gobuilds.slice: memory_high 70% was reached 41 times since the last run"


def test_units_that_were_slowed_down_are_named_by_the_time_they_waited() -> None:
    psi = "memory.pressure: some avg10=0.00 avg60=0.00 avg300={} total={}"
    state = host(
        group(SLICE, *HIGH, psi.format("9.00", 320_000_000)),
        group(RUNNER, psi.format("9.00", 312_000_000), f"memory.peak: {3 * GIB}"),
        group(SCOPE, psi.format("0.10", 4_000_000)),
    )
    [what] = said(state)
    assert what.endswith("waited for memory: actions.runner.one.service 312 s (peak 3 GiB), "
                         "run-r1.scope 4 s")  # fmt: skip
    # The runner waits on, and is alone with it: the time before is not told again.
    longer = after(
        state, group(SLICE, *HIGH), group(RUNNER, psi.format("9.00", 332_500_000)),
    )  # fmt: skip
    assert list(said(longer)) == [
        "actions.runner.one.service: its processes waited 20 s for memory since the last run"
    ]


def test_what_waits_now_is_told_of_the_unit_and_not_of_the_whole() -> None:
    stalled = "memory.pressure: some avg10=50.00 avg60=45.00 avg300=40.00 total=0"
    state = host(group(SLICE, stalled), group(RUNNER, stalled), group(SCOPE))
    [what] = said(state)
    assert what.startswith("actions.runner.one.service: its processes waited for memory in 40%")
    [what] = said(host(group(SLICE, stalled)))
    assert what.startswith("gobuilds.slice: ")


def test_throttling_is_told_of_the_slice_and_of_a_unit_with_a_quota_of_its_own() -> None:
    held = (
        "cpu.stat: nr_periods 20",
        "cpu.stat: nr_throttled 12",
        "cpu.stat: throttled_usec 3400000",
    )
    state = host(group(SLICE, *held), group(RUNNER, *held, "memory.events.local: high 2"))
    assert list(said(state)) == [
        "gobuilds.slice: cpu_quota 150% held it back in 12 periods (3 s) since the last run",
        "actions.runner.one.service: its own MemoryHigh was reached 2 times since the last run",
        "actions.runner.one.service: its own CPUQuota held it back in 12 periods (3 s) since the "
        "last run",
    ]
    assert list(said(after(state, *state.groups.values()))) == []


def test_what_a_unit_s_own_limit_counted_is_not_the_budget_s() -> None:
    state = host(group(SLICE, "memory.events: high 9", "memory.events.local: high 0"))
    assert list(said(state)) == []


def kills(path: str, number: int, made: str = "boot:1") -> Group:
    return group(path, f"memory.events: oom_kill {number}", made=made)


def test_a_kill_is_told_once_by_unit_and_name() -> None:
    state = host(kills(SLICE, 1), kills(RUNNER, 1), journal=Journal("c", (killed(RUNNER),)))
    [what] = said(state)
    assert what == ("actions.runner.one.service: 1 process of it killed for want of memory since "
                    "the last run: compile (process 7 of uid 1000)")  # fmt: skip
    assert list(said(after(state, kills(SLICE, 1), kills(RUNNER, 1)))) == []


def test_a_unit_that_is_gone_is_named_by_the_kernel_s_line() -> None:
    [what] = said(host(kills(SLICE, 1), journal=Journal("c", (killed(SCOPE),))))
    assert what.startswith("run-r1.scope: 1 process of it killed")


def test_kills_without_a_line_are_told_by_the_counters() -> None:
    """Of more than ten in five seconds, and of a whole cgroup, the kernel does not write each."""
    state = host(kills(SLICE, 9), kills(RUNNER, 5), journal=Journal("c", (killed(RUNNER),)))
    whole, named, rest = said(state)
    assert whole.startswith("gobuilds.slice: 4 processes of it killed")
    assert "1 process of it killed" in named
    assert named.endswith("compile (process 7 of uid 1000)")
    assert rest.startswith("actions.runner.one.service: 4 processes of it killed")
    assert rest.endswith("the kernel's log does not say which")


def test_a_line_that_is_ahead_of_its_counter_is_not_told_twice() -> None:
    state = host(kills(SLICE, 0), journal=Journal("c", (killed(),)))
    assert len(list(said(state))) == 1
    assert list(said(after(state, kills(SLICE, 1)))) == []


def test_a_host_without_memory_is_not_the_builds_being_over_their_budget() -> None:
    state = host(kills(SLICE, 2), kills(RUNNER, 2), journal=Journal(
        "c", (killed(RUNNER, limit=""), killed(RUNNER, limit=RUNNER))
    ))  # fmt: skip
    own, other = findings(setup(), state)
    assert (
        "as actions.runner.one.service was over a limit of memory that is not the budget"
        in own.what
    )
    assert "as the host had no memory left, the budget was not reached" in other.what
    assert "lower memory_max" in other.mend


def test_kills_of_others_are_nobody_s_here() -> None:
    others = (killed("/system.slice/x.service", limit=""), killed(f"{ANN}/session-1.scope", ANN))
    assert list(said(host(kills(SLICE, 0), journal=Journal("c", others)))) == []


def test_a_user_s_kills_are_told_of_their_slice_also_when_they_have_left() -> None:
    session, build = killed(f"{ANN}/session-1.scope", ANN), killed(f"{OWN}/run-2.scope", OWN)
    state = host(group(SLICE), users={"ann": 1000}, journal=Journal("c", (session, build)))
    one, other = said(state)
    assert one.startswith("user-1000.slice/session-1.scope: 1 process")
    assert other.startswith("user-1000.slice/run-2.scope: 1 process")
    # There is something to keep, or the next run says so again.
    assert kept(state) != dict(state.seen)


def test_a_cgroup_that_was_made_anew_began_with_nothing() -> None:
    earlier = host(kills(SLICE, 2), group(RUNNER, "memory.events: high 7", made="boot:5"))
    # More than before, and less: both are others than then.
    rebooted = after(earlier, kills(SLICE, 3, "other:1"))
    [what] = said(rebooted)
    assert what.startswith("gobuilds.slice: 3 processes")
    again = after(earlier, kills(SLICE, 1, "other:1"), group(RUNNER, *HIGH, made="boot:6"))
    first, second = said(again)
    assert first.startswith("gobuilds.slice: 1 process of it")
    assert second.startswith("actions.runner.one.service: its own MemoryHigh was reached 41 times")


def test_a_counter_that_went_back_is_no_news() -> None:
    earlier = host(group(SLICE, "memory.events: high 5"))
    assert list(said(after(earlier, group(SLICE, "memory.events: high 2")))) == []


def test_a_first_run_claims_nothing_that_was_before_it() -> None:
    first = host(group(SLICE, *HIGH, "memory.events: oom_kill 3"), kills(RUNNER, 3), seen={})
    assert list(said(first)) == []
    assert kept(first)[SLICE].counted.high == 41
    # The same for a user who has a budget from now on, and whose slice is there since they came.
    newly = host(kills(SLICE, 0), kills(ANN, 4), kills(f"{ANN}/session-1.scope", 4),
                 users={"ann": 1000})  # fmt: skip
    assert list(said(newly)) == []
    known = after(newly, kills(SLICE, 0), kills(ANN, 5), users={"ann": 1000})
    assert [what.split(" of it")[0] for what in said(known)] == ["user-1000.slice: 1 process"]


def test_a_user_who_was_away_and_came_is_counted_from_the_beginning() -> None:
    away = host(group(SLICE), users={"ann": 1000})
    came = after(away, group(SLICE), kills(ANN, 1, "boot:9"), users={"ann": 1000})
    [what] = said(came)
    assert what.startswith("user-1000.slice: 1 process")


def test_a_host_where_nothing_happened_has_no_news() -> None:
    state = host(group(SLICE), group(RUNNER), group(SCOPE))
    assert kept(state) == dict(state.seen)


def test_a_file_of_an_earlier_release_counts_as_none() -> None:
    assert parse_seen(b"/gobuilds.slice 1 2 3 4\n\n/x\ncursor s=1;i=2\n") == ({}, "s=1;i=2")
