"""Has a process of its own read a file: LIEF is C++, and the file may be anybody's.

What ends that process, a crash or a bound, is told as the file's error.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

import gostead
from gostead.artifact.model import Contents, NotABinary

#: Wall seconds for one file.
TIMEOUT = 120.0
_ROOT = str(Path(gostead.__file__).parents[1])


def contents_of(path: str, timeout: float | None = None) -> Contents:
    """What the file `path` holds. Raises NotABinary, with the reason, for whatever goes wrong."""
    # -P: a lief.py in the directory where the user stands is not imported.
    command = [sys.executable, "-P", "-m", "gostead.artifact", str(Path(path).absolute())]
    inherited = os.environ.get("PYTHONPATH", "")
    environment = {**os.environ, "PYTHONPATH": _ROOT + (f":{inherited}" if inherited else "")}
    limit = timeout or TIMEOUT
    try:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
            timeout=limit, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise NotABinary(f"reading it took more than {limit:.0f} s") from None
    except (OSError, ValueError) as error:
        raise NotABinary(f"it cannot be read: {error}") from None
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        raise NotABinary(f"the reader was ended by {name}: a damaged file, or one made to do that")
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
        if "error" in answer:
            raise NotABinary(str(answer["error"]))
        return TypeAdapter(Contents).validate_python(answer["contents"])
    except (ValueError, KeyError, ValidationError):
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise NotABinary(f"the reader failed: {' '.join(last)[:300]}") from None
