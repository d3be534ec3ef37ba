"""Scorecard: SIGKILL on the host at each step: the old Go runs on, and the next run converges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.support.fault_driver import Fault
from tests.support.faults import NEW, OLD, Ground, checkpoints, host
from tests.support.stand_in_systemd import BOOTED, RUNNER

# Every step of every script: minutes, so with --all.
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Story:
    """What is being done when the script dies: the state before, what is then asked for, the
    templates whose scripts that runs, and which version answers before and after."""

    before: dict[str, object] | None
    wanted: dict[str, object]
    templates: tuple[str, ...]
    old: str = OLD
    new: str = NEW
    damage: str = ""
    go: dict[str, Any] = field(default_factory=dict)
    go_before: dict[str, Any] = field(default_factory=dict)
    booted: bool = False

    def arrange(
        self, begin_ground: Callable[..., Ground], make_ground: Callable[..., Ground]
    ) -> Ground:
        """A root in the state before, and what is wanted is declared."""
        if self.before is not None and not self.booted:
            arranged = begin_ground("root", self.before, **self.go_before)
        else:
            arranged = make_ground()
            if self.booted:
                arranged.run(BOOTED)
            if self.before is not None:
                arranged.site.declare(self.before, **self.go_before)
                arranged.converge()
        if self.damage:
            arranged.run(self.damage.format(root=arranged.root, bin=arranged.bin))
        arranged.site.declare(self.wanted, **self.go)
        return arranged


TOOLS = {"tools": ["tools.example.com/one@v1.0.0"]}
GCC = (
    r"printf '#!/bin/sh\ncase $* in -dumpmachine) echo x86_64-linux-gnu ;; -dumpversion) echo 12 ;;"
    r" -print-file-name*) echo /etc/hostname ;; esac\n' >/usr/bin/gcc; chmod 755 /usr/bin/gcc"
)
APT = f"cat >/usr/bin/apt-get <<'APT'\n#!/bin/sh\n{GCC}\nAPT\nchmod 755 /usr/bin/apt-get"
CGO = {"cgo": {"required": True, "install": True}}

ORPHANS: dict[str, Any] = {"orphans": {"action": "terminate", "min_age": "1s"}}
ORPHAN = (
    "mkdir -p /tmp/go-build1/b001/exe; cp /bin/dash /tmp/go-build1/b001/exe/x; "
    "/tmp/go-build1/b001/exe/x -c 'trap \"\" TERM; while :; do sleep 1; done' "
    "</dev/null >/dev/null 2>&1 & sleep 2.1"
)

SLICES: dict[str, Any] = {"slices": {"builds": {"tasks_max": 99}, "units": ["r.service"]}}
KILLED = "echo oom_kill 2 >/sys/fs/cgroup/gobuilds.slice/memory.events"
SCHEDULE: dict[str, Any] = {
    "schedule": {"every": "1h", "source": "https://git.example.com/x.git", "ref": "0" * 40}
}

STORIES = {
    "slices": Story({}, {}, ("reload", "restart"), old=NEW, go=SLICES, booted=True),
    "runner": Story(
        {},
        {},
        ("restart_runner",),
        old=NEW,
        booted=True,
        damage=RUNNER,
        go={"users": ["ann"], "shells": {"runners": ["/home/ann/runner"]}},
    ),
    "slices undeclared": Story({}, {}, ("reload",), old=NEW, go_before=SLICES, booted=True),
    "kills": Story(
        {}, {}, ("pressure",), old=NEW, go_before=SLICES, go=SLICES, booted=True, damage=KILLED
    ),
    "schedule": Story({}, {}, ("schedule",), old=NEW, go=SCHEDULE, booted=True),
    "schedule undeclared": Story({}, {}, ("unschedule",), old=NEW, go_before=SCHEDULE, booted=True),
    "cache": Story(
        {},
        {},
        ("cache",),
        old=NEW,
        go={"cache": {"root": "/var/cache/go"}},
        damage="mkdir -p /var/cache/go/0; chown zed /var/cache/go/0",
    ),
    "tool": Story({}, {}, ("tool",), old=NEW, go=TOOLS),
    "tool by the new Go": Story(
        {"default": OLD}, {"default": NEW}, ("tool",), go_before=TOOLS, go=TOOLS
    ),
    "tool's link": Story(
        {},
        {},
        ("tool_link",),
        old=NEW,
        go_before=TOOLS,
        go=TOOLS,
        damage="rm {root}/profiles/go1.27.3/bin/one",
    ),
    "tool undeclared": Story({}, {}, ("untool",), old=NEW, go_before=TOOLS),
    "packages": Story({}, {}, ("packages",), old=NEW, go=CGO, damage=APT.replace("{", "{{")),
    "cgo": Story({}, {}, ("cgo",), old=NEW, go=CGO, damage=GCC.replace("{", "{{")),
    "orphan": Story({}, {}, ("orphan",), old=NEW, go=ORPHANS, damage=ORPHAN),
    "scratch": Story(
        {},
        {},
        ("scratch",),
        old=NEW,
        go=ORPHANS,
        damage="mkdir -p /tmp/go-build1/b001; touch -d '-2 days' /tmp/go-build1",
    ),
    "first": Story(None, {}, ("layout", "link", "file", "home"), old=""),
    "crontab": Story({}, {}, ("crontab",), old=NEW, go={"shells": {"cron": True}}),
    "upgrade": Story({"default": OLD}, {"default": NEW}, ("install", "profile", "switch")),
    "directory": Story({}, {}, ("directory",), old=NEW, damage="chmod 777 {root}/toolchains"),
    "repair": Story({}, {}, ("install",), old=NEW, damage="rm -rf {root}/toolchains/*/pkg/tool"),
    "prune": Story(
        {"default": NEW, "versions": [OLD]}, {"default": NEW, "keep": 0}, ("prune",), old=NEW
    ),
    "unlink": Story({}, {"links": "off"}, ("unlink",), old=NEW, new=""),
}
#: What only launchd has: killed in tests/hosts/darwin/test_schedule.py.
ON_MACS = {("schedule", "schedule-loaded")}
ONLY_WHEN_REPAIRING = {"install-standby", "install-moved-away", "install-switched-back"}
CASES = [
    (story, template, checkpoint)
    for story, told in STORIES.items()
    for template, checkpoint in checkpoints()
    if template in told.templates and (template, checkpoint) not in ON_MACS
    if story == "repair" or checkpoint not in ONLY_WHEN_REPAIRING
]
#: What removes all: a home has the same scripts; what differs is who owns the directories.
REMOVALS = [
    (template, checkpoint, user)
    for template, checkpoint in checkpoints()
    for user in {"remove": ("root", "ann"), "unlink": ("root", "ann"), "home": ("root", "ann"),
                 "unfile": ("root",), "file": ("root",)}.get(template, ())
]  # fmt: skip


def test_every_checkpoint_has_a_story() -> None:
    # What the timer runs is killed in tests/operations/test_scheduled_runs.py, what a Mac runs in
    # test_command_line_tools.py and test_launchd.py of tests/hosts/darwin.
    elsewhere = ("converge-scheduled", "command_line_tools", "no_command_line_tools", "daemon")
    told = {found for found in checkpoints() if found[0] not in elsewhere} - ON_MACS
    assert {case[1:] for case in CASES} | {case[:2] for case in REMOVALS} == told


@pytest.mark.parametrize(("story", "template", "checkpoint"), CASES)
def test_the_next_run_converges(
    story: str, template: str, checkpoint: str, begin_ground: Callable[..., Ground],
    make_ground: Callable[..., Ground],
) -> None:  # fmt: skip
    known = STORIES[story]
    ground = known.arrange(begin_ground, make_ground)
    report = ground.apply(fault=Fault(template=f"change/{template}", kill_at=checkpoint))
    assert report["exit"] == 1, "the script was not killed"
    assert host(report)["status"] == "failed"
    assert ground.go_version() in {known.old, known.new}
    ground.converge()
    ground.assert_converged(known.new)


@pytest.mark.parametrize(("template", "checkpoint", "user"), REMOVALS)
def test_the_next_run_removes_what_is_left(
    template: str, checkpoint: str, user: str, make_ground: Callable[..., Ground]
) -> None:
    ground = make_ground(user)
    baseline = ground.sandbox.digest()
    ground.converge()
    ground.site.declare(state="absent")
    report = ground.apply(fault=Fault(template=f"change/{template}", kill_at=checkpoint))
    assert (report["exit"], host(report)["status"]) == (1, "failed"), "it was not killed"
    ground.converge()
    ground.assert_converged("")
    assert baseline.changes(ground.sandbox.digest()) == []
