"""Which files declare something for a host, in which order, and what stands below their `go:`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from gostead.declaration.documents import read_document
from gostead.declaration.nodes import Scalar, Table
from gostead.declaration.problems import Collector, Problem, printable, show

OS_LAYERS = ("linux", "darwin")
HOSTS = "hosts"


@dataclass(frozen=True)
class Layers:
    """The tables below `go:`, the weakest first, for each operating system."""

    linux: tuple[Table, ...]
    darwin: tuple[Table, ...]

    def each(self) -> Iterable[Table]:
        """Every file's table once."""
        return {id(table): table for table in (*self.linux, *self.darwin)}.values()


def file_name(name: str) -> str:
    """The file of a group or host: its name percent-encoded as UTF-8 (RFC 3986), and ".yaml"."""
    return quote(name, safe="", errors="surrogatepass") + ".yaml"


def read_layers(
    directory: Path, groups: Sequence[str], host: str, keys: Sequence[str], problems: Collector
) -> Layers:
    """Reads all.yaml, linux.yaml, darwin.yaml, each group's file and hosts/<host>.yaml.

    A file that is not there declares nothing; a directory that is not there is a mistake. `keys`
    are those that may stand below `go:` (for suggestions). `problems` collects what is wrong.
    """
    if not _check_directory(directory, problems):
        return Layers((), ())

    def read(relative: Path) -> tuple[Table, ...]:
        name = printable_path(directory / relative)
        document = read_document(directory / relative, name, problems)
        table = _below_go(document, keys, problems)
        return () if table is None else (table,)

    every = read(Path("all.yaml"))
    systems = {system: read(Path(f"{system}.yaml")) for system in OS_LAYERS}
    specific: tuple[Table, ...] = ()
    for group in dict.fromkeys(groups):
        if _names_a_group_file(group, directory, host, problems):
            specific += read(Path(file_name(group)))
    _check_encoding(directory / HOSTS, host, problems)
    specific += read(Path(HOSTS) / file_name(host))
    return Layers(every + systems["linux"] + specific, every + systems["darwin"] + specific)


def printable_path(path: Path) -> str:
    """`path` without anything that a terminal would act on."""
    text = str(path)
    return text if text.isprintable() else "".join(printable(char) for char in text)


def _check_directory(directory: Path, problems: Collector) -> bool:
    """Whether `directory` can be listed. Files that nobody would ever read are problems too."""
    for place in (directory, directory / HOSTS):
        try:
            names = sorted(entry.name for entry in place.iterdir())
        except OSError as error:
            if place != directory and isinstance(error, FileNotFoundError):
                continue
            expected = "a directory with the declaration (all.yaml, linux.yaml, …)"
            hint = "run from the root of the repository, or name it: --declaration DIR"
            why = error.strerror or type(error).__name__
            problems.add(Problem(printable_path(place), "", why.lower(), expected, hint))
            return False
        for name in names:
            if name.lower().endswith(".yml") or (name != name.lower() and name.endswith(".YAML")):
                hint = f"rename it to {printable(Path(name).stem)}.yaml"
                what = "a file that would never be read"
                problems.add(
                    Problem(printable_path(place / name), "", what, "the suffix .yaml", hint)
                )
    return True


def _names_a_group_file(group: str, directory: Path, host: str, problems: Collector) -> bool:
    """False for a layer that is read anyway, and for a reserved or empty name (a problem)."""
    folded = group.casefold()  # macOS file systems do not tell Linux.yaml from linux.yaml
    if group in ("all", *OS_LAYERS):
        return False
    if not group or folded in ("all", *OS_LAYERS, HOSTS):
        problems.add(
            Problem(
                f"host {printable(host)}",
                "inventory group",
                show(group),
                f"a group name other than {', '.join(('all', *OS_LAYERS, HOSTS))} (any case)",
                "rename the group; the inventory file's own name is a group as well",
            )
        )
        return False
    _check_encoding(directory, group, problems)
    return True


def _check_encoding(directory: Path, name: str, problems: Collector) -> None:
    """A file under the bare name would be passed over in silence: say so."""
    expected = file_name(name)
    if expected == f"{name}.yaml" or "/" in name or "\0" in name:
        return
    bare = directory / f"{name}.yaml"
    if os.path.lexists(bare):
        what = "a file that would never be read"
        hint = f"rename it to {expected}"
        problems.add(Problem(printable_path(bare), "", what, "a percent-encoded file name", hint))


def _below_go(document: object, keys: Sequence[str], problems: Collector) -> Table | None:
    """The table below `go:`. `go:` with nothing after it declares nothing."""
    if document is None or (isinstance(document, Scalar) and document.is_null):
        return None
    if not isinstance(document, Table):
        where = getattr(document, "where", "")
        hint = "begin with `go:` and indent what belongs to it"
        problems.add(Problem(where, "", "no map", "a map with the one key go", hint))
        return None
    for key, entry in document.entries.items():
        if key != "go":
            hint = f"put {key} below go:" if key in keys else "everything stands below go:"
            problems.add(
                Problem(entry.where, printable(key), "an unknown key", "the one key go", hint)
            )
    go = document.entries.get("go")
    if go is None or (isinstance(go.node, Scalar) and go.node.is_null):
        return None
    if not isinstance(go.node, Table):
        hint = "indent the keys below go:"
        problems.add(Problem(go.where, "go", "no map", "a map of keys", hint))
        return None
    return go.node
