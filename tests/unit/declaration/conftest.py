"""A directory of layers to load."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from gostead.declaration import DeclarationError, Declared, Problem, load

Declare = Callable[..., Declared]


@pytest.fixture
def declare(tmp_path: Path) -> Declare:
    """Writes files below group_data/ (name to text) and loads them for a host."""

    def write_and_load(
        files: Mapping[str, str | bytes] | str,
        groups: Sequence[str] = (),
        host: str = "web1",
    ) -> Declared:
        directory = tmp_path / "group_data"
        directory.mkdir(exist_ok=True)
        for name, content in ({"all.yaml": files} if isinstance(files, str) else files).items():
            path = directory / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return load(directory, groups, host)

    return write_and_load


@pytest.fixture
def problems(declare: Declare, tmp_path: Path) -> Callable[..., tuple[Problem, ...]]:
    """The problems of a declaration that must be refused; `where` is made relative to it."""

    def refuse(
        files: Mapping[str, str | bytes] | str,
        groups: Sequence[str] = (),
        host: str = "web1",
    ) -> tuple[Problem, ...]:
        with pytest.raises(DeclarationError) as caught:
            declare(files, groups, host)
        prefix = f"{tmp_path / 'group_data'}/"
        return tuple(
            Problem(p.where.removeprefix(prefix), p.key, p.found, p.expected, p.hint)
            for p in caught.value.problems
        )

    return refuse
