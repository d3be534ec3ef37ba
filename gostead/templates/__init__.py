"""What is written on hosts, as jinja2 templates, and the one way to render them."""

from __future__ import annotations

import shlex
from functools import cache
from pathlib import Path
from typing import Any

import jinja2


def quote(value: object) -> str:
    """`value` as one word of a POSIX shell. Raises ValueError for NUL, which no shell can hold."""
    text = str(value)
    if "\0" in text:
        raise ValueError(f"a NUL byte cannot be passed to a shell: {text!r}")
    return shlex.quote(text)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        # `{#` is POSIX shell too: ${#name}
        comment_start_string="{##",
        comment_end_string="##}",
        autoescape=False,  # noqa: S701 - shell, not HTML; every value goes through `sh`
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["sh"] = quote
    return environment


def render(template: str, /, **values: Any) -> str:
    """The text of `template` (a path below this directory). Raises jinja2.UndefinedError."""
    return _environment().get_template(template).render(**values)


def host_script(name: str, /, **values: Any) -> str:
    """A whole script for `sh -s`. The body is one function, so that a script that was cut on its
    way runs nothing."""
    return render(f"{name}.sh.j2", **values)
