"""launchd's agents in a home: what they are for, and how launchd takes them up and lets them go.

Source: launchd.plist(5), launchctl(1).
"""

from __future__ import annotations

import plistlib

from gostead.templates import quote

#: What puts the declared Go on the PATH of programs that are started at the screen.
SCREEN = "dev.gostead.path"
_PLACE = "Library/LaunchAgents"
#: launchd has gui/UID while that user is logged in at the screen, and loads what is there at login.
#: It holds a job as it was loaded, and what is unloaded may take a moment to go.
_LOAD = """\
domain=gui/$(id -u)
if launchctl print "$domain" >/dev/null 2>&1; then
  launchctl bootout "$domain/{label}" 2>/dev/null || :
  tries=0
  until launchctl bootstrap "$domain" {plist} 2>/dev/null; do
    tries=$((tries + 1))
    if [ "$tries" -ge 10 ]; then echo "launchd does not take {label}" >&2; exit 1; fi
    sleep 1
  done
fi
"""
#: PATH is what the session has by then: launchd's own, or what `launchctl config user path` says.
_SET_PATH = 'case $PATH in "$1":*) ;; *) exec launchctl setenv PATH "$1:$PATH" ;; esac'


def place(home: str, label: str) -> str:
    """The path of that agent's file."""
    return f"{home}/{_PLACE}/{label}.plist"


def load(home: str, label: str) -> str:
    """A script of the user's: launchd has the agent as its file is now, where it has any of them.
    Fails where launchd does not take it within 10 seconds."""
    return _LOAD.format(label=label, plist=quote(place(home, label)))


def unload(label: str) -> str:
    """A script of the user's: launchd does not have the agent any more."""
    return f"launchctl bootout gui/$(id -u)/{label} 2>/dev/null || :"


def screen_agent(root: str) -> str:
    """The agent that sets PATH once at login: what is started at the screen reads no file."""
    words = ["/bin/sh", "-c", _SET_PATH, "gostead", f"{root}/current/bin"]
    agent = {"Label": SCREEN, "ProgramArguments": words, "RunAtLoad": True}
    return plistlib.dumps(agent).decode()
