"""Budgets: what is refused, where it stands, and what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gostead.declaration import DeclarationError

Declare = Callable[..., Any]


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ("builds: {memory_high: 90%, memory_max: 80%}", "builds.memory_high", "at most memory_max"),
        ("builds: {memory_high: 3GiB, memory_max: 2048MiB}", "builds.memory_high", "at most"),
        ("builds: {memory_high: 101%}", "builds.memory_high", "from 1% to 100%"),
        ("builds: {memory_high: 0%}", "builds.memory_high", "from 1% to 100%"),
        ("builds: {memory_high: 7.5%}", "builds.memory_high", "a whole number"),
        ("builds: {memory_max: 4GB}", "builds.memory_max", "KiB, MiB, GiB or TiB"),
        ("builds: {memory_max: 4000000}", "builds.memory_max", "a number of bytes with its unit"),
        ("builds: {memory_swap_max: 1}", "builds.memory_swap_max", "0, or"),
        ("builds: {memory_swap_max: false}", "builds.memory_swap_max", "0, or"),
        ("builds: {cpu_quota: 1.5}", "builds.cpu_quota", "percent of one processor"),
        ("builds: {cpu_weight: 0}", "builds.cpu_weight", "1"),
        ("builds: {tasks_max: 1}", "builds.tasks_max", "16"),
        ("builds: {memory: 70%}", "builds.memory", "memory_high"),
        ("units: [a.service]", "units", "a budget in slices.builds"),
        ("users: [ci]", "users", "a budget in slices.builds"),
        ("{go_limits: auto, builds: {}}", "go_limits", "a budget in slices.builds"),
        ("{builds: {tasks_max: 99}, users: [self]}", "users[0]", "a user's name"),
        ("{builds: {tasks_max: 99}, users: [ci, ci]}", "users", "each value once"),
        ("{builds: {tasks_max: 99}, units: ['*.service']}", "units[0]", "every service"),
        ("{builds: {tasks_max: 99}, units: [ssh.service]}", "units[0]", "stays where it is"),
        ("{builds: {tasks_max: 99}, units: [ssh@.service]}", "units[0]", "stays where it is"),
        ("{builds: {tasks_max: 99}, units: [sshd@x.service]}", "units[0]", "stays where it is"),
        ("{builds: {tasks_max: 99}, units: ['a b.service']}", "units[0]", "the name of a service"),
        (
            "{builds: {tasks_max: 99}, units: ['$(id).service']}",
            "units[0]",
            "the name of a service",
        ),
        ("{builds: {tasks_max: 99}, units: [a.timer]}", "units[0]", ".service"),
    ],
)
def test_what_is_refused(declare: Declare, text: str, key: str, says: str) -> None:
    inner = text if text.startswith("{") else f"{{{text}}}"
    with pytest.raises(DeclarationError) as caught:
        declare(f"{{go: {{slices: {inner}}}}}")
    problems = {problem.key: str(problem) for problem in caught.value.problems}
    assert f"go.slices.{key}" in problems, problems
    assert says in problems[f"go.slices.{key}"]


def test_what_is_taken(declare: Declare) -> None:
    budget = "memory_high: 70%, memory_max: 6GiB, memory_swap_max: 0, cpu_quota: 150%"
    setup = declare(
        f"{{go: {{slices: {{builds: {{{budget}, cpu_weight: 50, io_weight: 10, tasks_max: 512}}, "
        "users: [ci], units: ['actions.runner.*.service', 'build@.service'], go_limits: auto}}}"
    ).linux
    assert setup.slices.builds.limits() == {
        "memory_high": "70%", "memory_max": "6GiB", "memory_swap_max": "0", "cpu_quota": "150%",
        "cpu_weight": 50, "io_weight": 10, "tasks_max": 512,
    }  # fmt: skip
