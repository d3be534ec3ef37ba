"""Go release names, their order and the macOS they need."""

from __future__ import annotations

import pytest

from gostead.declaration import minimum_macos, version_key
from gostead.declaration.grammar import Refusal
from gostead.declaration.users import check_user
from gostead.declaration.versions import check_platform, check_version


@pytest.mark.parametrize(
    "text", ["1.27.3", "1.21.0", "1.28rc1", "1.20", "1.20.14", "1.18beta2", "1.9.2rc2", "2.0.0"]
)
def test_releases(text: str) -> None:
    assert check_version(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.27",
        "1.27.3rc1",
        "1.27.03",
        "01.27.3",
        "1.27.3.1",
        "1.27.x",
        "v1.27.3",
        "go1.27.3",
        " 1.27.3",
        "1.27.3\n",
        "1.27.3\0",
        "1.27rc0",
        "latest",
        "--help",
        "1.22;id",
        "$(id)",
        "../1.27.3",
        "1.27.3/..",
        "\u0661.\u0662\u0667.3",
        "1.27.99999",
        "1." + "9" * 100 + ".0",
    ],
)
def test_what_is_no_release(text: str) -> None:
    with pytest.raises(Refusal):
        check_version(text)


def test_releases_sort_as_go_sorts_them() -> None:
    mixed = ["1.27.10", "1.27.0", "1.27rc2", "1.20.1", "1.27.3", "1.9.2", "1.27rc1", "1.20"]
    ordered = ["1.9.2", "1.20", "1.20.1", "1.27rc1", "1.27rc2", "1.27.0", "1.27.3", "1.27.10"]
    assert sorted(mixed, key=version_key) == ordered
    assert version_key("1.18beta2") < version_key("1.18rc1") < version_key("1.18")


@pytest.mark.parametrize(
    ("version", "macos"),
    [
        ("1.20.14", (10, 13)),
        ("1.21rc2", (10, 15)),
        ("1.22.12", (10, 15)),
        ("1.23.0", (11,)),
        ("1.24.13", (11,)),
        ("1.25.14", (12,)),
        ("1.26.8", (12,)),
        ("1.27.3", (13,)),
        ("1.30.0", (13,)),
        ("2.0.0", (13,)),
    ],
)
def test_the_macos_that_a_release_needs(version: str, macos: tuple[int, ...]) -> None:
    assert minimum_macos(version) == macos


def test_a_platform_is_a_known_one() -> None:
    assert check_platform("darwin-arm64") == "darwin-arm64"
    for text in ("linux_amd64", "linux/amd64", "windows-amd64", "linux-amd64\n", "", "--help"):
        with pytest.raises(Refusal):
            check_platform(text)


@pytest.mark.parametrize("name", ["self", "humans", "root", "_www", "a.b-c_d", "A1", "x" * 32])
def test_user_names(name: str) -> None:
    assert check_user(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "-x", "--help", "10", "a b", "a/b", "..", "~a", "ann\n", "é", "$(id)", "x" * 33],
)
def test_what_is_no_user_name(name: str) -> None:
    with pytest.raises(Refusal):
        check_user(name)
