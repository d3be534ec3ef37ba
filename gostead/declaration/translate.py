"""Turns what pydantic refuses into problems: file:line, key, found, expected, hint."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from gostead.declaration.grammar import REFUSED
from gostead.declaration.nodes import Items, Node, Scalar, Table
from gostead.declaration.problems import Problem, did_you_mean, printable, show
from gostead.declaration.values import is_secret, section_of


def problems_of(error: ValidationError, table: Table, model: type[BaseModel]) -> Iterator[Problem]:
    """One problem for each error, at the line of the value it is about."""
    for detail in error.errors(include_url=False, include_input=False):
        yield _problem(detail, table, model)


def _problem(detail: Mapping[str, Any], table: Table, model: type[BaseModel]) -> Problem:
    loc = tuple(detail["loc"])
    about_key = detail["type"] == REFUSED and loc[-1] == "[key]"
    if about_key:
        loc = loc[:-1]
    node, where = _at(table, loc)
    key = "go" + "".join(f"[{p}]" if isinstance(p, int) else f".{printable(p)}" for p in loc)
    fields = _fields_along(model, loc)
    context = detail.get("ctx", {})
    if detail["type"] == "extra_forbidden":
        known = list(_model_at(model, loc[:-1]).model_fields)
        hint = _unknown_key_hint(str(loc[-1]), known, model)
        return Problem(where, key, "an unknown key", f"one of {', '.join(known)}", hint)
    if about_key:
        found = f"the key {show(str(loc[-1]))}"
    elif any(_may_hold_secret(field) for field in fields) and not _is_plain(node, fields):
        found = f"{_kind(node)} (not shown)"
    else:
        found = _found(node)
    hint = context.get("hint") or _hint(detail, node, fields)
    return Problem(where, key, found, _expected(detail, context), hint)


def _at(table: Table, loc: tuple[str | int, ...]) -> tuple[Node, str]:
    """The node at `loc`, or the nearest one above it, with the line to look at."""
    node: Node = table
    where = table.where
    for part in loc:
        if isinstance(node, Table) and part in node.entries:
            entry = node.entries[str(part)]
            node, where = entry.node, entry.where
        elif isinstance(node, Items) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
            where = node.where
        else:
            break
    return node, where


def _may_hold_secret(field: FieldInfo) -> bool:
    """True for secrets, and for their sections: a secret may stand one key too high."""
    section = section_of(field)
    below = section.model_fields.values() if section else ()
    return is_secret(field) or any(_may_hold_secret(inner) for inner in below)


def _is_plain(node: Node, fields: list[FieldInfo]) -> bool:
    """True for a value of a map that may hold secrets, where it is none itself."""
    own = bool(fields) and section_of(fields[-1]) is None and "dict" in str(fields[-1].annotation)
    return own and isinstance(node, Scalar) and node.tag is None and "@" not in node.text


def _fields_along(model: type[BaseModel], loc: tuple[str | int, ...]) -> list[FieldInfo]:
    """The declared keys that `loc` passes, the innermost last."""
    fields: list[FieldInfo] = []
    current: type[BaseModel] | None = model
    for part in loc:
        if current is None or part not in current.model_fields:
            break
        fields.append(current.model_fields[str(part)])
        current = section_of(fields[-1])
    return fields


def _model_at(model: type[BaseModel], loc: tuple[str | int, ...]) -> type[BaseModel]:
    """The model whose keys stand at `loc`, looking through maps and lists of models."""
    annotation: object = model
    for part in loc:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            annotation = annotation.model_fields[str(part)].annotation
        else:
            annotation = typing.get_args(annotation)[-1]
        if typing.get_origin(annotation) in (typing.Union, types.UnionType):
            annotation = typing.get_args(annotation)[0]  # a section, or null
    return (
        annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else model
    )


def _unknown_key_hint(word: str, known: list[str], model: type[BaseModel]) -> str:
    paths = {
        name: f"{section}.{name}"
        for section, field in model.model_fields.items()
        if (below := section_of(field))
        for name in below.model_fields
    }
    meant = did_you_mean(word, known)
    if meant is None:  # a right key on the wrong level?
        meant = did_you_mean(word, [*model.model_fields, *paths])
        meant = paths.get(meant or "", meant)
        meant = f"go.{meant}" if meant else None
    return f"did you mean {meant}?" if meant else "`gostead schema` lists every key"


def _expected(detail: Mapping[str, Any], context: Mapping[str, Any]) -> str:
    kind = detail["type"]
    if kind == REFUSED:
        return str(context["expected"])
    if kind == "literal_error":
        return str(context["expected"]).replace("'", "")
    if kind.startswith("int_"):
        return "a whole number"
    if kind in ("greater_than_equal", "less_than_equal"):
        side = "at least" if kind.startswith("greater") else "at most"
        return f"a whole number of {side} {context.get('ge', context.get('le'))}"
    names = {"tuple_type": "a list", "dict_type": "a map", "too_short": "at least one value"}
    if kind.startswith("model_"):
        return "a map of keys"
    return names.get(kind, str(detail["msg"]))


def _hint(detail: Mapping[str, Any], node: Node, fields: list[FieldInfo]) -> str:
    hints = []
    if isinstance(node, Scalar) and isinstance(node.value(), int | float):
        if detail["type"] == REFUSED:
            hints.append(f"YAML reads {node.text} as the number {node.value()}; quote it")
    elif detail["type"] == "literal_error" and isinstance(node, Scalar):
        options = str(detail["ctx"]["expected"]).replace(" or ", ", ").replace("'", "").split(", ")
        meant = did_you_mean(node.text, options)
        if meant:
            hints.append(f"did you mean {meant}?")
    if fields and fields[-1].examples and detail["type"] != "literal_error":
        hints.append(f"example: {json.dumps(fields[-1].examples[0])}")
    return "; ".join(hints) or "`gostead schema` describes every key"


def _found(node: Node) -> str:
    if not isinstance(node, Scalar):
        return _kind(node)
    if node.is_null:
        return "null"
    number = isinstance(node.value(), int | float)
    return f"{printable(node.text)}, a number" if number else show(node.text)


def _kind(node: Node) -> str:
    if isinstance(node, Table):
        return "a map"
    return "a list" if isinstance(node, Items) else "a value"
