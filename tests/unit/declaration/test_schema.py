"""The JSON Schema says of every key what it is, its default and an example that works."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gostead.declaration import GoSetup, Toolchains, json_schema
from gostead.declaration.versions import check_version

from .conftest import Declare

REPOSITORY = Path(__file__).parents[3]
SCHEMA = json_schema()


def keys(definition: dict[str, Any], path: str = "go") -> list[tuple[str, dict[str, Any]]]:
    found = []
    for name, key in definition.get("properties", {}).items():
        found.append((f"{path}.{name}", key))
        for rule in [key, *key.get("anyOf", [])]:
            if "$ref" in rule:
                below = SCHEMA["$defs"][rule["$ref"].rpartition("/")[2]]
                found += keys(below, f"{path}.{name}")
    return found


KEYS = keys(SCHEMA["$defs"]["GoSetup"])


def test_every_declared_key_is_in_the_schema() -> None:
    sections: dict[str, list[str]] = {}
    for name, _ in KEYS:
        section, _, key = name.rpartition(".")
        sections.setdefault(section, []).append(key)
    assert sections == {
        "go": [
            "state",
            "scope",
            "users",
            "toolchains",
            "shells",
            "env",
            "telemetry",
            "cache",
            "tools",
            "cgo",
            "xcode",
            "slices",
            "orphans",
            "schedule",
            "network",
        ],
        "go.cache": ["root", "modules", "tmp", "max_size"],
        "go.cgo": ["required", "install", "compiler"],
        "go.cgo.compiler": ["CC", "CXX"],
        "go.xcode": ["command_line_tools", "select", "sdkroot", "rosetta"],
        "go.slices": ["when", "builds", "users", "units", "go_limits"],
        "go.slices.builds": [
            "memory_high",
            "memory_max",
            "memory_swap_max",
            "cpu_quota",
            "cpu_weight",
            "io_weight",
            "tasks_max",
        ],
        "go.orphans": ["action", "min_age"],
        "go.schedule": ["every", "jitter", "source", "ref", "signers"],
        "go.toolchains": list(Toolchains.model_fields),
        "go.shells": ["kinds", "goroot", "cron", "gui", "runners"],
        "go.network": ["proxy", "ca_bundle", "auth"],
    }


@pytest.mark.parametrize(("name", "key"), [*KEYS, ("go", SCHEMA["properties"]["go"])])
def test_every_key_is_described(name: str, key: dict[str, Any]) -> None:
    assert len(key["description"]) > 10
    assert "default" in key
    assert key["examples"]
    assert {"type": "null"} in key["anyOf"], "null is allowed everywhere: the default"


#: Keys below go.slices that say who a budget is for.
NEED_A_BUDGET = ("users", "units", "go_limits")


@pytest.mark.parametrize(("name", "key"), KEYS)
def test_examples_and_defaults_are_accepted_by_the_loader(
    declare: Declare, monkeypatch: pytest.MonkeyPatch, name: str, key: dict[str, Any]
) -> None:
    monkeypatch.setenv("GOPROXY_TOKEN", "token")
    for value in (*key["examples"], key["default"]):
        text = str(value) if str(value).startswith("!env ") else json.dumps(value)
        if name == "go.schedule.every" and value:  # alone it is refused: what is to be fetched?
            text += ", source: https://git.example.com/x, ref: " + "0" * 40
        for part in reversed(name.split(".")):
            budget = (
                "builds: {tasks_max: 99}, "
                if name == f"go.slices.{part}" and part in NEED_A_BUDGET
                else ""
            )
            text = f"{{{budget}{part}: {text}}}"
        declare(text)


def test_the_defaults_are_the_models_own() -> None:
    plain = json.loads(GoSetup().model_dump_json())
    assert {n: k["default"] for n, k in SCHEMA["$defs"]["GoSetup"]["properties"].items()} == plain


def test_unknown_keys_are_unknown_to_the_schema_too() -> None:
    for definition in (SCHEMA, *SCHEMA["$defs"].values()):
        assert definition["additionalProperties"] is False


def test_no_secret_has_a_default_or_pattern_that_shows_it() -> None:
    assert all(dict(KEYS)[f"go.network.{name}"]["default"] is None for name in ("auth", "proxy"))


def test_the_patterns_agree_with_the_loader() -> None:
    (rule, _) = dict(KEYS)["go.toolchains.default"]["anyOf"]
    for text in ("1.27.3", "1.28rc1", "go1.27.3", "1.27.3\n", "latest"):
        try:
            accepted = check_version(text) == text
        except ValueError:
            accepted = False
        assert bool(re.fullmatch(rule["pattern"], text)) is accepted


def test_the_schema_in_the_repository_is_current() -> None:
    written = (REPOSITORY / "docs/reference/declaration.schema.json").read_text()
    assert json.loads(written) == SCHEMA, (
        "write it anew: gostead schema > docs/reference/declaration.schema.json"
    )
