"""The nearest thing to a budget for builds on a stand-in of a Mac: go-slice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.hosts.darwin.mac import Mac
from tests.hosts.darwin.test_life import findings
from tests.support.controller import Controller

ASK = "go-slice sh -c 'echo \"$GOMAXPROCS $GOMEMLIMIT\"'"
ON_PATH = "PATH=/usr/local/bin:$PATH"


def test_go_is_told_of_the_budget_by_go_slice_alone(
    apple: Callable[..., tuple[Mac, Controller]],
) -> None:
    mac, controller = apple("tahoe")
    baseline = mac.shell("find /usr/local | sort").stdout

    def apply(**slices: Any) -> dict[str, Any]:
        controller.site.declare(users=["kim"], slices=slices)
        report = controller.converge()
        (host,) = report["hosts"].values()
        return dict(host)

    # The stand-in has 8 GiB (hw.memsize) and 2 processors (hw.ncpu): half of it is 4 GiB, of which
    # each of two compilers is told 40%.
    host = apply(builds={"memory_high": "50%"}, go_limits="auto")
    assert [said["subject"] for said in host["not_applicable"]] == ["slices"]
    told = mac.shell(f"{ON_PATH}; {ASK}", user="kim").stdout
    assert told == "2 1638MiB\n"
    assert mac.shell(f"{ON_PATH}; GOMAXPROCS=7 {ASK}", user="kim").stdout == "7 1638MiB\n"
    assert mac.shell("echo $GOMAXPROCS$GOMEMLIMIT", user="kim").stdout == "\n"
    assert mac.shell(f"{ON_PATH}; go-slice sh -c 'exit 7'", user="kim").returncode == 7
    assert apply(builds={"memory_high": "50%"}, go_limits="auto")["changes"] == []
    report = controller.ask("audit")
    assert (report["exit"], findings(report)) == (0, [])

    apply(builds={"memory_high": "1GiB"}, go_limits="auto")
    assert mac.shell(f"{ON_PATH}; {ASK}", user="kim").stdout == "2 409MiB\n"
    apply()
    assert mac.shell(f"{ON_PATH}; command -v go-slice", user="kim").stdout == ""
    assert controller.ask("remove", "-y")["exit"] == 0
    assert mac.shell("find /usr/local | sort").stdout == baseline
    assert (mac.touched, mac.unknown) == ([], [])


def test_a_budget_that_is_required_is_an_error(
    apple: Callable[..., tuple[Mac, Controller]],
) -> None:
    mac, controller = apple("tahoe")
    controller.site.declare(slices={"when": "required", "builds": {"memory_high": "50%"}})
    report = controller.ask("plan")
    assert report["exit"] == 1
    assert "a budget is required" in str(report)
    assert mac.unknown == []
