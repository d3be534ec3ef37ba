"""What a Go project asks for in go.mod and go.work, and what a toolchain does with it.

Source of the rules: internal/gover, cmd/go/internal/toolchain (Select), cmd/go/internal/modload and
golang.org/x/mod/modfile of Go 1.26; go1.20.14 for those before 1.21.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

LIMIT = 1 << 20  # bytes of one file
_BLOCKS = {
    "go.mod": ("module", "godebug", "require", "exclude", "replace", "retract", "tool", "ignore"),
    "go.work": ("godebug", "use", "replace"),
}
_GO_LINE = re.compile(r"[1-9][0-9]*\.(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))?([a-z]+[0-9]+)?")
_VERSION = re.compile(
    r"(?P<major>0|[1-9][0-9]*)(\.(?P<minor>0|[1-9][0-9]*)"
    r"(\.(?P<patch>0|[1-9][0-9]*)|(?P<kind>[a-z]+)(?P<pre>0|[1-9][0-9]*)?)?)?"
)
# A name goes on PATH and into a module's path: Go allows no separator in it, we no ; either.
_TOOLCHAIN = re.compile(r"go(1|1\.[0-9a-z.]+)(-[^\\/;]*)?")
_TOKEN = re.compile(
    r'(?://.*|(?P<token>[()\[\]{},]|"(?:[^"\\]|\\.)*"|`[^`]*`'
    r'|(?!["`])(?:(?!//|/\*)[^ \t\r()\[\]{},])+))[ \t\r]*'
)
_PARTS = ("major", "minor", "patch", "kind", "pre")
Order = tuple[tuple[int, str], ...]


class ProjectError(Exception):
    """A project that cannot be read: "file:line: what is wrong"."""


@dataclass(frozen=True)
class GoFile:
    """What one go.mod or go.work says; a line number is 0 where the line is missing."""

    path: Path
    module: str = ""
    go: str | None = None
    go_line: int = 0
    toolchain: str | None = None
    toolchain_line: int = 0
    uses: tuple[tuple[int, str], ...] = ()

    @property
    def required(self) -> str:
        """The go line's version, or what Go takes where there is no such line."""
        return self.go or ("1.18" if self.path.name == "go.work" else "1.16")


@dataclass(frozen=True)
class Project:
    """The files that the go command reads in a directory. `stray` is that directory's own go.mod
    where the go.work above it does not use it: go refuses to work there."""

    work: GoFile | None
    modules: tuple[GoFile, ...]
    stray: Path | None = None

    def too_old_for(self, module: GoFile) -> bool:
        """True where go refuses the workspace because `module` asks for more than go.work does;
        Go asks that of modules since 1.21."""
        asked = order(module.required)
        return asked > order(self.main.required) and asked >= order("1.21")

    @property
    def main(self) -> GoFile:
        """The file that chooses the toolchain: go.work, else go.mod."""
        return self.work or self.modules[0]


@dataclass(frozen=True)
class Outcome:
    """The toolchain that go runs in the end, and the line or setting that chose it; `fetched`: it
    is not the one that was started; `error`: why it does not do, in go's words where it has any."""

    name: str
    why: str = ""
    fetched: bool = False
    error: str = ""

    @property
    def serves(self) -> bool:
        """True where the toolchain that was started does the work."""
        return not self.fetched and not self.error


def order(version: str) -> Order:
    """Sorts as go/version does: 1.21 < 1.21rc1 < 1.21.0; what is no version comes before all."""
    match = _VERSION.fullmatch(version)
    if match is None:
        return ()
    major, minor, patch, kind, pre = (match[name] or "" for name in _PARTS)
    # From 1.21 on, 1.N is the language and 1.N.0 its first release; before, they are the same.
    if not patch and not kind and (len(minor), minor) < (2, "21"):
        minor, patch = minor or "0", "0"
    # By length first: decimals of any length, as in Go; int() takes 4300 digits.
    parts = [(len(digits), digits) for digits in (major, minor, patch, pre)]
    return (*parts[:3], (0, kind), parts[3])


def is_language(version: str) -> bool:
    """True for 1.21 and 1.27, which no release is called."""
    return order(version)[2:4] == ((0, ""), (0, ""))


def version_of(toolchain: str) -> str:
    """The version in a toolchain's name, 1.23.0 of go1.23.0-corp; "" where there is none."""
    match = _TOOLCHAIN.fullmatch(toolchain)
    return match[1] if match and order(match[1]) else ""


def find(directory: str, workspace: bool = True) -> Project:
    """The project that the go command finds from `directory` upwards; without `workspace`
    (GOWORK=off) no go.work. Raises ProjectError."""
    start = Path(os.path.normpath(Path.cwd() / directory))  # as `cd` takes .. after a link
    if not directory or not os.path.isdir(start):  # noqa: PTH112 - Path.is_dir raises
        why = "is no directory" if os.path.lexists(start) else "does not exist"
        raise ProjectError(f"{directory or 'an empty name'}: {why}")
    own, found = _upwards(start, "go.mod"), _upwards(start, "go.work") if workspace else None
    if own is None and found is None:
        odd = [start / name for name in _BLOCKS if os.path.isdir(start / name)]  # noqa: PTH112
        why = f" ({odd[0]} is a directory)" if odd else ""
        raise ProjectError(f"{start}: no go.mod there, nor in a directory above it{why}")
    if found is None:
        return Project(None, (_parsed(own or start),))
    work = _parsed(found)
    modules: dict[Path, GoFile] = {}
    for line, use in work.uses:
        path = Path(os.path.normpath(found.parent / use)) / "go.mod"
        if path in modules:
            raise ProjectError(f"{found}:{line}: use {use} stands there twice")
        if not os.path.exists(path):  # noqa: PTH110 - Path.exists raises
            raise ProjectError(f"{found}:{line}: use {use} leads nowhere: there is no {path}")
        modules[path] = _parsed(path)
    return Project(work, tuple(modules.values()), None if own in modules else own)


def parse(path: Path, text: str) -> GoFile:
    """What the go.mod or go.work (by the name of `path`) with the content `text` says. Raises
    ProjectError with file and line where the go command refuses it."""
    found: dict[str, tuple[int, str]] = {}
    uses: list[tuple[int, str]] = []
    none: tuple[int, None] = (0, None)
    block, opened, number = "", 0, 1
    try:
        for number, line in enumerate(text.split("\n"), 1):
            tokens = _tokens(line)
            if not tokens:
                continue
            if block and tokens[0] == ")":
                if len(tokens) > 1:
                    raise ValueError("syntax error (expected newline after closing paren)")
                block = ""
                continue
            empty = tokens[-2:] == ["(", ")"]
            if not block and len(tokens) > 1 + empty and (empty or tokens[-1] == "("):
                name = " ".join(tokens[: -1 - empty])
                if name not in _BLOCKS[path.name]:
                    raise ValueError(f"unknown block type: {name}")
                block, opened = "" if empty else name, number
                continue
            verb, *values = [block, *tokens] if block else tokens
            if verb not in (*_BLOCKS[path.name], "go", "toolchain"):
                raise ValueError(f"unknown directive: {verb}")
            if verb in found:
                raise ValueError(f"repeated {verb} statement")
            if verb == "use":
                uses.append((number, _value(verb, values)))
            elif verb in ("go", "toolchain", "module"):
                found[verb] = number, _value(verb, values)
        if block:
            raise ValueError(f"syntax error (unterminated block started at line {opened})")
        if path.name == "go.mod" and "module" not in found:
            raise ValueError("the module line is missing: go mod edit -module=example.com/mod")
    except ValueError as error:
        raise ProjectError(f"{path}:{number}: {error}") from None
    (at_go, go), (at_toolchain, toolchain) = found.get("go", none), found.get("toolchain", none)
    module = found.get("module", (0, ""))[1]
    return GoFile(path, module, go, at_go, toolchain, at_toolchain, tuple(uses))


def outcome(running: str, setting: str, file: GoFile) -> Outcome:
    """What the release `running` does with `file` where GOTOOLCHAIN is `setting`."""
    own, version, name = f"go{running}", running, file.path.name
    if order(running) < order("1.21"):  # it neither switches nor knows what makes others switch
        odd = "" if re.fullmatch(r"[0-9]+\.[0-9]+", file.required) else f"go {file.go}"
        odd = f"toolchain {file.toolchain}" if file.toolchain else odd
        late = order(file.required) > order(running)
        why = f"{own} is older than go {file.required}" if late else ""
        return Outcome(own, error=f"{own} does not know a line such as `{odd}`" if odd else why)
    base, _, mode = setting.partition("+")
    if setting in ("auto", "path"):
        base, mode = "local", setting
    chosen, why, explain = own, "", "" if setting == "auto" else f"; GOTOOLCHAIN={setting}"
    if base != "local":
        version, chosen, why = version_of(base), base, f"GOTOOLCHAIN={setting}"
        if not version:
            return Outcome(own, error=f'go: invalid GOTOOLCHAIN "{setting}"')
    if mode and file.toolchain == "default":
        explain += f"; {name} sets toolchain default"
    elif mode:
        suggested = version_of(file.toolchain or "")
        if file.toolchain and order(suggested) > order(version):
            version, chosen, why = suggested, file.toolchain, f"toolchain {file.toolchain}"
        if file.go and order(file.go) > order(version):
            version, why = file.go, f"go {file.go}"
            chosen = f"go{version}" + ".0" * is_language(version)
    error = ""
    if chosen != own and not chosen.startswith("go1"):
        error = f'go: invalid GOTOOLCHAIN "{chosen}"'
    elif chosen != own and mode == "path":
        error = f'go: cannot find "{chosen}" in PATH'
    elif chosen != own and is_language(chosen.removeprefix("go")):
        not_a = f"is a language version but not a toolchain version ({chosen}.x)"
        error = f"go: invalid toolchain: {chosen} {not_a}"
    elif order(file.required) > order(version):
        error = f"go: {name} requires go >= {file.required} (running go {version}{explain})"
    return Outcome(chosen, why, chosen != own, error)


def _upwards(start: Path, name: str) -> Path | None:
    paths = (parent / name for parent in (start, *start.parents))
    return next((p for p in paths if os.path.exists(p) and not os.path.isdir(p)), None)  # noqa: PTH110, PTH112


def _parsed(path: Path) -> GoFile:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise ProjectError(f"{path}: is no regular file")
        with path.open("rb") as file:
            data = file.read(LIMIT + 1)
    except OSError as error:
        raise ProjectError(f"{path}: cannot be read: {error.strerror}") from None
    if len(data) > LIMIT:
        raise ProjectError(f"{path}: larger than {LIMIT} bytes")
    return parse(path, data.decode("utf-8", "surrogateescape"))


def _tokens(line: str) -> list[str]:
    tokens, at = [], len(line) - len(line.lstrip(" \t\r"))
    while at < len(line):
        match = _TOKEN.match(line, at)
        if match is None:
            quote = line[at] in ('"', "`")
            raise ValueError("syntax error: a quote is not closed" if quote else "/* is no comment")
        token = match["token"] or ""
        odd = next((c for c in token if not c.isprintable()), "")
        if odd and token[0] not in ('"', "`"):
            raise ValueError(f"syntax error: unexpected character {odd!a}")
        tokens += [token] if token else []
        at = match.end()
    return tokens


def _value(verb: str, values: list[str]) -> str:
    value = values[0] if len(values) == 1 else ""
    if not value:
        raise ValueError(f"{verb} takes exactly one argument")
    if verb == "go" and not (_GO_LINE.fullmatch(value) and order(value)):
        raise ValueError(f"invalid go version '{value}': must match format 1.23.0")
    if verb == "toolchain" and value != "default" and not version_of(value):
        raise ValueError(f"invalid toolchain '{value}': must match format go1.23.0 or default")
    if verb in ("go", "toolchain") or value[0] not in ('"', "`"):
        if re.search("[\"'`]", value):
            raise ValueError("an unquoted string cannot contain a quote")
        return value
    inner = value[1:-1]
    if value[0] == '"' and re.search(r"\\[^\"\\]", inner.replace(r"\\", "")):
        raise ValueError(r'only \" and \\ are understood in ""; write it in ``')
    return re.sub(r"\\(.)", r"\1", inner) if value[0] == '"' else inner
