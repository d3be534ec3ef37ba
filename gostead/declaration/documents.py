"""Reads one YAML file into nodes, and refuses everything a declaration has no use for.

Built on the parser's events, not on a loaded dict: an event carries its line, its explicit tag and
its anchor, so nothing is constructed from a tag, no alias is ever expanded, and size, depth and
number of nodes are bounded while reading.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from pathlib import Path
from typing import Any

import yaml

from gostead.declaration.nodes import Entry, Items, Node, Scalar, Table
from gostead.declaration.problems import Collector, Problem, printable, show

MAX_BYTES = 1024 * 1024
MAX_NODES = 20_000
MAX_DEPTH = 16

# C0 but tab, newline, return; DEL and C1; line separators, which YAML counts as lines and editors
# do not; bidirectional controls, which make a text look like another one.
_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)
_TAGS = {"!env": "env", "!file": "file"}
# libyaml where PyYAML was built with it: ten times as fast, and the same events.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Stop(Exception):
    """Reading on makes no sense; the reason has been collected."""


def read_document(path: Path, name: str, problems: Collector) -> Node | None:
    """The one YAML document in `path`, or None when there is no such file or nothing in it.

    `name` stands for the file in messages and provenance. Whatever is wrong is collected in
    `problems`; no exception leaves this function for anything a file can hold.
    """
    text = _read_text(path, name, problems)
    if text is None:
        return None
    composer = _Composer(text, name, problems)
    try:
        return composer.document()
    except _Stop:
        return None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problems.add(
            Problem(
                f"{name}:{mark.line + 1 if mark else 1}",
                "",
                f"broken YAML ({printable(error.problem or 'unreadable')})",
                "well-formed YAML",
                "look at this line and the one above: indentation, quotes, a missing colon",
            )
        )
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # PyYAML's own scanner lets ValueError through for an escape beyond Unicode.
        kind = type(error).__name__
        problems.add(Problem(f"{name}:1", "", f"broken YAML ({kind})", "well-formed YAML", ""))
    finally:
        composer.close()
    return None


def read_bounded(path: Path, limit: int) -> bytes:
    """At most `limit` + 1 bytes of a regular file. Raises OSError; never waits for a fifo."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file")
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read(limit + 1)


def _read_text(path: Path, name: str, problems: Collector) -> str | None:
    try:
        data = read_bounded(path, MAX_BYTES)
    except OSError as error:
        missing = error.errno == errno.ENOENT and not path.is_symlink()
        if not missing and error.errno != errno.ENAMETOOLONG:
            why = error.strerror or type(error).__name__
            what = f"a file that cannot be read ({why})"
            hint = "check its type and permissions, or where the link leads"
            problems.add(Problem(name, "", what, "a readable YAML file", hint))
        return None
    if len(data) > MAX_BYTES:
        what = f"a file of more than {MAX_BYTES} bytes"
        hint = "a declaration is a few lines; is this the right file?"
        problems.add(Problem(f"{name}:1", "", what, f"at most {MAX_BYTES} bytes", hint))
        return None
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        where = f"{name}:{data.count(10, 0, error.start) + 1}"
        what = f"the byte 0x{data[error.start]:02x}, which is not UTF-8"
        problems.add(Problem(where, "", what, "UTF-8 text", "save the file as UTF-8"))
        return None
    control = _CONTROL.search(text)
    if control:
        line = text.count("\n", 0, control.start()) + 1
        what = f"the control character U+{ord(control.group()):04X}"
        hint = "delete it; it is invisible in most editors"
        problems.add(Problem(f"{name}:{line}", "", what, "printable text", hint))
        return None
    return text


class _Composer:
    def __init__(self, text: str, name: str, problems: Collector) -> None:
        self._loader = _LOADER(text)
        self._name = name
        self._problems = problems
        self._nodes = 0

    def close(self) -> None:
        self._loader.dispose()

    def document(self) -> Node | None:
        self._loader.get_event()  # the start of the stream
        if self._loader.check_event(yaml.StreamEndEvent):
            return None
        self._loader.get_event()  # the start of the document
        node = self._node(())
        self._loader.get_event()  # its end
        if not self._loader.check_event(yaml.StreamEndEvent):
            event = self._loader.peek_event()
            hint = "remove the ---"
            self._refuse(event, (), "a second YAML document", "one document in a file", hint)
        return node

    def _refuse(
        self, event: Any, path: tuple[str, ...], found: str, expected: str, hint: str
    ) -> None:
        where = f"{self._name}:{event.start_mark.line + 1}"
        self._problems.add(Problem(where, printable(".".join(path)), found, expected, hint))

    def _node(self, path: tuple[str, ...]) -> Node | None:
        """The next node; None when it was refused (and read over, so that reading goes on)."""
        event = self._loader.get_event()
        self._nodes += 1
        if len(path) > MAX_DEPTH or self._nodes > MAX_NODES:
            limit = f"at most {MAX_DEPTH} levels and {MAX_NODES} values"
            hint = "no key of the declaration needs that much; see `gostead schema`"
            self._refuse(event, path, "too deep or too large a structure", limit, hint)
            raise _Stop
        if event.anchor is not None:
            self._refuse_anchor(event, path)
        if isinstance(event, yaml.AliasEvent):
            return None
        line: int = event.start_mark.line + 1
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            tag = _TAGS.get(event.tag or "")
            node = Scalar(self._name, line, event.value, not event.style, tag)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = Items(self._name, line, self._items(path))
        else:
            node = Table(self._name, line, self._entries(path))
        if event.tag is not None and not (isinstance(node, Scalar) and node.tag):
            hint = "only !env NAME and !file PATH are known, each with a single value"
            tagged = f"the YAML tag {show(event.tag)}"
            self._refuse(event, path, tagged, "a value without this tag", hint)
            return None
        return node

    def _refuse_anchor(self, event: Any, path: tuple[str, ...]) -> None:
        kind = "alias *" if isinstance(event, yaml.AliasEvent) else "anchor &"
        hint = "write the value out; what hosts share belongs in all.yaml or a group's file"
        found = f"the {kind}{printable(event.anchor)}"
        self._refuse(event, path, found, "neither anchors nor aliases", hint)

    def _items(self, path: tuple[str, ...]) -> tuple[Node, ...]:
        items: list[Node] = []
        while not self._loader.check_event(yaml.SequenceEndEvent):
            item = self._node((*path, str(len(items))))
            if item is not None:
                items.append(item)
        self._loader.get_event()
        return tuple(items)

    def _entries(self, path: tuple[str, ...]) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        while not self._loader.check_event(yaml.MappingEndEvent):
            event = self._loader.peek_event()
            key = self._node(path)
            name = key.text if isinstance(key, Scalar) else "?"
            node = self._node((*path, name))
            if key is None:
                continue
            if not _is_key(key):
                hint = "write plain keys; a list, a map, null, << or a tag cannot be one"
                self._refuse(event, path, "a key that is not text", "a text key", hint)
            elif name in entries:
                found = f"the key {show(name)} for the second time"
                hint = f"the first one is on line {entries[name].line}; keep one of them"
                self._refuse(event, (*path, name), found, "each key once", hint)
            elif node is not None:
                entries[name] = Entry(self._name, key.line, node)
        self._loader.get_event()
        return entries


def _is_key(node: Node) -> bool:
    return (
        isinstance(node, Scalar)
        and node.tag is None
        and not node.is_null
        and not (node.plain and node.text == "<<")
    )
