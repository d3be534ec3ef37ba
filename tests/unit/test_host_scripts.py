"""Every script that reaches a host is POSIX sh, as shellcheck, dash and busybox ash judge."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import pytest

from tests.support import rendered

SCRIPTS = dict(rendered.scripts())
#: Not on macOS, or not in busybox, or spelled otherwise there.
GNU_ONLY = (
    r"\breadlink -f", r"\bsed -i", r"\bcp -a\b", r"\bdate -d",
    r"(?<!-)\btimeout ", r"\bmktemp --", r"\btac\b", r"\bflock\b", r"\bgrep -P",
    r"\bxargs -[dr]", r"\bsort -V",    r"\[\[", r"\blocal ", r"\bsource /", r"\becho -[ne]", r"<\(",
)  # fmt: skip


def test_every_template_is_rendered_here() -> None:
    assert set(rendered.CHANGES) == rendered.templates_of_changes()


def test_shellcheck_finds_nothing() -> None:
    tool = shutil.which("shellcheck")
    assert tool, "shellcheck is missing: apt-get install shellcheck"
    for name, text in SCRIPTS.items():
        # SC2016: the values of this test hold dollar signs. The others: each script brings the
        # whole library, and a function that it does not call is no mistake.
        done = subprocess.run(
            [tool, "--shell=sh", "--exclude=SC2317,SC2329,SC2015,SC2016", "--format=gcc", "-"],
            input=text, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.stdout == "", f"{name}: {done.stdout}"


@pytest.mark.parametrize("shell", [["dash"], ["busybox", "ash"], ["bash", "--posix"]])
def test_every_script_parses_in(shell: list[str]) -> None:
    if sys.platform == "darwin" and not shutil.which(shell[0]):
        pytest.skip("no Mac has busybox")
    for name, text in SCRIPTS.items():
        done = subprocess.run(
            [*shell, "-n"], input=text, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{name}: {done.stderr}"


@pytest.mark.parametrize("pattern", GNU_ONLY)
def test_no_construct_that_macos_or_busybox_lacks(pattern: str) -> None:
    for name, text in SCRIPTS.items():
        code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
        found = re.search(pattern, code)
        assert not found, f"{name}: {found and found[0]}"


def test_a_cut_script_runs_nothing() -> None:
    """A connection that breaks off inside a script must not leave half of it executed."""
    for name, text in SCRIPTS.items():
        # A probe changes nothing, go-slice is written whole, the others are words of a script.
        if name.startswith(("probe", "go-slice", "load-agent", "unload-agent", "set-path")):
            continue
        cut = text[: text.rindex("\nmain")]
        after_functions = [
            line for line in cut.splitlines() if re.match(r"(rm|mv|mkdir|ln|chmod|tar|curl) ", line)
        ]
        assert after_functions == [], name
