"""An error of the command itself, as a person reads it."""

from __future__ import annotations


class CommandError(Exception):
    """What is wrong and where; `hint` is what to type next. Ends the command with exit code 1."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint
