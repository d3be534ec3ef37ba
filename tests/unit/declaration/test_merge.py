"""Maps merge, lists and scalars replace, null goes back to the default."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gostead.declaration import GoSetup, load

from .conftest import Declare

H1 = "h1:r0ub+FnqzZxoWm/dSUOI9DcIqYWn/mNYGFJcv7PyBzs="

PINNED = f'go: {{toolchains: {{pins: {{"1.27.9": {{linux-amd64: {{h1: "{H1}"}}}}}}}}}}'


def test_maps_merge_and_lists_replace(declare: Declare) -> None:
    setup = declare(
        {
            "all.yaml": 'go: {users: [ann, ben], toolchains: {versions: ["1.26.8"], keep: 3}}',
            "web.yaml": "go: {users: [ci], toolchains: {links: off}}",
        },
        ["web"],
    ).linux
    assert setup.users == ("ci",)
    assert setup.toolchains.versions == ("1.26.8",)
    assert (setup.toolchains.keep, setup.toolchains.links) == (3, "off")


def test_pins_of_several_layers_add_up(declare: Declare) -> None:
    pins = declare(
        {
            "all.yaml": PINNED,
            "web.yaml": 'go: {toolchains: {pins: {"1.27.9": {linux-amd64: {sha256: "%s"}}}}}'
            % ("A" * 64),
        },
        ["web"],
    ).linux.toolchains.pins
    pin = pins["1.27.9"]["linux-amd64"]
    assert (pin.h1, pin.sha256) == (H1, "a" * 64)


def test_null_takes_a_pin_away(declare: Declare) -> None:
    pins = declare(
        {
            "all.yaml": PINNED,
            "web.yaml": 'go: {toolchains: {pins: {"1.27.9": null}}}',
        },
        ["web"],
    ).linux.toolchains.pins
    assert pins == {}


def test_null_resets_a_section_and_a_blank_one_says_nothing(declare: Declare) -> None:
    files = {
        "all.yaml": "go: {scope: user, toolchains: {keep: 3}}",
        "a.yaml": "go:\n  scope:\n  toolchains:\n    # keep: 5\n",
        "b.yaml": "go:\n  toolchains: null\n",
        "c.yaml": "go:\n  toolchains: ~\n",
    }
    assert declare(files, ["a"]).linux.toolchains.keep == 3
    assert declare(files, ["a"]).linux.scope == "auto", "a blank value is null for a single value"
    assert declare(files, ["b"]).linux.toolchains.keep == 1
    assert declare(files, ["c"]).linux.toolchains.keep == 1


LEAVES: dict[str, st.SearchStrategy[Any]] = {
    "state": st.sampled_from(["present", "absent"]),
    "scope": st.sampled_from(["auto", "system", "user"]),
    "users": st.lists(st.sampled_from(["self", "humans", "ci", "ann"]), unique=True),
    "toolchains.default": st.sampled_from(["1.27.3", "1.26.8", "1.28rc1"]),
    "toolchains.versions": st.lists(st.sampled_from(["1.26.8", "1.25.14"]), unique=True),
    "toolchains.keep": st.integers(0, 100),
    "toolchains.fetch": st.sampled_from(["auto", "host", "controller"]),
    "toolchains.links": st.sampled_from(["auto", "force", "off"]),
    "toolchains.goproxy": st.sampled_from(["off", "direct", "https://a.example|direct"]),
    "network.proxy": st.sampled_from(["http://p:3128", "http://u:pw@p"]),
    "network.ca_bundle": st.sampled_from(["/a.pem", "/b.pem"]),
}

layers = st.lists(
    st.tuples(
        st.fixed_dictionaries({}, optional={k: st.one_of(st.none(), v) for k, v in LEAVES.items()}),
        st.sets(st.sampled_from(["toolchains", "network"])),
    ),
    max_size=4,
)


def nested(flat: dict[str, Any], reset: set[str]) -> dict[str, Any]:
    tree: dict[str, Any] = dict.fromkeys(reset)
    for path, value in flat.items():
        section, _, name = path.rpartition(".")
        if section in reset:
            continue
        (tree.setdefault(section, {}) if section else tree)[name] = value
    return tree


@settings(max_examples=150, deadline=None)
@given(layers)
def test_the_last_layer_that_mentions_a_key_decides_it(
    declared: list[tuple[dict[str, Any], set[str]]],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        groups = [f"g{number}" for number in range(len(declared))]
        for group, (flat, reset) in zip(groups, declared, strict=True):
            text = json.dumps({"go": nested(flat, reset)})  # JSON is YAML
            (directory / f"{group}.yaml").write_text(text)
        result = load(directory, groups, "h")
    for path in LEAVES:
        section, _, leaf = path.rpartition(".")
        mentions = [
            (group, None if section in reset else flat[path])
            for group, (flat, reset) in zip(groups, declared, strict=True)
            if section in reset or path in flat
        ]
        group, value = mentions[-1] if mentions else ("", None)
        defaults, found = GoSetup(), result.linux
        owner, default_owner = (
            (getattr(found, section), getattr(defaults, section)) if section else (found, defaults)
        )
        actual = getattr(owner, leaf)
        if hasattr(actual, "get_secret_value"):
            actual = actual.get_secret_value()
        expected = getattr(default_owner, leaf) if value is None else value
        assert actual == (tuple(expected) if isinstance(expected, list) else expected)
        source = f"{directory / group}.yaml:1" if mentions else "built-in default"
        assert result.source("linux", path) == source
        assert result.darwin == result.linux
