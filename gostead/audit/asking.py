"""How checks ask a host: as a user would, by a shell, with an answer that is bounded."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any, Literal

MOST = 16 * 1024 * 1024


class CannotAsk(Exception):
    """The host gave no answer that can be judged."""


@dataclass(frozen=True)
class Place:
    """Where gostead lives on this host, worked out from who we are there, not from its state."""

    system: Literal["linux", "darwin"]
    platform: str
    uid: int
    user: str
    home: str
    scope: Literal["system", "user"]

    @property
    def root(self) -> str:
        """gostead's own directory."""
        own = f"{self.home}/.local/share/gostead"
        return "/opt/gostead" if self.scope == "system" else own

    @property
    def bin(self) -> str:
        """The directory of the links."""
        return "/usr/local/bin" if self.scope == "system" else f"{self.home}/.local/bin"


@dataclass(frozen=True)
class Answer:
    """Exit code and output, as text; what is no UTF-8 is replaced."""

    code: int
    out: str
    error: str


def ask(host: Any, script: str, *words: str) -> Answer:
    """Runs `script` with sh on the host; `words` are its $1, $2 … Raises CannotAsk."""
    command = shlex.join(["sh", "-c", script, "gostead-audit", *words])
    # Else testinfra runs the host's python3: on a Mac without developer tools, a dialogue.
    host.backend._encoding = "utf-8"
    try:
        done = host.backend.run(command)
    except RuntimeError as trouble:
        # testinfra's, where ssh itself failed: it holds what ssh said.
        said = getattr(trouble.args[0] if trouble.args else None, "stderr_bytes", b"")
        what = printable(said.decode("utf-8", "replace")) or printable(str(trouble))
        raise CannotAsk(f"the host cannot be reached: {what}") from None
    out, error = done.stdout_bytes, done.stderr_bytes
    if len(out) > MOST:
        raise CannotAsk(f"an answer of {len(out)} bytes is refused")
    if done.rc == 255 and not out:
        raise CannotAsk(printable(error.decode("utf-8", "replace")) or "no connection")
    return Answer(done.rc, out.decode("utf-8", "replace"), error.decode("utf-8", "replace"))


def printable(text: str, most: int = 300) -> str:
    """What a host said, safe for a terminal, on one line."""
    line = text.strip().replace("\n", "; ")
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
    return shown[:most]


def place(host: Any, scopes: dict[str, str]) -> Place:
    """Asks who and where we are. Raises CannotAsk."""
    answer = ask(
        host,
        'uname -s; uname -m; id -u; id -un; eval "echo ~$(id -un)"; '
        "sysctl -n hw.optional.arm64 2>/dev/null || echo 0",
    )
    lines = answer.out.splitlines()
    if len(lines) < 6 or lines[0] not in ("Linux", "Darwin"):
        raise CannotAsk(f"the host says {printable(answer.out + answer.error)!r}")
    name, machine, uid, user, home, arm = lines[:6]
    system: Literal["linux", "darwin"] = "linux" if name == "Linux" else "darwin"
    if system == "darwin" and arm == "1":
        machine = "arm64"
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)
    declared = scopes[system]
    system_wide = declared == "system" or (declared == "auto" and uid == "0")
    return Place(
        system, f"{system}-{architecture}", int(uid), user, home,
        "system" if system_wide else "user",
    )  # fmt: skip
