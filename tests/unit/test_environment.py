"""script/setup makes the environment, keeps it right, and costs nothing when it is."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.digest import digest_tree
from tests.support.small_project import SmallProject

MADE_ANEW = "made anew"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    """A project in a directory with a space in its name, set up; for tests that leave it so."""
    project = SmallProject(tmp_path_factory.mktemp("setup") / "a project")
    done = project.script("setup")
    assert done.returncode == 0, done.stderr
    return project


@pytest.fixture
def project(made: SmallProject, tmp_path: Path) -> Iterator[SmallProject]:
    """A project of the test's own that is not set up yet."""
    yield SmallProject(tmp_path / "a project")
    shutil.rmtree(tmp_path / "a project")


def test_the_environment_has_what_the_lock_file_names(made: SmallProject) -> None:
    assert made.python("import small; print(small.version)") == "1.0"
    assert made.python("import gostead; print(gostead.__file__)").startswith(str(made.root))
    with pytest.raises(subprocess.CalledProcessError):
        made.python("import extra")


def test_the_launcher_works_in_a_path_with_spaces_from_anywhere(made: SmallProject) -> None:
    done = subprocess.run(
        [made.root / ".venv/bin/gostead", "plan", "a b"], cwd="/", capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "small gostead: plan a b\n")


def test_a_second_run_changes_nothing_and_starts_no_python(made: SmallProject) -> None:
    python = made.root / ".venv/bin/python"
    target = python.readlink()
    python.unlink()
    python.write_text(f"#!/bin/sh\ntouch '{made.root}/started'\n")
    python.chmod(0o755)
    try:
        before = digest_tree(made.root, times=True)
        started = time.monotonic()
        done = made.script("setup", cwd=Path("/"))
        seconds = time.monotonic() - started
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert before.changes(digest_tree(made.root, times=True)) == []
        assert seconds < 0.5
    finally:
        python.unlink()
        python.symlink_to(target)


@pytest.mark.slow
def test_dev_serves_for_run_and_a_new_lock_file_is_installed(project: SmallProject) -> None:
    assert project.script("setup", "dev").returncode == 0
    assert project.python("import extra; print(extra.version)") == "2.0"
    assert project.script("setup", "run").stderr == ""
    project.lock("run", {"small": "1.1"})
    done = project.script("setup", "run")
    assert "installing" in done.stderr
    assert MADE_ANEW not in done.stderr
    assert project.python("import small; print(small.version)") == "1.1"


@pytest.mark.slow
def test_a_package_with_another_hash_is_refused(project: SmallProject) -> None:
    project.lock("run", {"small": "1.0"}, digest="0" * 64)
    done = project.script("setup")
    assert done.returncode == 1
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert "error: " in done.stderr
    assert "hint: " in done.stderr
    project.lock("run", {"small": "1.0"})
    assert project.script("setup").returncode == 0
    assert project.python("import small; print(small.version)") == "1.0"


def test_a_package_without_a_hash_is_refused(made: SmallProject) -> None:
    lock = made.root / "requirements/run.txt"
    before = lock.read_text()
    try:
        lock.write_text("small==1.0\n")
        command = [
            str(made.root / ".venv/bin/python"),
            "-m",
            "pip",
            "uninstall",
            "-q",
            "-y",
            "small",
        ]
        subprocess.run(command, check=True, capture_output=True)
        done = made.script("setup")
        assert done.returncode == 1
        assert "hash" in done.stderr
    finally:
        lock.write_text(before)
        assert made.script("setup").returncode == 0


@pytest.mark.parametrize(("version", "status"), [((3, 10, 14), 1), ((3, 11, 0), 0)])
def test_a_python_before_3_11_is_none(
    tmp_path: Path, version: tuple[int, int, int], status: int
) -> None:
    project = SmallProject(tmp_path / "project")
    (project.root / "script/environment.py").write_text("print('environment')\n")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("uname", "cmp"):
        (programs / name).symlink_to(shutil.which(name) or name)
    code = f"import sys; sys.version_info = {version}; exec(sys.argv[1])"
    python = programs / "python3"
    pretend = f'[ "$1" = -c ] && exec {sys.executable} -c "{code}" "$2"'
    python.write_text(f'#!/bin/sh\n{pretend}\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    done = project.script("setup", PATH=str(programs))
    assert done.returncode == status, done.stderr
    assert done.stdout == ("environment\n" if status == 0 else "")


@pytest.mark.slow
def test_settings_about_where_to_install_do_not_lead_astray(
    project: SmallProject, tmp_path: Path
) -> None:
    elsewhere = str(tmp_path / "elsewhere")
    done = project.script(
        "setup", PIP_USER="1", PIP_TARGET=elsewhere, PYTHONPATH=elsewhere, PYTHONHOME="/nowhere"
    )
    assert done.returncode == 0, done.stderr
    assert project.python("import small; print(small.version)") == "1.0"
    assert not Path(elsewhere).exists()


@pytest.mark.slow
def test_an_environment_whose_making_was_killed_is_made_anew(project: SmallProject) -> None:
    with subprocess.Popen(
        [project.root / "script/setup"], env=project.environment(), stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:  # fmt: skip
        deadline = time.monotonic() + 30
        while not (project.root / ".venv/bin/python").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
    assert (project.root / ".venv").exists()
    done = project.script("setup")
    assert done.returncode == 0
    assert MADE_ANEW in done.stderr
    assert project.python("import small; print(small.version)") == "1.0"
    assert project.script("setup").stderr == ""


@pytest.mark.slow
def test_two_at_once_make_one_environment(project: SmallProject) -> None:
    both = [
        subprocess.Popen(
            [project.root / "script/setup"], env=project.environment(), stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    said = [process.communicate(timeout=120)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum(text.count("installing") for text in said) == 1
    assert project.python("import small; print(small.version)") == "1.0"


@pytest.mark.slow
def test_a_project_that_moved_or_lost_its_python_gets_a_new_environment(
    project: SmallProject, tmp_path: Path
) -> None:
    assert project.script("setup").returncode == 0
    project.root = project.root.rename(tmp_path / "moved")
    done = project.script("setup")
    assert MADE_ANEW in done.stderr
    launcher = (project.root / ".venv/bin/small").read_text()
    assert str(tmp_path / "moved") in launcher
    assert "a project" not in launcher
    real = next(p for p in (project.root / ".venv/bin").glob("python3.*"))
    real.unlink()
    real.symlink_to("/nowhere/python")
    done = project.script("setup")
    assert done.returncode == 0
    assert MADE_ANEW in done.stderr
    project.root.rename(tmp_path / "a project")


def test_an_unknown_kind_is_refused(made: SmallProject) -> None:
    done = made.script("setup", "prod")
    assert (done.returncode, done.stdout) == (64, "")
    assert "run or dev" in done.stderr
