"""launchd's jobs: agents in a home, daemons of the whole machine; what they are for, and how
launchd takes them up and lets them go.

Source: launchd.plist(5), launchctl(1).
"""

from __future__ import annotations

import plistlib

from gostead.facts.entries import Entry
from gostead.facts.host_state import HostState
from gostead.operations.change import Content, Script
from gostead.operations.registry import digest
from gostead.templates import render

#: What puts the declared Go on the PATH of programs that are started at the screen.
SCREEN = "dev.gostead.path"
#: The registry's kind of a daemon.
DAEMON = "daemon"
_PLACE = "Library/LaunchAgents"
_DAEMONS = "/Library/LaunchDaemons"
#: PATH is what the session has by then: launchd's own, or what `launchctl config user path` says.
SET_PATH = 'case $PATH in "$1":*) ;; *) exec launchctl setenv PATH "$1:$PATH" ;; esac'


def place(home: str, label: str) -> str:
    """The path of that agent's file."""
    return f"{home}/{_PLACE}/{label}.plist"


def load(home: str, label: str) -> str:
    """A script of the user's: launchd has the agent as its file is now, where it has any of them.
    Fails where launchd does not take it within 10 seconds."""
    return render("lib/load_agent.sh.j2", label=label, plist=place(home, label))


def unload(label: str) -> str:
    """A script of the user's: launchd does not have the agent any more."""
    return f'launchctl bootout "gui/$(id -u)/{label}" 2>/dev/null || :'


def screen_agent(root: str) -> str:
    """The agent that sets PATH once at login: what is started at the screen reads no file."""
    words = ["/bin/sh", "-c", SET_PATH, "gostead", f"{root}/current/bin"]
    agent = {"Label": SCREEN, "ProgramArguments": words, "RunAtLoad": True}
    return plistlib.dumps(agent).decode()


def daemon_place(label: str) -> str:
    """The path of that daemon's file."""
    return f"{_DAEMONS}/{label}.plist"


def daemon_script(state: HostState, entry: Entry, label: str, content: bytes | None) -> Script:
    """Makes `content` the file of that daemon, which must be as `entry` tells, and has launchd load
    it; None takes both away."""
    values = {
        "root": state.system.root, "path": entry.path, "label": label,
        "act": "remove" if content is None else "write",
        "before": digest(entry.content) if entry.kind == "file" else "absent",
        "after": digest(content),
    }  # fmt: skip
    return Script("change/daemon", values, Content(content or b""))
