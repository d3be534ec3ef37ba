"""`gostead audit --artifact` as a person runs it, and readings of many damaged files at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.cache import PROJECT
from tests.support.report_schema import check_report


@dataclass(frozen=True)
class Audited:
    """What the command said."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """All of it, without the indent."""
        return [line.strip() for line in (self.out + self.err).splitlines()]


def audit(*words: str | Path, cwd: Path | None = None, **environment: str) -> Audited:
    """Runs `gostead audit` with `words`; no traceback may come of it."""
    path = os.pathsep.join(filter(None, [str(PROJECT), environment.pop("PYTHONPATH", "")]))
    done = subprocess.run(
        [sys.executable, "-P", "-m", "gostead", "audit", *map(str, words)], cwd=cwd,
        env={**os.environ, "PYTHONPATH": path, **environment}, capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=120, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    return Audited(done.returncode, done.stdout, done.stderr)


def report(*files: Path) -> dict[str, Any]:
    """The JSON of an audit of `files`, its form checked; the exit code is in `exit`."""
    done = audit("--artifact", *files, "--json")
    data: dict[str, Any] = json.loads(done.out)
    check_report(data)
    return data | {"exit": done.code}


def judged(directory: Path, image: bytes) -> tuple[dict[str, Any], int]:
    """What the report has about a file that holds `image`, and the exit code."""
    file = directory / "file"
    file.write_bytes(image)
    ((code, told),) = _read(file, [{}])
    assert isinstance(told, dict), told
    check_report(told)
    artifact: dict[str, Any] = told["artifacts"][str(file)]
    return artifact, code


def wrong(artifact: dict[str, Any]) -> list[str]:
    """What makes the exit code 2."""
    return [row["what"] for row in artifact["findings"] if row["severity"] != "note"]


def after(file: Path, changes: Iterable[Mapping[str, Any]]) -> list[tuple[int, str]]:
    """Exit code and first complaint for `file` after each change: {"cut": N} or
    {"set": [[at, byte]]}. A code of -1 is an exception that got away, with its traceback."""
    found = []
    for code, told in _read(file, changes):
        line = str(told)
        if isinstance(told, dict):
            artifact = told["artifacts"][str(file)]
            line = artifact["error"] or [*wrong(artifact), *artifact["runs"]][0]
        found.append((code, line))
    return found


#: The command in a fork for each question: Python and the library are loaded once. The reader's
#: own process is what is left out.
_FORKING = """
import contextlib, io, json, os, sys, traceback
import lief
from gostead.artifact import reading
from gostead.cli import artifacts
lief.logging.disable()
given = {"declaration": "group_data", "timeout": None, "json_to": "-"}
for line in sys.stdin:
    file, change = json.loads(line)
    data = bytearray(open(file, "rb").read()[: change.get("cut", None)])
    for at, byte in change.get("set", []):
        data[at] = byte
    r, w = os.pipe()
    pid = os.fork()
    if not pid:
        said = io.StringIO()
        artifacts.contents_of = lambda file, timeout: reading.read_bytes(memoryview(bytes(data)))
        try:
            try:
                with contextlib.redirect_stdout(said):
                    code = artifacts.audit_artifacts((file,), **given)
                answer = [code, json.loads(said.getvalue())]
            except BaseException:
                answer = [-1, traceback.format_exc()]
            with open(w, "w") as out:
                json.dump(answer, out)
        finally:
            os._exit(0)
    os.close(w)
    with open(r) as answer:
        text = answer.read()
    os.waitpid(pid, 0)
    print(text or json.dumps([1, "the reader was ended"]), flush=True)
"""


@cache
def _reader() -> subprocess.Popen[str]:
    """Ends with this process, whose end closes its standard input."""
    return subprocess.Popen(
        [sys.executable, "-c", _FORKING], cwd=PROJECT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip


def _read(file: Path, changes: Iterable[Mapping[str, Any]]) -> list[tuple[int, Any]]:
    reader, found = _reader(), []
    assert reader.stdin is not None
    assert reader.stdout is not None
    for change in changes:
        reader.stdin.write(json.dumps([str(file), change]) + "\n")
        reader.stdin.flush()
        code, told = json.loads(reader.stdout.readline())
        found.append((code, told))
    return found
