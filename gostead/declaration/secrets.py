"""Reads `!env NAME` and `!file PATH` on the controller."""

from __future__ import annotations

import os
import re
from pathlib import Path

from gostead.declaration.documents import read_bounded
from gostead.declaration.nodes import Scalar
from gostead.declaration.problems import Collector, Problem, printable, show

MAX_BYTES = 64 * 1024
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class SecretReader:
    """Reads each secret at most once. No value is ever part of a problem."""

    def __init__(self, problems: Collector) -> None:
        self._problems = problems
        self._read: dict[Scalar, str | None] = {}

    def read(self, node: Scalar, key: str) -> str | None:
        """What `node` stands for, or None when it cannot be read, which is then a problem."""
        if node not in self._read:
            self._read[node] = self._env(node, key) if node.tag == "env" else self._file(node, key)
        return self._read[node]

    def _env(self, node: Scalar, key: str) -> str | None:
        expected = "a variable of the controller's environment"
        if not _VARIABLE.fullmatch(node.text):
            hint = "write !env and one name: !env TOKEN"
            self._report(node, key, "!env without a variable's name", expected, hint)
            return None
        value = os.environ.get(node.text)
        if not value:
            name = printable(node.text)
            found = f"!env {name}, which is {'not set' if value is None else 'empty'} here"
            hint = f"export {name} in the shell or job that runs gostead"
            self._report(node, key, found, expected, hint)
        return value or None

    def _file(self, node: Scalar, key: str) -> str | None:
        """The file's text less one newline at its end. Relative paths start at the YAML file."""
        found = f"!file {show(node.text)}"
        hint = "paths are relative to the YAML file; check the name and the permissions"
        try:
            data = read_bounded(Path(node.file).parent / Path(node.text).expanduser(), MAX_BYTES)
            if not data or len(data) > MAX_BYTES:
                raise OSError(0, "empty" if not data else f"more than {MAX_BYTES} bytes")
            return data.decode("utf-8").removesuffix("\n").removesuffix("\r")
        except OSError as error:
            found += f", which cannot be read ({error.strerror or type(error).__name__})"
        except (ValueError, RuntimeError):  # not UTF-8, a NUL in the path, no home for ~
            found += ", which is no usable path or no UTF-8 text"
        self._report(node, key, found, "a readable text file on the controller", hint)
        return None

    def _report(self, node: Scalar, key: str, found: str, expected: str, hint: str) -> None:
        self._problems.add(Problem(node.where, key, found, expected, hint))
