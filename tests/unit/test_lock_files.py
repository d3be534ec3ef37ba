"""The lock files: hashes for everything, no index, and `dev` holds all of `run`."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.support import registry_hosts
from tests.support.cache import PROJECT


def entries(kind: str) -> dict[str, str]:
    """Name -> the whole entry, of one lock file."""
    text = (PROJECT / "requirements" / f"{kind}.txt").read_text().replace("\\\n", "")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {re.split(r"==", line)[0]: " ".join(line.split()) for line in lines}


@pytest.mark.parametrize("kind", ["run", "dev"])
def test_every_package_has_a_version_and_hashes_and_no_address(kind: str) -> None:
    text = (PROJECT / "requirements" / f"{kind}.txt").read_text()
    assert "://" not in text
    assert not re.search(r"^\s*--?(i|f|index-url|extra-index-url|find-links)\b", text, re.MULTILINE)
    found = entries(kind)
    assert len(found) > 20
    for entry in found.values():
        assert re.match(
            r"[a-z0-9.-]+==[0-9][^ ]*( ; [^-]*)?( --hash=sha256:[0-9a-f]{64})+$", entry
        ), entry


def test_dev_holds_all_of_run_in_the_same_versions() -> None:
    dev = entries("dev")
    for name, entry in entries("run").items():
        assert dev[name] == entry


def test_what_the_project_declares_is_locked() -> None:
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    for kind, names in (
        ("run", declared["project"]["dependencies"]),
        ("dev", declared["dependency-groups"]["dev"]),
    ):
        for requirement in names:
            name = re.match(r"[A-Za-z0-9._-]+", requirement)
            assert name is not None
            assert re.sub(r"[._]", "-", name[0].lower()) in entries(kind)


def test_registry_hosts_are_known_here_and_found_where_they_stand() -> None:
    """Without naming one: a host that the project does name must be found, in files and log."""
    assert registry_hosts.registry_hosts()
    assert any(place.startswith("LICENSE:") for place in registry_hosts.places({"software"}))
    assert registry_hosts.places(set()) == []
