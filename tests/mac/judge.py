"""Judges the report of an audit of a hosted Mac: python -m tests.mac.judge REPORT

Hosted Macs have System Integrity Protection partly off, and Gatekeeper as their makers like it.
Both are told, and are no fault of gostead's; anything else that is found is. Exit code 1: there is
some.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

THEIRS = {("xcode", "System Integrity Protection"), ("xcode", "Gatekeeper")}


def faults(report: dict[str, Any]) -> Iterator[str]:
    """What does not hold, a line each."""
    if not report["hosts"]:
        yield "no host was asked"
    for name, host in report["hosts"].items():
        if host["error"]:
            yield f"{name}: {host['error']}"
        for one in host["findings"]:
            theirs = one["severity"] == "warning" and (one["subject"], one["item"]) in THEIRS
            if one["severity"] != "note" and not theirs:
                yield f"{name}: {one['severity']}: {one['item']}: {one['what']}"


if __name__ == "__main__":
    wrong = list(faults(json.loads(Path(sys.argv[1]).read_text())))
    print("\n".join(wrong) or "as declared")
    sys.exit(1 if wrong else 0)
