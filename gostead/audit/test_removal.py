"""Where `state: absent` is declared, nothing of gostead is left."""

from __future__ import annotations

from typing import Any

import pytest

from gostead.audit.asking import Place, ask, printable
from gostead.audit.findings import AuditFinding, NotAsDeclared
from gostead.declaration import GoSetup


def test_absent_means_absent(host: Any, where: Place, setup: GoSetup) -> None:
    if setup.state == "present":
        pytest.skip("state is present")
    script = """
for path in "$1" "$(dirname "$1")/.gostead.new" /etc/profile.d/gostead.sh; do
  if [ -e "$path" ] || [ -L "$path" ]; then echo "$path"; fi
done
for path in "$2/go" "$2/gofmt"; do
  case $(readlink "$path") in "$1"/*) echo "$path" ;; esac
done
"""
    left = ask(host, script, where.root, where.bin).out
    if left:
        what = f"left: {printable(left)}"
        raise NotAsDeclared(AuditFinding("removal", where.root, what, "gostead remove"))
