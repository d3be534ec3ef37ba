"""What a refusal says: file and line, key, what was found, what is allowed, what to do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gostead.declaration import DeclarationError, Problem

from .conftest import Declare

Problems = Callable[..., tuple[Problem, ...]]


def test_a_problem_reads_in_three_parts() -> None:
    problem = Problem("group_data/all.yaml:4", "go.scope", '"x"', "auto or user", "write auto")
    assert str(problem) == (
        'group_data/all.yaml:4: go.scope: found "x"\n  expected: auto or user\n  hint: write auto'
    )


def test_everything_wrong_is_reported_at_once_and_once(problems: Problems) -> None:
    found = problems(
        {
            "all.yaml": 'go:\n  scope: sytem\n  toolchains:\n    default: 1.30\n    keep: "2"\n',
            "linux.yaml": "go: {users: ann}\n",
            "darwin.yaml": "go: {toolchains: {fetch: hosts}}\n",
            "hosts/web1.yaml": 'go: {scope: user, toolchains: {default: "1.27.3"}}\n',
        }
    )
    assert [(p.where, p.key) for p in found] == [
        ("all.yaml:2", "go.scope"),
        ("all.yaml:4", "go.toolchains.default"),
        ("all.yaml:5", "go.toolchains.keep"),
        ("linux.yaml:1", "go.users"),
        ("darwin.yaml:1", "go.toolchains.fetch"),
    ], "also what the host's own layer hides, and what is wrong on the other system"


@pytest.mark.parametrize(
    ("text", "key", "found", "hint"),
    [
        ("toolchain: {}", "go.toolchain", "an unknown key", "did you mean toolchains?"),
        ("quantum: {}", "go.quantum", "an unknown key", "`gostead schema` lists every key"),
        (
            "toolchains: {verions: []}",
            "go.toolchains.verions",
            "an unknown key",
            "did you mean v",
        ),
        (
            'default: "1.27.3"',
            "go.default",
            "an unknown key",
            "did you mean go.toolchains.default?",
        ),
        (
            "toolchains: {scope: user}",
            "go.toolchains.scope",
            "an unknown",
            "did you mean go.scope?",
        ),
        ("scope: sytem", "go.scope", '"sytem"', "did you mean system?"),
        (
            "toolchains: {default: 1.30}",
            "go.toolchains.default",
            "1.30, a number",
            "number 1.3; quo",
        ),
        (
            "toolchains: {versions: [1.26]}",
            "go.toolchains.versions[0]",
            "1.26, a number",
            "quote it",
        ),
        ('toolchains: {default: "1.27"}', "go.toolchains.default", '"1.27"', '"1.27.0"'),
        (
            "toolchains: {default: go1.27.3}",
            "go.toolchains.default",
            '"go1.27.3"',
            'write "1.27.3"',
        ),
        ("toolchains: {default: [a]}", "go.toolchains.default", "a list", 'example: "1.27.3"'),
        ("toolchains: {versions: {}}", "go.toolchains.versions", "a map", 'example: ["1.26.8"]'),
        ("toolchains: {sources: []}", "go.toolchains.sources", "a list", 'example: ["module"]'),
        ("toolchains: {keep: -1}", "go.toolchains.keep", "-1, a number", "example"),
        ("toolchains: {keep: 1.5}", "go.toolchains.keep", "1.5, a number", "example"),
        ("toolchains: {keep: yes}", "go.toolchains.keep", '"yes"', "example"),
        ("toolchains: {links: no}", "go.toolchains.links", '"no"', "schema"),
        ("toolchains: []", "go.toolchains", "a list", "example"),
        ("users: [ci, ci]", "go.users", "a list", "remove one ci"),
        ("users: [1000]", "go.users[0]", "1000, a number", "quote it"),
        ("users: [null]", "go.users[0]", "null", "example"),
        ("users: {}", "go.users", "a map", "example"),
        ('toolchains: {pins: {"1.27.3": {linux-amd46: {}}}}', "", 'the key "linux-amd46"', "amd64"),
        ("toolchains: {pins: {1.30: {}}}", "go.toolchains.pins.1.30", 'the key "1.30"', '"1.30.0"'),
        ('toolchains: {pins: {"1.27.3": {linux-amd64: {h2: 1}}}}', "", "an unknown key", "schema"),
    ],
)
def test_a_refusal_says_what_was_found_and_what_to_do(
    problems: Problems, text: str, key: str, found: str, hint: str
) -> None:
    (problem,) = problems(f"go:\n  # a line\n  {text}\n")
    assert problem.where == "all.yaml:3"
    assert problem.key == key or not key
    assert problem.found.startswith(found)
    assert hint in problem.hint
    assert problem.expected


def test_the_line_is_the_items_own(problems: Problems) -> None:
    (problem,) = problems(
        'go:\n  toolchains:\n    versions:\n      - "1.26.8"\n      - go1.25.14\n'
    )
    assert problem.where == "all.yaml:5"
    assert problem.key == "go.toolchains.versions[1]"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("toolchains: {}\n", "an unknown key"),
        ("- go\n", "no map"),
        ("just text\n", "no map"),
        ("go: [1]\n", "no map"),
        ("go: text\n", "no map"),
        ("go: {}\nGo: {}\n", "an unknown key"),
    ],
)
def test_a_file_holds_one_map_below_go(problems: Problems, text: str, found: str) -> None:
    (problem,) = problems(text)
    assert problem.found == found


def test_a_key_outside_go_says_where_it_belongs(problems: Problems) -> None:
    (problem,) = problems("toolchains: {}\n")
    assert problem.hint == "put toolchains below go:"


def test_words_of_yaml_1_1_are_the_words_they_are(declare: Declare) -> None:
    toolchains = declare("go: {toolchains: {links: off, goproxy: off}}").linux.toolchains
    assert (toolchains.links, toolchains.goproxy) == ("off", "off")


@pytest.mark.parametrize(
    "text",
    ["scope: {0}", "{0}: 1", "users: [{0}]", "toolchains: {{pins: {{{0}: 1}}}}", "scope: !{0} a"],
)
def test_a_problem_is_short_whatever_was_found(problems: Problems, text: str) -> None:
    for problem in problems(f"go:\n  {text.format('x' * 900)}\n"):
        assert len(str(problem)) < 700


def test_the_error_is_readable_as_a_whole(declare: Declare) -> None:
    with pytest.raises(DeclarationError) as caught:
        declare("go: {scope: x, state: y}")
    text = str(caught.value)
    assert text.count("hint:") == len(caught.value.problems) == 2
    assert text.count(":1: go.") == 2
