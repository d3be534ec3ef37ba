"""Answers of the stand-in of a Mac, exchanged one at a time: does a test notice?

python -m tests.hosts.darwin.mutants [NAME…] [--list] [--today]

NAME is a pattern of shells ("sysctl:*") or a program's name; without one, all of mutants.toml; with
--today the few whose turn it is, as `script/test --all` has them. Each is put into a copy of the
project, never into the project itself, and the tests that must notice are run there. Exit code 1:
one survived, did not apply, or the tests fail without any.
"""

from __future__ import annotations

import argparse
import compileall
import fnmatch
import os
import py_compile
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tests.support.cache import PROJECT, cache_dir, locked, remove

HERE = "tests/hosts/darwin"
CATALOGUE = Path(__file__).with_name("mutants.toml")
#: The tests that state what the stand-in answers. The others notice by what gostead then does.
CONTRACT = "test_stand_in.py"
SECONDS = 300
TODAY = 6  # a minute or two
NOT_COPIED = (".git", ".venv", ".cache", "__pycache__", ".*_cache", ".hypothesis", "dist", "build")


@dataclass(frozen=True)
class Mutant:
    """In `file`, `old` (which is there exactly once) becomes `new`, and one of `tests` must fail.

    `file` and `tests` are relative to HERE."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    @property
    def by_behaviour(self) -> bool:
        """Whether what must notice looks at gostead, not at the stand-in alone."""
        return not all(test.startswith(CONTRACT) for test in self.tests)


@dataclass(frozen=True)
class Unread:
    """An answer that is played and that nothing of gostead reads, and why it is played."""

    answer: str
    why: str


class DoesNotApply(Exception):
    """The text to exchange is not there exactly once: the mutant is of an older stand-in."""


def load(path: Path = CATALOGUE) -> tuple[tuple[Mutant, ...], tuple[Unread, ...]]:
    """The mutants and the unread answers of a catalogue. Raises ValueError for a name twice."""
    data = tomllib.loads(path.read_text())
    found = [
        Mutant(
            f"{Path(group['file']).name}: {one['name']}", group["file"], one["old"], one["new"],
            tuple(one.get("tests", group.get("tests", ()))),
        )
        for group in data.get("group", ())
        for one in group["mutants"]
    ]  # fmt: skip
    names = [one.name for one in found]
    if wrong := {n for n in names if names.count(n) > 1} | {m.name for m in found if not m.tests}:
        raise ValueError(f"{path}: named twice, or without tests: {sorted(wrong)}")
    return tuple(found), tuple(Unread(**one) for one in data.get("unread", ()))


def chosen(mutants: Sequence[Mutant], names: Sequence[str]) -> tuple[Mutant, ...]:
    """Those that a pattern or a program's name tells; all without one. Raises ValueError."""
    for name in names:
        if not any(_is(mutant, name) for mutant in mutants):
            raise ValueError(f"no mutant is called {name!r}: see --list")
    return tuple(m for m in mutants if not names or any(_is(m, name) for name in names))


def of_the_day(mutants: Sequence[Mutant], day: date, number: int = TODAY) -> tuple[Mutant, ...]:
    """The few whose turn it is: the same all day, others tomorrow, in turn."""
    first = day.toordinal() * number
    return tuple(mutants[(first + n) % len(mutants)] for n in range(min(number, len(mutants))))


def _is(mutant: Mutant, name: str) -> bool:
    return fnmatch.fnmatch(mutant.name, name) or mutant.name.startswith(f"{name}: ")


@contextmanager
def applied(mutant: Mutant, tree: Path) -> Iterator[None]:
    """Have it in `tree` for a while. Raises DoesNotApply."""
    path = tree / HERE / mutant.file
    before = path.read_bytes() if path.is_file() else b""
    if (found := before.count(mutant.old.encode())) != 1:
        raise DoesNotApply(f"{mutant.file} has {found} times: {mutant.old!r}")
    if mutant.old == mutant.new:
        raise DoesNotApply(f"{mutant.file} stays as it is")
    try:
        path.write_bytes(before.replace(mutant.old.encode(), mutant.new.encode()))
        yield
    finally:
        path.write_bytes(before)


@contextmanager
def copied(project: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """A copy of `project`, and an environment in which it is tested; gone afterwards.

    It has a cache of its own, whose entries are links to those of the project's: what a mutated
    stand-in is built into goes with the copy. Both stand beside what they link to, since roots are
    made of hard links. What a killed run left is removed by the next.
    """
    with locked("mutants"):
        scratch = cache_dir() / "mutants"
        remove(scratch)
        try:
            cache, tree = scratch / "cache", scratch / "tree"
            cache.mkdir(mode=0o700, parents=True)
            for entry in cache_dir().iterdir():
                passing = entry.suffix == ".lock" or ".building-" in entry.name
                if entry.name not in ("mutants", "runs") and not passing:
                    (cache / entry.name).symlink_to(entry)
            ignored = shutil.ignore_patterns(*NOT_COPIED)
            shutil.copytree(project, tree, symlinks=True, ignore=ignored)
            # By their hash: a mutant of the same size in the same second is another source.
            hashed = py_compile.PycInvalidationMode.CHECKED_HASH
            compileall.compile_dir(tree, quiet=2, invalidation_mode=hashed)
            inherited = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
            yield tree, inherited | {
                "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1",
                "GOSTEAD_TEST_CACHE": str(cache),
            }  # fmt: skip
        finally:
            remove(scratch)


def run(
    tests: Sequence[str], tree: Path, environment: dict[str, str], seconds: float | None = SECONDS
) -> tuple[str, str]:
    """What came of them, "passed", "failed" or "broken" (none came to its end), and pytest's last
    line."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:xdist", "-p",
               "no:cacheprovider", *(f"{HERE}/{test}" for test in tests)]  # fmt: skip
    try:
        done = subprocess.run(
            command, cwd=tree, env=environment, text=True, capture_output=True, check=False,
            timeout=seconds,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "broken", f"no end within {seconds} seconds"
    last = (done.stdout + done.stderr).strip().rpartition("\n")[2]
    if done.returncode == 0 and " passed" in last:
        return "passed", last
    return ("failed" if done.returncode == 1 and " failed" in last else "broken"), last


def prove(mutants: Sequence[Mutant], project: Path = PROJECT) -> int:
    """Say of each mutant whether it was noticed; 0 if all were."""
    counted = {"noticed": 0, "SURVIVED": 0, "DOES NOT APPLY": 0, "BROKEN": 0}
    with copied(project) as (tree, environment):
        tests = sorted({test for mutant in mutants for test in mutant.tests})
        result, last = run(tests, tree, environment, None)
        if result != "passed":
            print(f"error: without any mutant, the tests do not pass: {last}")
            return 1
        print(f"without any mutant: {last}", flush=True)
        for mutant in mutants:
            said, last = _verdict(mutant, tree, environment)
            counted[said] += 1
            print(f"{said}: {mutant.name}" + f" ({last})" * (said != "noticed"), flush=True)
    behaviour = sum(mutant.by_behaviour for mutant in mutants)
    print(
        f"{len(mutants)} mutants, {behaviour} of them to be noticed by what gostead does and the "
        f"rest by what the stand-in says: {', '.join(f'{n} {w}' for w, n in counted.items() if n)}"
    )
    return 0 if counted["noticed"] == len(mutants) else 1


def _verdict(mutant: Mutant, tree: Path, environment: dict[str, str]) -> tuple[str, str]:
    try:
        with applied(mutant, tree):
            result, last = run(mutant.tests, tree, environment)
    except DoesNotApply as error:
        return "DOES NOT APPLY", str(error)
    return {"failed": "noticed", "passed": "SURVIVED", "broken": "BROKEN"}[result], last


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.hosts.darwin.mutants")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a pattern, or a program's name")
    parser.add_argument("--list", action="store_true", help="run nothing")
    parser.add_argument("--today", action="store_true", help="those whose turn it is")
    options = parser.parse_args(arguments)
    mutants, unread = load()
    try:
        mutants = chosen(mutants, options.names)
    except ValueError as error:
        parser.error(str(error))
    if options.today:
        mutants = of_the_day(mutants, date.today())
    if options.list:
        for mutant in mutants:
            print(f"{mutant.name}: {' '.join(mutant.tests)}")
        for one in () if options.names else unread:
            print(f"read by nothing: {one.answer}: {one.why}")
        return 0
    # So that what is temporary goes then, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    return prove(mutants)


if __name__ == "__main__":
    sys.exit(main())
