"""What systemd says of its units, as several subjects read it."""

from __future__ import annotations

from collections.abc import Iterator

#: Where whoever administers the host puts units (systemd.unit(5)).
UNITS = "/etc/systemd/system"


def blocks(shown: str) -> Iterator[dict[str, str]]:
    """`systemctl show` of several units: Key=value lines, an empty line between two units."""
    for block in shown.split("\n\n"):
        values = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if values.get("Id"):
            yield values
