"""Where Go's caches are, one for each user, and how large they may become."""

from __future__ import annotations

import posixpath
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from gostead.declaration.grammar import Refusal, text_check
from gostead.declaration.sizes import Size

_EXPECTED = "the absolute path of a directory that is ours alone, such as /var/cache/go"
#: Directories that are somebody else's: below them is right, they themselves are not.
_SHARED = frozenset((
    "/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/opt", "/private", "/proc", "/root",
    "/run", "/sbin", "/srv", "/sys", "/tmp", "/usr",  # noqa: S108 - refused, not used
    "/usr/local", "/var", "/var/cache",
    "/var/lib", "/var/tmp",  # noqa: S108
    "/Users", "/Library", "/System", "/Volumes",
))  # fmt: skip


def check_directory(text: str) -> str:
    """A directory that can be made ours. Raises Refusal."""
    if not text.startswith("/") or posixpath.normpath(text) != text or not text.isprintable():
        raise Refusal(_EXPECTED, "absolute, without . or .. or a / at its end")
    if text in _SHARED or text.startswith(("/proc/", "/sys/", "/dev/")):
        raise Refusal(_EXPECTED, f"{text} is not gostead's to own; name a directory below it")
    if ":" in text:
        raise Refusal(_EXPECTED, "no colon: Go reads it as a list")
    return text


Directory = Annotated[str, BeforeValidator(text_check(check_directory, _EXPECTED))]


class Caches(BaseModel):
    """The build cache, the module cache and the scratch directory of each declared user."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    root: Directory | None = Field(
        None,
        description="Below it each declared user has a build cache (GOCACHE) of their own, "
        "<root>/<uid>, mode 0700. null: Go's default, in each home.",
        examples=["/var/cache/go"],
    )
    modules: Directory | None = Field(
        None,
        description="The same for downloaded modules (GOMODCACHE).",
        examples=["/var/cache/go-mod"],
    )
    tmp: Directory | None = Field(
        None,
        description="The same for what builds leave behind for a moment (GOTMPDIR): needed where "
        "/tmp is mounted noexec.",
        examples=["/srv/go-tmp"],
    )
    max_size: Size | None = Field(
        None,
        description="The bound of each build cache: what was least recently used goes first, never "
        "what was used in the last three hours. null: Go's own trimming only (unused for 5 days).",
        examples=["20GiB"],
    )

    def places(self) -> tuple[tuple[str, str], ...]:
        """The declared directories by their key."""
        named = (("root", self.root), ("modules", self.modules), ("tmp", self.tmp))
        return tuple((key, path) for key, path in named if path)

    def settings(self, uid: int) -> dict[str, str]:
        """The Go settings that follow from it for the user with that number."""
        places = {"GOCACHE": self.root, "GOMODCACHE": self.modules, "GOTMPDIR": self.tmp}
        return {name: f"{path}/{uid}" for name, path in places.items() if path}
