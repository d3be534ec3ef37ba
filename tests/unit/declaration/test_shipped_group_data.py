"""The shipped declaration is quiet, and what it shows commented out works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gostead.declaration import GoSetup, load

from .conftest import Declare

GROUP_DATA = Path(__file__).parents[3] / "group_data"


def test_the_shipped_declaration_is_the_default_and_no_more() -> None:
    declared = load(GROUP_DATA, ["@local"], "@local")
    assert declared.linux == declared.darwin == GoSetup()
    declares = {k for k, where in declared.where["linux"].items() if where != "built-in default"}
    assert declares == {"toolchains", "toolchains.default"}


@pytest.mark.parametrize("path", sorted(GROUP_DATA.rglob("*.yaml")), ids=lambda p: p.name)
def test_each_file_tells_editors_its_schema(path: Path) -> None:
    first = path.read_text().splitlines()[0]
    prefix = "# yaml-language-server: $schema="
    assert first.startswith(prefix)
    assert (path.parent / first.removeprefix(prefix)).is_file()


def test_every_key_is_shown_and_works_when_uncommented(
    declare: Declare, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOPROXY_TOKEN", "token")
    lines = (GROUP_DATA / "all.yaml").read_text().splitlines()
    text = "\n".join(re.sub(r"^( *)# (?! *[a-z-]+-server)(?= )?", r"\1", x) for x in lines[4:])
    declared = declare(text.replace("\n  # ", "\n  "))
    shown = {k for k, where in declared.where["linux"].items() if where != "built-in default"}
    assert set(declared.where["linux"]) == shown
    assert declared.linux.scope == "system"
