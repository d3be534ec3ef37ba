"""The JSON Schema of group_data/*.yaml, for editors and for `gostead schema`."""

from __future__ import annotations

from typing import Any

from gostead.declaration.go_setup import GoSetup


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of one declaration file; keys have description, default, example.

    Every key accepts null as well, as the files do: it puts the key back to its default.
    """
    setup = GoSetup.model_json_schema(ref_template="#/$defs/{model}")
    definitions: dict[str, Any] = setup.pop("$defs", {})
    definitions["GoSetup"] = setup
    for definition in definitions.values():
        definition["properties"] = {
            name: _nullable(key) for name, key in definition["properties"].items()
        }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gostead declaration",
        "description": "One layer of a declared Go setup. Layers, the weakest first: all.yaml, "
        "linux.yaml or darwin.yaml, <group>.yaml, hosts/<name>.yaml.",
        "type": ["object", "null"],
        "additionalProperties": False,
        "properties": {
            "go": {
                "description": "All that gostead declares.",
                "default": {},
                "examples": [{"toolchains": {"default": "1.27.3"}}],
                "anyOf": [{"$ref": "#/$defs/GoSetup"}, {"type": "null"}],
            }
        },
        "$defs": definitions,
    }


_DESCRIBING = ("title", "description", "default", "examples")


def _nullable(key: dict[str, Any]) -> dict[str, Any]:
    described = {word: key[word] for word in _DESCRIBING if word in key}
    rule = {word: value for word, value in key.items() if word not in _DESCRIBING}
    if {"type": "null"} in rule.get("anyOf", ()):
        return key
    return described | {"anyOf": [rule, {"type": "null"}]}
