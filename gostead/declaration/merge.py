"""Lays one layer over another, and remembers who said what."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel

from gostead.declaration.nodes import Entry, Items, Node, Scalar, Table

BUILT_IN = "built-in default"


def merge(layers: Iterable[Table]) -> Table:
    """The layers laid over one another, the last one on top.

    Maps merge key by key, anything else replaces. A key with nothing after it over a map says
    nothing (all that belongs to it is commented out); the words null and ~ put the whole map back
    to its defaults.
    """
    merged = Table("", 0, {})
    for layer in layers:
        merged = _over(merged, layer)
    return merged


def _over(base: Table, top: Table) -> Table:
    entries = dict(base.entries)
    for key, entry in top.entries.items():
        below = entries.get(key)
        if below is not None and isinstance(below.node, Table):
            if isinstance(entry.node, Table):
                entry = Entry(entry.file, entry.line, _over(below.node, entry.node))
            elif _is_blank(entry.node):
                continue
        elif below is not None and isinstance(entry.node, Table) and not _is_blank(below.node):
            node = Table(entry.file, entry.line, entry.node.entries, reset=below.where)
            entry = Entry(entry.file, entry.line, node)
        entries[key] = entry
    return Table(top.file, top.line, entries, reset=base.reset)


def provenance(table: Table, model: type[BaseModel], prefix: str = "") -> dict[str, str]:
    """For each key of `model`, and each entry declared below one, the file:line that it comes from.

    Keys are paths without `go.` ("toolchains.default", "users[0]"). What nobody declared comes from
    BUILT_IN; what a null puts back to its default, from that null's line.
    """
    found: dict[str, str] = {}
    for name, field in model.model_fields.items():
        path = prefix + name
        entry = table.entries.get(name)
        section = field.annotation
        found[path] = entry.where if entry else table.reset or BUILT_IN
        if isinstance(section, type) and issubclass(section, BaseModel):
            below = entry.node if entry else None
            if isinstance(below, Table):
                found |= provenance(below, section, f"{path}.")
            else:
                if below is not None and _is_blank(below):
                    found[path] = table.reset or BUILT_IN
                found |= dict.fromkeys(provenance(_EMPTY, section, f"{path}."), found[path])
        elif entry:
            found |= _declared(entry.node, path)
    return found


_EMPTY = Table("", 0, {})


def _is_blank(node: Node) -> bool:
    return isinstance(node, Scalar) and node.is_blank


def _declared(node: Node, path: str) -> dict[str, str]:
    found: dict[str, str] = {}
    if isinstance(node, Items):
        for number, item in enumerate(node.items):
            found[f"{path}[{number}]"] = item.where
            found |= _declared(item, f"{path}[{number}]")
    elif isinstance(node, Table):
        for key, entry in node.entries.items():
            found[f"{path}.{key}"] = entry.where
            found |= _declared(entry.node, f"{path}.{key}")
    return found
