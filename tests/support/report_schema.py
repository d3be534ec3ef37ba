"""The form of the JSON report, checked without a library."""

from __future__ import annotations

from typing import Any

REPORT = {"format": int, "command": str, "run": str, "started": str, "seconds": float,
          "commit": (str, type(None)), "user": str, "hosts": dict, "totals": dict}  # fmt: skip
HOST = {"status": str, "seconds": float, "held": (dict, type(None)), "changes": list,
        "not_applicable": list, "findings": list, "error": (str, type(None))}  # fmt: skip
CHANGE = {"subject": str, "item": str, "user": (str, type(None)), "from": str, "to": str,
          "why": str, "source": str, "result": str, "error": (str, type(None))}  # fmt: skip
FINDING = {"subject": str, "item": str, "user": (str, type(None)), "severity": str, "what": str,
           "where": str, "mend": str}  # fmt: skip
ARTIFACT = {"status": str, "title": str, "runs": list, "findings": list, "facts": dict,
            "error": (str, type(None))}  # fmt: skip
STATUSES = {"clean", "pending", "changed", "failed", "unreachable"}


def check_report(report: dict[str, Any]) -> None:
    """Raises AssertionError where the report is not of its form, format 1."""
    _check(report, REPORT)
    assert report["format"] == 1
    assert list(report["hosts"]) == sorted(report["hosts"])
    assert set(report["totals"]) == STATUSES
    files = report.get("artifacts", {})
    assert sum(report["totals"].values()) == len(report["hosts"]) + len(files)
    for file in files.values():
        _check(file, ARTIFACT)
        assert file["status"] in STATUSES
        for finding in file["findings"]:
            _check(finding, FINDING)
            assert finding["severity"] in {"error", "warning", "note"}
    for host in report["hosts"].values():
        _check(host, HOST)
        assert host["status"] in STATUSES
        for change in host["changes"]:
            _check(change, CHANGE)
            assert change["result"] in {"planned", "changed", "failed"}
        for finding in host["findings"]:
            _check(finding, FINDING)
            assert finding["severity"] in {"error", "warning", "note"}


def _check(data: dict[str, Any], form: dict[str, Any]) -> None:
    for key, kind in form.items():
        assert key in data, key
        kinds = (int, float) if kind is float else kind
        assert isinstance(data[key], kinds), (key, data[key])
