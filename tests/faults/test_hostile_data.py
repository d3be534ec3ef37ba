"""hostile-data: whatever stands in a declaration is refused at load, with file and line."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gostead.declaration import (
    DeclarationError,
    Declared,
    GoSetup,
    Network,
    Problem,
    Toolchains,
    documents,
    load,
)

NAMES = [name for name in ("CSafeLoader", "SafeLoader") if hasattr(yaml, name)]


@pytest.fixture(params=NAMES)
def group_data(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A declaration directory, read by libyaml's parser and by PyYAML's own in turn."""
    monkeypatch.setattr(documents, "_LOADER", getattr(yaml, request.param))
    return tmp_path


def problems(directory: Path, content: bytes | str) -> tuple[Problem, ...]:
    data = content.encode("utf-8") if isinstance(content, str) else content
    (directory / "all.yaml").write_bytes(data)
    with pytest.raises(DeclarationError) as caught:
        load(directory, [], "web1")
    return caught.value.problems


@pytest.mark.parametrize(
    "value", ["--help", "1.22;id", "$(id)", "`id`", "1.27.3\\n", "1.27.3\\0", "../..", "1.27.3 -x"]
)
@pytest.mark.parametrize(
    "line",
    [
        'toolchains: {{default: "{}"}}',
        'toolchains: {{versions: ["{}"]}}',
        'toolchains: {{pins: {{"{}": {{}}}}}}',
        'toolchains: {{pins: {{"1.27.3": {{"{}": {{}}}}}}}}',
        'toolchains: {{pins: {{"1.27.3": {{linux-amd64: {{h1: "{}"}}}}}}}}',
        'toolchains: {{archive_url: "{}"}}',
        'toolchains: {{goproxy: "{}"}}',
        'network: {{proxy: "{}"}}',
        'network: {{ca_bundle: "{}"}}',
        'scope: "{}"',
    ],
)
def test_no_value_can_become_an_option_a_command_or_a_path(
    group_data: Path, line: str, value: str
) -> None:
    (problem,) = problems(group_data, f"go:\n\n  {line.format(value)}\n")
    assert problem.where == f"{group_data}/all.yaml:3"
    assert problem.key.startswith("go.")
    assert str(problem).isprintable() or str(problem).replace("\n", "").isprintable()


@pytest.mark.parametrize("value", ["--help", "a;id", "$(id)", "a\\nb", "a\\0", "../..", "0", "a b"])
def test_no_user_name_can_become_one_either(group_data: Path, value: str) -> None:
    (problem,) = problems(group_data, f'go:\n  users:\n    - ann\n    - "{value}"\n')
    assert problem.where == f"{group_data}/all.yaml:4"


@pytest.mark.parametrize(
    ("content", "line", "found"),
    [
        (b"go:\n  state: present\0\n", 2, "U+0000"),
        (b"go:\n  # \x1b[2J\n", 2, "U+001B"),
        ("go:\n  # \u202e\n", 2, "U+202E"),
        ("go:\n  # \u2028\n", 2, "U+2028"),
        ("go:\n  # \x85\n", 2, "U+0085"),
        (b"go:\n  # caf\xe9\n", 2, "the byte 0xe9"),
        ("go:\n".encode("utf-16"), 1, "the byte 0xff"),
        (b"go: {}\n" + b"#" * 10_000_000, 1, "more than 1048576 bytes"),
        (b"go: " + b"[" * 1_000_000, 1, "too deep"),
        (b"go:\n" + b"".join(b"%s-\n" % (b" " * n) for n in range(500)), 18, "too deep"),
        (b"go: [" + b"a," * 500_000 + b"]", 1, "too large"),
        (b"go:\n  users: &u [ann]\n", 2, "the anchor &u"),
        (b"go:\n  users: *u\n", 2, "the alias *u"),
        (b"go:\n  users: !!python/object/apply:os.system [id]\n", 2, "the YAML tag"),
        (b"go:\n  users: !!python/name:os.system\n", 2, "the YAML tag"),
        (b"go:\n  scope: !!str user\n", 2, "the YAML tag"),
        (b"go:\n  scope: !<!env> HOME\n", 2, "!env, which is for secrets"),
        (b"go:\n  scope: ! user\n", 2, "the YAML tag"),
        (b"go:\n  network: {auth: !env [HOME]}\n", 2, "the YAML tag"),
        (b"go:\n  network: {auth: !include x}\n", 2, "the YAML tag"),
        (b"%TAG ! tag:x,2000:\n---\ngo:\n  network: {auth: !env HOME}\n", 4, "the YAML tag"),
        (b"go: {}\n---\ngo: {}\n", 2, "a second YAML document"),
        (b"go:\n  scope: user\n  scope: auto\n", 3, "the key"),
        (b"go:\n  <<: {scope: user}\n", 2, "a key that is not text"),
        (b"go:\n  ? [a]\n  : 1\n", 2, "a key that is not text"),
        (b"go:\n  null: 1\n", 2, "a key that is not text"),
        (b"go:\n  !env HOME: 1\n", 2, "a key that is not text"),
        (b"go:\n\tscope: user\n", 2, "broken YAML"),
        (b"go: {\n", 2, "broken YAML"),
        (b'go: "\\U00110000"\n', 1, "broken YAML"),
        (b"go:\n  scope: 'user\n", 3, "broken YAML"),
    ],
)
def test_what_a_declaration_has_no_use_for_is_refused_by_line(
    group_data: Path, content: bytes | str, line: int, found: str
) -> None:
    started = time.monotonic()
    found_problems = problems(group_data, content)
    assert time.monotonic() - started < 5
    assert f"{group_data}/all.yaml:{line}" in {problem.where for problem in found_problems}
    assert any(found in problem.found for problem in found_problems)


def test_an_alias_bomb_is_never_expanded(group_data: Path) -> None:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    started = time.monotonic()
    found = problems(group_data, "go:\n" + "".join(f"  {line}\n" for line in lines))
    assert time.monotonic() - started < 2
    assert {problem.found for problem in found} >= {"the anchor &a0", "the alias *a0"}


def test_a_flood_of_mistakes_is_cut(group_data: Path) -> None:
    found = problems(group_data, "go:\n" + "".join(f"  key{n}: 1\n" for n in range(5000)))
    assert len(found) == 200


def test_nothing_runs_while_loading(group_data: Path) -> None:
    mark = group_data / "mark"
    problems(group_data, f"go:\n  scope: !!python/object/apply:os.system ['touch {mark}']\n")
    assert not mark.exists()


def test_a_large_file_costs_little_memory(group_data: Path) -> None:
    with (group_data / "linux.yaml").open("wb") as stream:
        stream.truncate(300_000_000)
    tracemalloc.start()
    try:
        problems(group_data, b"go: [" + b"a," * 500_000 + b"]")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40_000_000


WORDS = st.sampled_from(
    [key for model in (GoSetup, Toolchains, Network) for key in model.model_fields]
    + [
        "go",
        "1.27.3",
        "1.30",
        "linux-amd64",
        "h1",
        "sha256",
        "[key]",
        "present",
        "off",
        "null",
        "~",
    ]
    + ["<<", "-1", "http://u:p@x", "file://", "!env", "!env HOME", "!file", "&a", "*a", "!!str"]
)
TEXTS = st.one_of(WORDS, st.text(max_size=8))
VALUES = st.recursive(
    st.one_of(TEXTS, st.none(), st.booleans(), st.integers(), st.floats(), st.binary(max_size=4)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=5)),
    max_leaves=25,
)
SYNTAX = st.lists(
    st.one_of(WORDS, st.sampled_from([": ", "\n", "  ", "- ", "{", "}", "[", "]", ",", "'", '"'])),
    max_size=40,
).map("".join)


def check_outcome(directory: Path, content: bytes) -> None:
    (directory / "all.yaml").write_bytes(content)
    for name in NAMES:
        before = documents._LOADER
        documents._LOADER = getattr(yaml, name)
        try:
            result: Any = load(directory, [], "h")
        except DeclarationError as error:
            result = error.problems
        finally:
            documents._LOADER = before
        if isinstance(result, Declared):
            continue
        assert result
        for problem in result:
            assert problem.where.startswith(f"{directory}/all.yaml:")
            assert problem.found
            assert problem.expected
            assert all(line.isprintable() for line in str(problem).splitlines())
            assert len(str(problem)) < 2000


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=200), SYNTAX.map(str.encode)))
@example(b"go: {[key]: 1}")
@example(b'"\\ud800": 1')
@example(b'go: {"\\ud800": "\\ud800"}')
def test_arbitrary_bytes_are_a_declaration_or_a_declaration_error(
    scratch: Path, content: bytes
) -> None:
    check_outcome(scratch, content)


@settings(max_examples=150, deadline=None)
@given(VALUES)
@example({"[key]": 1})
@example({"toolchains": {"pins": {"[key]": {"[key]": 1}}}})
@example({"toolchains": {"default": float("nan")}})
def test_arbitrary_structures_are_a_declaration_or_a_declaration_error(
    scratch: Path, value: object
) -> None:
    check_outcome(scratch, yaml.safe_dump({"go": value}, allow_unicode=True).encode())
