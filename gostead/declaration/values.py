"""Turns merged nodes into what pydantic validates: nulls resolved, secrets read."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from gostead.declaration.nodes import Items, Node, Scalar, Table
from gostead.declaration.problems import Collector, Problem
from gostead.declaration.secrets import SecretReader


def plain_values(
    table: Table,
    model: type[BaseModel],
    problems: Collector,
    secrets: SecretReader | None,
    prefix: str = "go",
) -> dict[str, Any]:
    """The values of `table` for `model`.

    null is left out where the key is not itself nullable: that is its default. Without a reader,
    secrets are left out too (a single file is checked, which need not be the one in effect). An
    !env or !file where no secret belongs is a problem: it would be printed.
    """
    values: dict[str, Any] = {}
    for name, entry in table.entries.items():
        key = f"{prefix}.{name}"
        field = model.model_fields.get(name)
        node = entry.node
        if field is None:
            values[name] = None  # pydantic refuses it by its name; the value has no business there
        elif isinstance(node, Scalar) and node.tag and is_secret(field):
            value = secrets.read(node, key) if secrets else None
            if value is not None:
                values[name] = value
        elif isinstance(node, Table) and is_secret(field) and section_of(field) is None:
            values[name] = dict(_secret_entries(node, key, secrets))
        elif isinstance(node, Scalar) and node.is_null:
            if is_nullable(field):
                values[name] = None
        elif isinstance(node, Table) and (section := section_of(field)):
            values[name] = plain_values(node, section, problems, secrets, key)
        elif not _has_stray_secret(node, key, problems):
            values[name] = _raw(node)
    return values


def _secret_entries(
    table: Table, key: str, secrets: SecretReader | None
) -> Iterator[tuple[str, Any]]:
    """A map whose values may be secrets, each by its own tag; null is a value there."""
    for name, entry in table.entries.items():
        node = entry.node
        if isinstance(node, Scalar) and node.tag:
            value = secrets.read(node, f"{key}.{name}") if secrets else None
            if value is not None:
                yield name, SecretStr(value)
        else:
            yield name, _raw(node)


def is_secret(field: FieldInfo) -> bool:
    """True for keys whose value is never shown, and which may be !env or !file."""
    return _mentions(field.annotation, SecretStr)


def is_nullable(field: FieldInfo) -> bool:
    """True where null is a value of its own."""
    return type(None) in typing.get_args(field.annotation)


def section_of(field: FieldInfo) -> type[BaseModel] | None:
    """The model below a key that is a section of its own, also where null is none of it."""
    for kind in (field.annotation, *typing.get_args(field.annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def _mentions(annotation: object, wanted: type) -> bool:
    return annotation is wanted or any(
        _mentions(part, wanted) for part in typing.get_args(annotation)
    )


def _has_stray_secret(node: Node, key: str, problems: Collector) -> bool:
    if isinstance(node, Scalar):
        if node.tag:
            found = f"!{node.tag}, which is for secrets"
            hint = "write the value itself; network.proxy, .auth and those of env hold secrets"
            problems.add(Problem(node.where, key, found, "a value that may be shown", hint))
        return node.tag is not None
    if isinstance(node, Items):
        below = [(f"{key}[{number}]", item) for number, item in enumerate(node.items)]
    else:
        below = [(f"{key}.{name}", entry.node) for name, entry in node.entries.items()]
    strays = [_has_stray_secret(item, path, problems) for path, item in below]  # report them all
    return any(strays)


def _raw(node: Node) -> Any:
    if isinstance(node, Scalar):
        return node.value()
    if isinstance(node, Items):
        return [_raw(item) for item in node.items]
    below = {name: entry.node for name, entry in node.entries.items()}
    return {
        name: _raw(item)
        for name, item in below.items()
        if not (isinstance(item, Scalar) and item.is_null)  # null takes the entry away
    }
