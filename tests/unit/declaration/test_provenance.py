"""Each value knows the file and line it comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from gostead.declaration import Declared, load

from .conftest import Declare

FILES = {
    "all.yaml": """\
# first
go:
  users:
    - ann
    - ci
  toolchains:
    default:
      "1.26.8"
    keep: 2
""",
    "linux.yaml": "go:\n\n  toolchains: {keep: 3}\n",
    "hosts/web1.yaml": "go:\n  toolchains:\n    links: null\n  network: null\n",
}


def sources(declared: Declared, directory: Path, *keys: str) -> list[str]:
    return [declared.source("linux", key).removeprefix(f"{directory}/") for key in keys]


def test_a_value_names_its_file_and_line(declare: Declare, tmp_path: Path) -> None:
    declared = declare(FILES)
    directory = tmp_path / "group_data"
    assert sources(
        declared, directory, "users", "users[1]", "toolchains.default", "toolchains.keep"
    ) == ["all.yaml:3", "all.yaml:5", "all.yaml:7", "linux.yaml:3"]
    assert declared.source("darwin", "toolchains.keep") == f"{directory}/all.yaml:9"
    assert declared.where["linux"]["toolchains.keep"] == f"{directory}/linux.yaml:3"


def test_what_nobody_declared_is_a_built_in_default(declare: Declare) -> None:
    declared = declare(FILES)
    assert declared.source("linux", "scope") == "built-in default"
    assert declared.where["darwin"]["toolchains.fetch"] == "built-in default"


def test_what_null_puts_back_comes_from_that_null(declare: Declare, tmp_path: Path) -> None:
    found = sources(declare(FILES), tmp_path / "group_data", "toolchains.links", "network.auth")
    assert found == ["hosts/web1.yaml:3", "hosts/web1.yaml:4"]


def test_a_blank_section_is_nobodys_word(declare: Declare) -> None:
    files = {"all.yaml": "go:\n  toolchains:\n", "web.yaml": "go: {toolchains: {keep: 2}}"}
    assert declare(files).source("linux", "toolchains.keep") == "built-in default"
    assert declare(files, ["web"]).source("linux", "toolchains.fetch") == "built-in default"


def test_a_key_without_a_line_of_its_own_takes_the_nearest(
    declare: Declare, tmp_path: Path
) -> None:
    pins = 'go:\n  toolchains:\n    pins:\n      "1.27.9":\n        linux-amd64: {sha256: "%s"}\n'
    declared = declare(pins % ("0" * 64))
    directory = tmp_path / "group_data"
    assert sources(
        declared,
        directory,
        "go.toolchains.pins.1.27.9.linux-amd64",
        "toolchains.pins.1.27.9.linux-arm64",
        "toolchains.pins.1.27.8",
        "nonsense",
    ) == ["all.yaml:5", "all.yaml:4", "all.yaml:3", "built-in default"]


def test_the_directory_is_named_as_it_was_given(
    declare: Declare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(FILES)
    monkeypatch.chdir(tmp_path)
    declared = load(Path("group_data"), [], "web1")
    assert declared.source("linux", "toolchains.keep") == "group_data/linux.yaml:3"
