"""Go's own settings: the names and values that its settings file takes, as `go env -w` checks them.

Source of names and rules: cmd/go/internal/envcmd/env.go (checkEnvWrite) and internal/cfg (KnownEnv)
of Go 1.26 and 1.27.
"""

from __future__ import annotations

import re
import shlex
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainValidator, SecretStr, WithJsonSchema
from pydantic_core import PydanticCustomError

from gostead.declaration.grammar import REFUSED, Refusal, text_check
from gostead.declaration.problems import did_you_mean
from gostead.declaration.urls import redact_url

#: What the settings file takes.
SETTINGS = frozenset((
    "AR", "CC", "CGO_CFLAGS", "CGO_CFLAGS_ALLOW", "CGO_CFLAGS_DISALLOW", "CGO_CPPFLAGS",
    "CGO_CPPFLAGS_ALLOW", "CGO_CPPFLAGS_DISALLOW", "CGO_CXXFLAGS", "CGO_CXXFLAGS_ALLOW",
    "CGO_CXXFLAGS_DISALLOW", "CGO_ENABLED", "CGO_FFLAGS", "CGO_FFLAGS_ALLOW",
    "CGO_FFLAGS_DISALLOW", "CGO_LDFLAGS", "CGO_LDFLAGS_ALLOW", "CGO_LDFLAGS_DISALLOW", "CXX", "FC",
    "GCCGO", "GO111MODULE", "GO386", "GOAMD64", "GOARCH", "GOARM", "GOARM64", "GOAUTH", "GOBIN",
    "GOCACHE", "GOCACHEPROG", "GOEXPERIMENT", "GOFIPS140", "GOFLAGS", "GOINSECURE", "GOMIPS",
    "GOMIPS64", "GOMODCACHE", "GONOPROXY", "GONOSUMDB", "GOOS", "GOPATH", "GOPPC64", "GOPRIVATE",
    "GOPROXY", "GORISCV64", "GOSUMDB", "GOTMPDIR", "GOTOOLCHAIN", "GOVCS", "GOWASM",
    "GO_EXTLINK_ENABLED", "PKG_CONFIG",
))  # fmt: skip
#: What Go reads from the environment alone: it goes into the users' ~/.config/gostead/env.sh.
VARIABLES = frozenset((
    "GODEBUG", "GOGC", "GOMEMLIMIT", "GOMAXPROCS", "GOTRACEBACK", "GORACE", "GOCOVERDIR", "GOWORK",
))  # fmt: skip
#: What nobody may set, and what to do instead.
REFUSED_NAMES = {
    "GOROOT": "leave it to the go command: it knows its own; `toolchains.default` chooses which",
    "GOENV": "it says where the settings file is, so it cannot stand in it; leave it unset",
    "GOTELEMETRY": "declare `telemetry: off`, local or on",
    "GOTELEMETRYDIR": "it follows from the user's configuration directory",
    "GOVERSION": "declare `toolchains: {default: …}`",
    **dict.fromkeys(
        ("GOEXE", "GOGCCFLAGS", "GOHOSTARCH", "GOHOSTOS", "GOMOD", "GOTOOLDIR"),
        "Go works it out; take the line out",
    ),
}
KNOWN = SETTINGS | VARIABLES | frozenset(REFUSED_NAMES)
ABSOLUTE = ("GOBIN", "GOCACHE", "GOMODCACHE", "GOTMPDIR", "GOCOVERDIR")
WORDS = {
    "GO111MODULE": ("auto", "on", "off"),
    "CGO_ENABLED": ("0", "1"),
    "GOARCH": ("386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle",
               "ppc64", "ppc64le", "riscv64", "s390x", "wasm"),
    "GOOS": ("aix", "android", "darwin", "dragonfly", "freebsd", "illumos", "ios", "js", "linux",
             "netbsd", "openbsd", "plan9", "solaris", "wasip1", "windows"),
    "GO386": ("sse2", "softfloat"),
    "GOAMD64": ("v1", "v2", "v3", "v4"),
}  # fmt: skip
_TOOLCHAIN = re.compile(
    r"(local|(go1\.[0-9]+(\.[0-9]+)?((rc|beta)[0-9]+)?(-[A-Za-z0-9._-]+)?))"
    r"(\+(auto|path))?|auto|path"
)
_SIZE = re.compile(r"[0-9]+(B|KiB|MiB|GiB|TiB)?|off")
_EXPECTED_NAME = "the name of a Go setting, such as GOPRIVATE (`go help environment`)"
_EXPECTED = "text, a whole number, or null (the key is taken out of the users' settings)"


def check_name(name: str) -> str:
    """A name that the go command knows. Raises Refusal."""
    if name not in KNOWN:
        meant = did_you_mean(name, sorted(KNOWN))
        raise Refusal(_EXPECTED_NAME, f"did you mean {meant}?" if meant else "")
    return name


def check_value(name: str, value: str) -> None:
    """Raises Refusal where Go would refuse `value` for `name`, now or when it is used, and for
    names that nobody can set, with what to do instead."""
    if name in REFUSED_NAMES:
        raise Refusal(f"a setting that can be set: {name} cannot", REFUSED_NAMES[name])
    if any(c in value for c in "\0\v\r\n") or any("\ud800" <= c <= "\udfff" for c in value):
        raise Refusal(f"a value of {name} on one line, in UTF-8")
    if not value:
        raise Refusal(f"a value of {name}", "null takes the key out of the settings")
    if name in WORDS and value not in WORDS[name]:
        raise Refusal(f"{name}: one of {', '.join(WORDS[name])}")
    if name in ABSOLUTE and not value.startswith("/"):
        raise Refusal(f"{name}: an absolute path", "~ and $HOME are not expanded there")
    if name == "GOPATH" and not all(part.startswith("/") for part in value.split(":")):
        raise Refusal("GOPATH: absolute paths, joined by :", "~ and $HOME are not expanded there")
    if name in ("CC", "CXX"):
        _check_compiler(name, value)
    if name == "GOFLAGS" and not all(word.startswith("-") for word in _words(name, value)):
        raise Refusal("GOFLAGS: flags that begin with -", "write -flag=value as one word")
    if name == "GOTOOLCHAIN" and not _TOOLCHAIN.fullmatch(value):
        raise Refusal("GOTOOLCHAIN: local, auto, path, or go1.27.3 with +auto or +path behind it")
    if name == "GOMEMLIMIT" and not _SIZE.fullmatch(value):
        raise Refusal("GOMEMLIMIT: bytes, with B, KiB, MiB, GiB or TiB behind them, or off")
    if name == "GOGC" and not re.fullmatch("[0-9]+|off", value):
        raise Refusal("GOGC: a percentage (100), or off")
    if name == "GOMAXPROCS" and not re.fullmatch("[1-9][0-9]*", value):
        raise Refusal("GOMAXPROCS: a whole number of at least 1")
    if name == "GOPROXY":
        for entry in re.split("[,|]", value):
            if entry not in ("off", "direct") and not re.match(r"(https?|file)://\S+$", entry):
                raise Refusal("GOPROXY: URLs, direct or off, joined by , or |", "no empty entries")
    if name == "GOWORK" and value != "off" and not value.startswith("/"):
        raise Refusal("GOWORK: off, or the absolute path of a go.work")


def _check_compiler(name: str, value: str) -> None:
    words = _words(name, value)
    if not words or ("/" in words[0] and not words[0].startswith("/")):
        raise Refusal(f"{name}: a command's name or an absolute path, options behind it")


def _words(name: str, value: str) -> list[str]:
    try:
        return shlex.split(value)
    except ValueError:
        raise Refusal(f"{name}: words, quoted as a shell quotes them", "close the quote") from None


def _check_one(value: object) -> object:
    """A value as YAML gives it: a number that is a word, too."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is None or isinstance(value, str | SecretStr):
        return value
    raise PydanticCustomError(REFUSED, "{expected}", {"expected": _EXPECTED, "hint": "quote it"})


def text_of(value: str | SecretStr | None) -> str:
    """A value itself, for the host and for comparing; never to be printed. Empty for none."""
    return value.get_secret_value() if isinstance(value, SecretStr) else value or ""


def shown(value: str | SecretStr | None) -> str:
    """A value as it may be printed: no credential of a URL, nothing that is a secret."""
    if value is None:
        return "not set"
    if isinstance(value, SecretStr):
        return "***"
    return ",".join(redact_url(part) for part in value.split(","))


Name = Annotated[str, BeforeValidator(text_check(check_name, _EXPECTED_NAME))]
Value = Annotated[
    str | SecretStr | None,
    PlainValidator(_check_one),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]}),
]
Env = Annotated[
    dict[Name, Value],
    Field(json_schema_extra={"propertyNames": {"enum": sorted(KNOWN)}}),
]
