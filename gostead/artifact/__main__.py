"""python -m gostead.artifact FILE: the contents as JSON, within bounds on memory and time.

Exit 0: `{"contents": …}`, or `{"error": …}` for what is not read. `asking` starts it.
"""

from __future__ import annotations

import json
import resource
import sys
from dataclasses import asdict
from typing import Any

from gostead.artifact.model import Contents, NotABinary

#: Bytes of address space, seconds of processor time. The largest file is there twice, and LIEF.
MEMORY, SECONDS = 6 << 30, 60


def main() -> None:
    """Reads one file and says what is in it."""
    for kind, limit in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, SECONDS),
                        (resource.RLIMIT_CORE, 0)):  # fmt: skip
        _, hard = resource.getrlimit(kind)
        bound = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        try:
            resource.setrlimit(kind, (bound, hard))
        except (ValueError, OSError):  # macOS does not know all of them
            continue
    answer: dict[str, Any]
    try:
        answer = {"contents": asdict(_contents(sys.argv[1]))}
    except NotABinary as error:
        answer = {"error": str(error)}
    except OSError as error:
        answer = {"error": error.strerror or str(error)}
    except MemoryError:
        answer = {"error": f"reading it takes more than {MEMORY >> 30} GiB"}
    sys.stdout.write(json.dumps(answer))


def _contents(path: str) -> Contents:
    try:
        import lief
    except ImportError:
        raise NotABinary("reading it takes the package lief, which is not installed") from None
    from gostead.artifact import reading

    lief.logging.disable()
    return reading.read(path)


main()
