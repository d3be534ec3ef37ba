"""A declaration with a mirror of made-up releases: what a test converges a root or a host to."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tests.support.madeup import madeup
from tests.support.toolchain import Toolchain


class Face(Protocol):
    """Something that runs `gostead` (a Sandbox)."""

    @property
    def gostead(self) -> Callable[..., subprocess.CompletedProcess[str]]: ...


@dataclass
class Site:
    """A directory with group_data and a mirror; `declare` writes what the next run finds."""

    directory: Path
    versions: tuple[str, ...] = ("1.27.3", "1.26.8", "1.25.14")
    releases: dict[str, Toolchain] = field(default_factory=dict)
    #: The first is that of `releases`; of the others there are archives and pins.
    platforms: tuple[str, ...] = ("linux-amd64",)
    others: list[Toolchain] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.directory.chmod(0o755)
        self.mirror.mkdir(exist_ok=True)
        for version in self.versions:
            self.releases[version] = madeup(version, self.platforms[0])
            self.others += [madeup(version, platform) for platform in self.platforms[1:]]
        for made in (*self.releases.values(), *self.others):
            self.publish(made)
        self.declare()

    @property
    def mirror(self) -> Path:
        """Where the archives are."""
        return self.directory / "mirror"

    @property
    def declaration(self) -> Path:
        """The directory of the YAML layers."""
        return self.directory / "group_data"

    def publish(self, made: Toolchain) -> None:
        """Puts the archive of a release into the mirror."""
        (self.mirror / made.archive_path.lstrip("/")).write_bytes(made.archive())

    def pins(self, *, sha256: bool = False) -> dict[str, Any]:
        """Pins of all releases, as the declaration has them."""
        found: dict[str, Any] = {}
        for made in (*self.releases.values(), *self.others):
            pin = found.setdefault(made.version, {})[made.platform] = {"h1": made.h1}
            if sha256:
                archive = (self.mirror / made.archive_path.lstrip("/")).read_bytes()
                pin["sha256"] = hashlib.sha256(archive).hexdigest()
        return found

    def archive(self, version: str) -> bytes:
        """The bytes of a release's archive in the mirror."""
        name = self.releases[version].archive_path.lstrip("/")
        return (self.mirror / name).read_bytes()

    def declare(
        self, toolchains: Mapping[str, Any] | None = None, layer: str = "all", **go: Any
    ) -> None:
        """Writes a layer: keys below `go`, and below `go.toolchains` over this site's mirror."""
        path = self.declaration / f"{layer}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        if layer == "all":
            known = {
                "sources": ["archive"],
                "archive_url": f"file://{self.mirror}",
                "pins": self.pins(),
            }
            go["toolchains"] = known | dict(toolchains or {})
        elif toolchains is not None:
            go["toolchains"] = dict(toolchains)
        path.write_text(json.dumps({"go": go}, indent=1))  # JSON is YAML

    def apply(
        self, face: Face, *options: str, inventory: str = "@local", **run: Any
    ) -> dict[str, Any]:
        """`gostead apply -y --json`: its report. Its exit code is in `exit`."""
        return self.ask(face, "apply", "-y", *options, inventory=inventory, **run)

    def plan(
        self, face: Face, *options: str, inventory: str = "@local", **run: Any
    ) -> dict[str, Any]:
        """`gostead plan --json`: its report. Its exit code is in `exit`."""
        return self.ask(face, "plan", *options, inventory=inventory, **run)

    def ask(
        self, face: Face, command: str, *options: str, inventory: str = "@local", **run: Any
    ) -> dict[str, Any]:
        """Any command that answers with a report."""
        done = face.gostead(
            command, inventory, "--declaration", str(self.declaration), "--json", *options,
            cwd="/", **run,
        )  # fmt: skip
        try:
            report: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            raise AssertionError(f"no JSON report: {done.stdout!r} {done.stderr!r}") from None
        return report | {"exit": done.returncode, "stderr": done.stderr}


def changes(report: Mapping[str, Any], host: str = "@local") -> dict[str, str]:
    """Item -> result of a host's changes in a report."""
    return {change["item"]: change["result"] for change in report["hosts"][host]["changes"]}
