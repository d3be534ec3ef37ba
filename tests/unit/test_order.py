"""One order of subjects: the deploy's and the plan's."""

from __future__ import annotations

import ast
import inspect

from gostead import deploy
from gostead.cli.session import PLANNERS
from gostead.facts.host_state import SUBJECTS


def test_the_plan_has_the_order_of_the_deploy() -> None:
    calls = [
        node
        for node in ast.walk(ast.parse(inspect.getsource(deploy)))
        if isinstance(node, ast.Expr)
    ]
    called = [
        node.value.func.id
        for node in calls
        if isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name)
    ]
    assert called == [name for name, _ in PLANNERS]


#: What stands in homes is read with the shells' files.
WITH_THE_HOMES = {"go_env"}


def test_every_subject_that_is_planned_is_probed() -> None:
    assert {name for name, _ in PLANNERS} - {"removal"} - WITH_THE_HOMES == set(SUBJECTS) - {
        "system"
    }
