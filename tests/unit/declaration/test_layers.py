"""Which files count for a host, and in which order."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gostead.declaration import DeclarationError, GoSetup, Problem, load

from .conftest import Declare

Problems = Callable[..., tuple[Problem, ...]]


def keep(number: int) -> str:
    return f"go: {{toolchains: {{keep: {number}}}}}\n"


LAYERS = {
    "all.yaml": keep(1),
    "linux.yaml": keep(2),
    "darwin.yaml": keep(3),
    "web.yaml": keep(4),
    "db.yaml": keep(5),
    "hosts/web1.yaml": keep(6),
}


@pytest.mark.parametrize(
    ("present", "groups", "linux", "darwin"),
    [
        (["all.yaml"], ["web"], 1, 1),
        (["all.yaml", "linux.yaml"], ["web"], 2, 1),
        (["all.yaml", "linux.yaml", "darwin.yaml"], [], 2, 3),
        (["all.yaml", "linux.yaml", "web.yaml"], ["web"], 4, 4),
        (["all.yaml", "linux.yaml", "web.yaml"], ["db"], 2, 1),
        (["web.yaml", "db.yaml"], ["web", "db"], 5, 5),
        (["web.yaml", "db.yaml"], ["db", "web"], 4, 4),
        (["web.yaml", "db.yaml"], ["web", "db", "web"], 5, 5),
        (list(LAYERS), ["web", "db"], 6, 6),
    ],
)
def test_the_most_specific_layer_wins(
    declare: Declare, present: list[str], groups: list[str], linux: int, darwin: int
) -> None:
    declared = declare({name: LAYERS[name] for name in present}, groups)
    assert declared.linux.toolchains.keep == linux
    assert declared.darwin.toolchains.keep == darwin
    assert declared.for_system("linux") is declared.linux
    assert declared.for_system("darwin") is declared.darwin


def test_a_directory_without_files_declares_the_defaults(declare: Declare) -> None:
    assert declare({}).linux == GoSetup()


@pytest.mark.parametrize("text", ["", "# nothing\n", "go:\n", "go: null\n", "---\n", "\ufeffgo:\n"])
def test_an_empty_file_declares_nothing(declare: Declare, text: str) -> None:
    assert declare({"all.yaml": keep(7), "web.yaml": text}, ["web"]).linux.toolchains.keep == 7


def test_a_missing_directory_says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError) as caught:
        load(tmp_path / "nowhere", [], "web1")
    (problem,) = caught.value.problems
    assert problem.where == str(tmp_path / "nowhere")
    assert "--declaration DIR" in problem.hint


def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "group_data").write_text("")
    with pytest.raises(DeclarationError, match="not a directory"):
        load(tmp_path / "group_data", [], "web1")


@pytest.mark.parametrize(
    ("host", "file"),
    [
        ("@local", "hosts/%40local.yaml"),
        ("@ssh/web1", "hosts/%40ssh%2Fweb1.yaml"),
        ("../all", "hosts/..%2Fall.yaml"),
        ("größe.example.com", "hosts/gr%C3%B6%C3%9Fe.example.com.yaml"),
        ("web-1_a~b.example.com", "hosts/web-1_a~b.example.com.yaml"),
    ],
)
def test_host_names_are_percent_encoded(declare: Declare, host: str, file: str) -> None:
    assert declare({file: keep(8)}, [], host).linux.toolchains.keep == 8


def test_a_host_name_cannot_lead_out_of_the_directory(declare: Declare, tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text(keep(9))
    assert declare({"all.yaml": keep(1)}, [], "../../secret").linux.toolchains.keep == 1


def test_group_names_are_percent_encoded_too(declare: Declare) -> None:
    assert declare({"%40local.yaml": keep(8)}, ["@local", "@local"]).linux.toolchains.keep == 8


@pytest.mark.parametrize(
    ("name", "groups", "host", "hint"),
    [
        ("@local.yaml", ["@local"], "h", "rename it to %40local.yaml"),
        ("hosts/@local.yaml", [], "@local", "rename it to %40local.yaml"),
        ("all.yml", [], "h", "rename it to all.yaml"),
        ("hosts/web1.yml", [], "h", "rename it to web1.yaml"),
        ("all.YAML", [], "h", "rename it to all.yaml"),
    ],
)
def test_a_file_that_would_never_be_read_is_a_problem(
    problems: Problems, name: str, groups: list[str], host: str, hint: str
) -> None:
    (problem,) = problems({name: keep(1)}, groups, host)
    assert (problem.where, problem.hint) == (name, hint)


def test_pyinfras_own_group_data_may_stand_beside_ours(declare: Declare) -> None:
    assert declare({"all.py": "x = 1\n", "README.md": "", "all.yaml": keep(2)}).linux


@pytest.mark.parametrize("group", ["hosts", "Linux", "ALL", ""])
def test_reserved_group_names_are_refused(problems: Problems, group: str) -> None:
    (problem,) = problems({}, [group])
    assert problem.where == "host web1"
    assert "rename the group" in problem.hint


def test_groups_named_like_a_layer_add_nothing(declare: Declare) -> None:
    declared = declare({"darwin.yaml": keep(9)}, ["all", "linux", "darwin"])
    assert declared.linux.toolchains.keep == 1, "darwin.yaml is for macOS, whatever the groups"
    assert declared.darwin.toolchains.keep == 9


def test_a_fifo_is_refused_and_not_waited_for(problems: Problems, tmp_path: Path) -> None:
    (tmp_path / "group_data").mkdir()
    os.mkfifo(tmp_path / "group_data" / "all.yaml")
    (problem,) = problems({})
    assert "not a regular file" in problem.found


def test_a_dangling_link_is_not_taken_for_a_missing_file(
    problems: Problems, tmp_path: Path
) -> None:
    (tmp_path / "group_data").mkdir()
    (tmp_path / "group_data" / "all.yaml").symlink_to("nowhere")
    (problem,) = problems({})
    assert problem.where == "all.yaml"


def test_a_name_too_long_for_a_file_has_none(declare: Declare) -> None:
    assert declare({"all.yaml": keep(2)}, ["g" * 300], "h" * 300).linux.toolchains.keep == 2
