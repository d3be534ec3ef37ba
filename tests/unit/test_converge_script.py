"""script/converge hands over to `gostead apply`, from anywhere, and asks only on a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.support.small_project import SmallProject


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    """A project that is set up, in a directory with a space in its name."""
    project = SmallProject(tmp_path_factory.mktemp("converge") / "a project")
    assert project.script("setup").returncode == 0
    return project


def test_without_a_terminal_it_does_not_ask(project: SmallProject) -> None:
    done = project.script("converge", "--json", "a b")
    assert done.stdout == (
        "small gostead: apply inventories/local.py --declaration group_data -y --json a b\n"
    )
    assert done.stderr == ""


def test_on_a_terminal_asking_is_left_to_gostead(project: SmallProject) -> None:
    main, terminal = pty.openpty()
    done = subprocess.run(
        [project.root / "script/converge"], stdin=terminal, capture_output=True, text=True,
        cwd=project.root, env=project.environment(), check=True,
    )  # fmt: skip
    os.close(main)
    os.close(terminal)
    assert done.stdout == "small gostead: apply inventories/local.py --declaration group_data\n"


def test_from_elsewhere_the_projects_own_files_are_meant(
    project: SmallProject, tmp_path: Path
) -> None:
    done = project.script("converge", "--json", "report.json", cwd=tmp_path)
    root = project.root
    assert done.stdout == (
        f"small gostead: apply {root}/inventories/local.py"
        f" --declaration {root}/group_data -y --json report.json\n"
    )


def test_it_sets_up_first_and_passes_the_exit_status_on(project: SmallProject) -> None:
    project.lock("run", {"small": "1.2"})
    done = project.script("converge", "fail")
    assert done.returncode == 7
    assert "installing" in done.stderr
    assert done.stdout.startswith("small gostead: apply ")


def test_a_failed_set_up_ends_it(project: SmallProject) -> None:
    before = (project.root / "requirements/run.txt").read_text()
    project.lock("run", {"small": "1.3"}, digest="0" * 64)
    done = project.script("converge")
    assert done.returncode == 1
    assert done.stdout == ""
    (project.root / "requirements/run.txt").write_text(before)
