"""The GOPROXY list: its grammar, and where the controller's own comes from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from gostead.sources.errors import SourceError
from gostead.sources.redact import redact_url

GO_TIMEOUT = 5.0
"""Seconds that `go env` may take."""


@dataclass(frozen=True)
class ProxyEntry:
    """One element of a GOPROXY list.

    `fall_through` says when the next element is asked: "absent" (a comma followed: after 404 or
    410) or "any" (a pipe followed: after any error). `declared` is true when the user's
    declaration named it, false when it came from the environment. `first` marks the head of the
    list. The base URL may hold a password, so repr hides it.
    """

    kind: Literal["url", "direct", "off"]
    base: str = field(repr=False)
    fall_through: Literal["absent", "any"]
    declared: bool = False
    first: bool = False

    def __str__(self) -> str:
        return redact_url(self.base) if self.kind == "url" else self.kind


def parse_goproxy(text: str, *, declared: bool = False) -> list[ProxyEntry]:
    """The elements of a GOPROXY value, in order, as `go help goproxy` reads them.

    Nothing after `off` or `direct` is ever reached, so nothing after them is returned. Raises
    SourceError for an element that is neither a URL nor one of these words.
    """
    entries: list[ProxyEntry] = []
    rest = text
    while rest:
        cut = min((i for i in (rest.find(","), rest.find("|")) if i >= 0), default=len(rest))
        item, separator, rest = rest[:cut].strip(), rest[cut : cut + 1], rest[cut + 1 :]
        if not item:
            continue
        after: Literal["absent", "any"] = "any" if separator == "|" else "absent"
        if item in ("off", "direct"):
            word: Literal["off", "direct"] = "off" if item == "off" else "direct"
            entries.append(ProxyEntry(word, item, after, declared, not entries))
            break
        if not item.startswith(("https://", "http://", "file://")):
            raise SourceError(
                f"element {len(entries) + 1} of the GOPROXY list is neither an https, http or file "
                "URL nor `direct` or `off`; correct toolchains.goproxy or the GOPROXY variable"
            )
        entries.append(ProxyEntry("url", item.rstrip("/"), after, declared, not entries))
    return entries


def ask_go(environ: Mapping[str, str]) -> str:
    """What `go env GOPROXY` says on this machine; empty when there is no usable go on PATH."""
    import shutil  # costs more than everything else here, and is seldom needed
    import subprocess

    go = shutil.which("go", path=environ.get("PATH", ""))
    if go is None:
        return ""
    # From / and with the local toolchain: a go.mod in the working directory must not make go
    # download another toolchain just to answer this.
    settings = {**environ, "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""}
    try:
        done = subprocess.run(
            [go, "env", "GOPROXY"],
            env=settings,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=GO_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else ""


def goproxy_list(
    declared: str | None,
    environ: Mapping[str, str],
    run_go: Callable[[Mapping[str, str]], str] = ask_go,
) -> list[ProxyEntry]:
    """The GOPROXY list to use: the declared one, else $GOPROXY, else what `go` here says, else [].

    An empty variable counts as unset, as it does for the go command.
    """
    if declared is not None:
        return parse_goproxy(declared, declared=True)
    return parse_goproxy(environ.get("GOPROXY", "").strip() or run_go(environ))
