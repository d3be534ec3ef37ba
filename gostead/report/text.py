"""The report for people. What came from a host is shown without control characters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def safe(text: object) -> str:
    """Printable, on one line: a host cannot steer the terminal."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode()
        for c in str(text).replace("\n", "; ")
    )


def lines(report: dict[str, Any]) -> Iterator[str]:
    """The lines of a report's data, host by host."""
    for name, host in report["hosts"].items():
        yield from _host(safe(name), host)


def _host(name: str, host: dict[str, Any]) -> Iterator[str]:
    counted = len(host["changes"])
    plural = "" if counted == 1 else "s"
    words = {
        "clean": "as declared",
        "pending": f"{counted} change{plural} pending" if counted else "NOT as declared",
        "changed": f"{counted} change{plural} made",
        "failed": "FAILED",
        "unreachable": "UNREACHABLE",
    }
    held = f", held at go{safe(host['held']['version'])}" if host["held"] else ""
    yield f"{name}: {words[host['status']]}{held} ({host['seconds']:.1f} s)"
    for change in host["changes"]:
        mark = {"planned": "~", "changed": "+", "failed": "!"}[change["result"]]
        before, after = safe(change["from"]), safe(change["to"])
        yield f"  {mark} {change['subject']} {safe(change['item'])}: {before} -> {after}"
        yield f"      {safe(change['why'])}  [{safe(change['source'])}]"
        if change["error"]:
            yield f"      error: {safe(change['error'])}"
    for entry in host["not_applicable"]:
        yield f"  - {entry['subject']}: not applicable: {safe(entry['why'])}"
    for finding in host["findings"]:
        where = f" ({safe(finding['where'])})" if finding["where"] else ""
        item = ", ".join(safe(finding[key]) for key in ("user", "item") if finding[key])
        yield f"  {finding['severity']}: {item}: {safe(finding['what'])}{where}"
        if finding["mend"]:
            yield f"      mend: {safe(finding['mend'])}"
    if host["error"]:
        for number, line in enumerate(str(host["error"]).splitlines()):
            yield f"  error: {safe(line)}" if not number else f"    {safe(line)}"
