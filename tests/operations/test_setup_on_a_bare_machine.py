"""script/setup on machines that have little: what it takes, what it asks for, what it never starts.

The machine is a throw-away root; a Mac is one whose uname says so, with the stand-ins in /usr/bin
that open a dialog on a real one (here: they leave a trace).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cache import PROJECT
from tests.support.root import Root

#: A Python as far as setup can see: new enough, and it runs what it is given.
PYTHON = '#!/bin/sh\n[ "$1" = -c ] && exit 0\nshift\necho "environment made by $0 for $*"\n'
OLD_PYTHON = '#!/bin/sh\n[ "$1" = -c ] && exit 1\necho "$0 $*" >> /tmp/started\n'
#: Must not be started; leaves a trace.
TRACE = '#!/bin/sh\necho "$0 $*" >> /tmp/started\n'
#: Not where setup looks by itself.
REAL = "/opt/elsewhere/python"

BareMachine = Callable[..., Root]


@pytest.fixture
def bare(make_root: Callable[..., Root]) -> BareMachine:
    """Return a function that makes a machine with the project's scripts and these programs.

    A working Python is at /opt/elsewhere/python, which is on nobody's PATH.
    """

    def make(system: str = "Linux", **programs: str) -> Root:
        root = make_root()
        project = root.path / "srv/project"
        (project / "requirements").mkdir(parents=True)
        (project / "requirements/run.txt").touch()
        (project / "script").mkdir()
        shutil.copy(PROJECT / "script/setup", project / "script/setup")
        add(root, REAL, PYTHON)
        add(root, "/usr/local/bin/uname", f"#!/bin/sh\necho {system}\n")
        for path, text in programs.items():
            add(root, path, text)
        return root

    return make


def add(root: Root, path: str, text: str) -> None:
    """Put a program into the root."""
    file = root.path / path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)


def started(root: Root) -> str:
    """What was started of that which must not be."""
    trace = root.path / "tmp/started"
    return trace.read_text() if trace.exists() else ""


def test_without_any_python_it_stops_and_says_what_to_install(bare: BareMachine) -> None:
    root = bare()
    done = root.run("/srv/project/script/setup")
    assert (done.returncode, done.stdout) == (1, "")
    error, *hints = done.stderr.splitlines()
    assert error == "error: no Python 3.11 or newer was found, and no uv that could fetch one."
    assert "apt-get install python3 python3-venv" in hints[0]
    assert "GOSTEAD_PYTHON=" in hints[1]
    assert not (root.path / "srv/project/.venv").exists()


def test_a_python_in_an_unusual_place_may_be_named(bare: BareMachine) -> None:
    done = bare().run("/srv/project/script/setup", env={"GOSTEAD_PYTHON": REAL}, check=True)
    assert done.stdout == f"environment made by {REAL} for /srv/project run\n"


def test_an_old_python3_is_passed_over_for_a_newer_one(bare: BareMachine) -> None:
    newer = "/usr/local/bin/python3.12"
    root = bare(**{"/usr/bin/python3": OLD_PYTHON, newer: PYTHON})
    done = root.run("/srv/project/script/setup dev", check=True)
    assert started(root) == ""
    assert done.stdout == f"environment made by {newer} for /srv/project dev\n"


def test_a_python_that_does_not_run_is_passed_over(bare: BareMachine) -> None:
    shim = "#!/bin/sh\necho 'pyenv: python3.13: command not found' >&2\nexit 127\n"
    broken = {"/usr/local/bin/python3": "#!/no/such/shim\n", "/usr/local/bin/python3.13": shim}
    done = bare(**broken, **{"/usr/bin/python3.11": PYTHON}).run("/srv/project/script/setup")
    assert done.stdout == "environment made by /usr/bin/python3.11 for /srv/project run\n"


def test_uv_is_asked_for_a_python_and_fetches_one_if_it_has_none(bare: BareMachine) -> None:
    uv = f"""#!/bin/sh
echo "$*" >> /tmp/uv
case "$*" in
"python find"*) [ -e /tmp/fetched ] && echo {REAL} ;;
"python install"*) touch /tmp/fetched ;;
esac
"""
    root = bare(**{"/usr/local/bin/uv": uv})
    done = root.run("/srv/project/script/setup", check=True)
    assert "environment made by" in done.stdout
    assert "uv fetches one" in done.stderr
    asked = (root.path / "tmp/uv").read_text().splitlines()
    assert [" ".join(line.split()[:2]) for line in asked] == [
        "python find", "python install", "python find",
    ]  # fmt: skip


def test_on_a_fresh_mac_no_stand_in_is_started(bare: BareMachine) -> None:
    stand_ins = {f"/usr/bin/{name}": TRACE for name in ("python3", "git", "make", "pip3")}
    select = "#!/bin/sh\necho 'xcode-select: error: unable to get active developer' >&2\nexit 2\n"
    root = bare("Darwin", **stand_ins, **{"/usr/bin/xcode-select": select})
    done = root.run("/srv/project/script/setup")
    assert done.returncode == 1
    assert "brew install uv" in done.stderr
    assert started(root) == ""


@pytest.mark.parametrize(
    "place",
    ["/opt/homebrew/bin/python3", "/usr/local/bin/python3.12", "/opt/homebrew/bin/python3.11"],
)
def test_on_a_mac_homebrews_python_is_found_past_the_stand_in(
    bare: BareMachine, place: str
) -> None:
    root = bare(
        "Darwin", **{"/usr/bin/python3": TRACE, "/usr/bin/xcode-select": "#!/bin/sh\nexit 2\n"}
    )
    add(root, place, PYTHON)
    assert root.run("/srv/project/script/setup").returncode == 0
    assert started(root) == ""


def test_on_a_mac_the_stand_in_is_started_once_there_is_something_behind_it(
    bare: BareMachine,
) -> None:
    behind = "/Library/Developer/CommandLineTools"
    root = bare(
        "Darwin",
        **{
            "/usr/bin/python3": PYTHON,
            "/usr/bin/xcode-select": f"#!/bin/sh\necho {behind}\n",
        },
    )
    assert root.run("/srv/project/script/setup").returncode == 1
    add(root, f"{behind}/usr/bin/python3", "#!/bin/sh\n")
    assert root.run("/srv/project/script/setup").returncode == 0


def test_the_project_itself_needs_no_gnu_tool_to_set_up(make_root: Callable[..., Root]) -> None:
    root = make_root("busybox")
    project = root.path / "srv/project"
    (project / "script").mkdir(parents=True)
    shutil.copy(PROJECT / "script/setup", project / "script/setup")
    done = root.run("/srv/project/script/setup")
    assert done.returncode == 1
    assert done.stderr.startswith("error: no Python 3.11 or newer was found")
    assert not Path("/srv/project").exists()
