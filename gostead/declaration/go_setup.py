"""The declared Go setup of a host: what everything else is planned and checked against."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from gostead.declaration.caches import Caches
from gostead.declaration.cgo import Cgo
from gostead.declaration.go_env import Env, text_of
from gostead.declaration.grammar import without_duplicates
from gostead.declaration.network import Network
from gostead.declaration.orphans import Orphans
from gostead.declaration.schedule import Schedule
from gostead.declaration.shells import Shells
from gostead.declaration.slices import Slices
from gostead.declaration.toolchains import Toolchains
from gostead.declaration.tools import Tool, without_namesakes
from gostead.declaration.users import User
from gostead.declaration.xcode import Xcode


class GoSetup(BaseModel):
    """What one host should be. Immutable; every key has a quiet default."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    state: Literal["present", "absent"] = Field(
        "present",
        description="`absent` takes away all that gostead made and puts back what it replaced.",
        examples=["absent"],
    )
    scope: Literal["auto", "system", "user"] = Field(
        "auto",
        description="`system`: /opt/gostead, for every user, needs root. `user`: "
        "~/.local/share/gostead, needs nothing but a home. `auto`: system when the connection is "
        "root, else user.",
        examples=["user"],
    )
    users: Annotated[tuple[User, ...], AfterValidator(without_duplicates)] = Field(
        ("self",),
        description="Whose shells and settings are ours: names, `self` (who connects), `humans`.",
        examples=[["ci", "self"]],
    )
    toolchains: Toolchains = Field(
        Toolchains(),
        description="Which Go toolchains there are, and where they come from.",
        examples=[{"default": "1.27.3", "versions": ["1.26.8"]}],
    )
    shells: Shells = Field(
        Shells(),
        description="Which start-up files put the declared Go first on PATH.",
        examples=[{"kinds": ["bash", "zsh"], "cron": True}],
    )
    env: Env = Field(
        {},
        description="Go's own settings (`go env`) of each declared user; null takes a key out, "
        "keys that are not named stay as they are. What Go reads from the environment alone "
        "(GOGC, GODEBUG …) is exported in the users' shells. Values may be `!env NAME` or "
        "`!file PATH`: they are secrets then, and never shown.",
        examples=[{"GOPRIVATE": "git.example.com", "GOTOOLCHAIN": "local"}],
    )
    telemetry: Literal["off", "local", "on"] | None = Field(
        None,
        description="Go's telemetry of each declared user: `off`, `local` (counted, not sent), "
        "`on`. null: left as it is.",
        examples=["off"],
    )
    cache: Caches = Field(
        Caches(),
        description="Where the caches of each declared user are, and how large they may become.",
        examples=[{"root": "/var/cache/go", "max_size": "20GiB"}],
    )
    tools: Annotated[tuple[Tool, ...], AfterValidator(without_namesakes)] = Field(
        (),
        description="Tools built with the default toolchain, and on PATH beside it: "
        "package@version, exact.",
        examples=[["golang.org/x/tools/gopls@v0.21.0"]],
    )
    cgo: Cgo = Field(
        Cgo(), description="The C compiler that cgo needs.", examples=[{"required": True}]
    )
    xcode: Xcode = Field(
        Xcode(),
        description="Apple's developer tools (macOS).",
        examples=[{"command_line_tools": "latest", "sdkroot": "unset"}],
    )
    slices: Slices = Field(
        Slices(),
        description="Memory and processor budgets for builds (Linux with systemd, system scope).",
        examples=[{"builds": {"memory_high": "70%", "memory_max": "80%"}, "go_limits": "auto"}],
    )
    orphans: Orphans = Field(
        Orphans(),
        description="Processes that Go work left behind: found, and ended where that is declared.",
        examples=[{"action": "terminate", "min_age": "2h"}],
    )
    schedule: Schedule = Field(
        Schedule(),
        description="The host converges itself, from a git repository (Linux with systemd, system "
        "scope).",
        examples=[
            {
                "every": "1h",
                "source": "https://git.example.com/infra/go-hosts.git",
                "ref": "0123456789abcdef0123456789abcdef01234567",
            }
        ],
    )
    network: Network = Field(
        Network(),
        description="How downloads by host or controller reach the network.",
        examples=[{"proxy": "http://proxy.example.com:3128"}],
    )

    def settings(self, uid: int) -> dict[str, tuple[str | SecretStr | None, str]]:
        """Every Go setting that is declared for the user with that number, with the key that asks
        for it: `env`, and what caches and compiler contribute. Variables of the environment are
        among them."""
        found: dict[str, tuple[str | SecretStr | None, str]] = {
            name: (value, f"env.{name}") for name, value in self.env.items()
        }
        keys = {"GOCACHE": "cache.root", "GOMODCACHE": "cache.modules", "GOTMPDIR": "cache.tmp"}
        for name, value in self.cache.settings(uid).items():
            found[name] = (value, keys[name])
        for name, value in self.cgo.settings().items():
            found[name] = (value, f"cgo.compiler.{name}")
        return found

    def digests(self, uid: int) -> dict[str, str]:
        """The sha256 of every declared setting's value, by name: compared without being shown."""
        found = {}
        for name, (value, _) in self.settings(uid).items():
            if value is not None:
                data = text_of(value).encode("utf-8", "surrogateescape")
                found[name] = hashlib.sha256(data).hexdigest()
        return found

    def compilers(self) -> tuple[str, str]:
        """The commands for C and C++: declared, or what Go takes by itself on Linux."""
        declared = self.settings(0)
        found = []
        for name, default in (("CC", "gcc"), ("CXX", "g++")):
            value = declared.get(name, (None, ""))[0]
            found.append(value if isinstance(value, str) else default)
        return found[0], found[1]
