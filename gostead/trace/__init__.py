"""Runs users' shells on a host, and says what they do: which go, put there by which line."""

from gostead.trace.builds import Step, Trouble, build_steps, user_troubles
from gostead.trace.causes import chains, culprit, goroot_line, variable_line
from gostead.trace.installations import Installation, installations
from gostead.trace.model import MODES, Cause, Cell, Person, Run, Variable, plain
from gostead.trace.overruled import Overruled, overruled
from gostead.trace.people import TraceError, people
from gostead.trace.settings import Setting, Settings, settings
from gostead.trace.survey import redacted, survey
from gostead.trace.verdict import Verdict, grouped, verdicts, ways

__all__ = [
    "MODES",
    "Cause",
    "Cell",
    "Installation",
    "Overruled",
    "Person",
    "Run",
    "Setting",
    "Settings",
    "Step",
    "TraceError",
    "Trouble",
    "Variable",
    "Verdict",
    "build_steps",
    "chains",
    "culprit",
    "goroot_line",
    "grouped",
    "installations",
    "overruled",
    "people",
    "plain",
    "redacted",
    "settings",
    "survey",
    "user_troubles",
    "variable_line",
    "verdicts",
    "ways",
]
