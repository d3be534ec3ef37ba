"""Where a report goes: JSON alone on standard output or in a file, else lines for people."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from gostead.cli.errors import CommandError
from gostead.report.model import RunReport, redacted
from gostead.report.text import lines


def write_report(report: RunReport, json_to: str | None, secrets: Iterable[str]) -> None:
    """Writes the report, secrets replaced by ***. Raises CommandError where FILE cannot be."""
    data = redacted(report.data(), [*secrets, *environment_secrets()])
    if json_to is not None:
        write_json(data, json_to)
    if json_to != "-":
        for line in lines(data):
            click.echo(line)


def write_json(data: Any, target: str) -> None:
    """Writes `data` to the file `target`, complete or not at all; "-" is standard output."""
    text = json.dumps(data, indent=2, ensure_ascii=True) + "\n"
    if target == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    path = Path(target)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise CommandError(f"cannot write {target}: {error.strerror}") from None


def environment_secrets() -> set[str]:
    """Credentials inside the proxy addresses of this controller's environment."""
    found = set()
    for name in ("GOPROXY", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        for address in os.environ.get(name, "").replace("|", ",").split(","):
            if "@" in address:
                credential = address.rpartition("@")[0].rpartition("//")[2]
                found |= {credential, credential.partition(":")[2]}
    return {secret for secret in found if len(secret) > 3}
