"""The built wheel serves somebody else's pyinfra repository, and hides nothing of theirs."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cache import PROJECT
from tests.support.root import Mount
from tests.support.sandbox import Sandbox
from tests.support.site import Site

THEIR_OPERATION = """\
from pyinfra.api import operation

@operation()
def hello():
    yield "touch /root/their-operation-ran"
"""
THEIR_DEPLOY = """\
import gostead
from gostead.operations import shells, toolchains
from operations.greet import hello

assert "installed" in gostead.__file__, gostead.__file__
hello()
toolchains()
shells()
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this tree and unpacked as an installer would."""
    directory = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", directory],
        cwd=PROJECT, check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = directory.glob("*.whl")
    target = directory / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def test_the_wheel_holds_one_import_name(installed: Path) -> None:
    names = {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")}
    assert names == {"gostead"}


def test_the_wheel_holds_templates_and_pins(installed: Path) -> None:
    held = {str(path.relative_to(installed)) for path in installed.rglob("*")}
    ours = {
        str(path.relative_to(PROJECT))
        for path in (PROJECT / "gostead").rglob("*")
        if path.suffix in (".j2", ".json", ".py") and "__pycache__" not in path.parts
    }
    assert ours <= held


def test_a_foreign_repository_with_operations_of_its_own_uses_ours(
    installed: Path, make_sandbox: Callable[..., Sandbox], tmp_path: Path
) -> None:
    site = Site(tmp_path)
    (tmp_path / "operations").mkdir()
    (tmp_path / "operations/__init__.py").touch()
    (tmp_path / "operations/greet.py").write_text(THEIR_OPERATION)
    (tmp_path / "deploy.py").write_text(THEIR_DEPLOY)
    sandbox = make_sandbox(mounts=[Mount(tmp_path), Mount(installed)])
    done = sandbox.python(
        "-m", "pyinfra", "-y", "@local", "deploy.py",
        cwd=str(site.directory), env={"PYTHONPATH": str(installed)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert sandbox.run("bash -lc 'go version'").stdout == "go version go1.27.3 linux/amd64\n"
    assert (sandbox.path / "root/their-operation-ran").exists()


def test_where_it_is_installed_pytest_knows_the_audit(installed: Path, tmp_path: Path) -> None:
    def collect(*options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pytest", *options, "--pyargs", "gostead.audit",
             "--collect-only", "-q", "--hosts=local://", "--gostead-host=@local"],
            cwd=tmp_path, env={"PYTHONPATH": str(installed), "PATH": "/usr/bin:/bin"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    # The name as an option is the same plugin, not a second one.
    for options in ((), ("-p", "gostead.audit.plugin")):
        done = collect(*options)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "test_toolchains.py" in done.stdout
