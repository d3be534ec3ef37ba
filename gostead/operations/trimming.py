"""Part of the subject caches: what runs the trimmer every day, as each user: a systemd user timer,
launchd (an agent of the user's, or a daemon of the machine's), or cron where neither is."""

from __future__ import annotations

import hashlib
import plistlib
from collections.abc import Iterator

from gostead.facts.host_state import HostState
from gostead.facts.people import Home
from gostead.facts.toolchains import Registered
from gostead.operations import blocks, crontabs, daemons, launchd
from gostead.operations.change import Change, Finding
from gostead.operations.home_files import home_script, registered
from gostead.templates import quote

#: The registry's kinds of this part, less the user's name.
KINDS = ("timer", "trim")
CRON = blocks.Marks(
    b"# >>> gostead (cache) >>> bounds Go's build cache; `gostead remove` takes it away",
    b"# <<< gostead (cache) <<<",
)
LABEL = "dev.gostead.trim-cache"
#: What systemd keeps of a timer with Persistent=: when it ran last. Source: systemd.timer(5).
_STAMP = "systemd/timers/stamp-gostead-trim-cache.timer"
_START = """\
XDG_RUNTIME_DIR=/run/user/$(id -u)
export XDG_RUNTIME_DIR
if [ -S "$XDG_RUNTIME_DIR/systemd/private" ]; then
  systemctl --user daemon-reload && systemctl --user {act} gostead-trim-cache.timer || :
fi
"""
#: The manager is not asked (`systemctl --user clean`): it may not run. A directory of the XDG Base
#: Directory Specification that is empty is worth nothing to anybody, whoever made it.
_FORGET = f"""\
if cd && rm -f .local/share/{_STAMP}; then
  rmdir -p .local/share/{_STAMP.rpartition("/")[0]} 2>/dev/null || :
fi
"""


def timer(
    state: HostState, home: Home, trimmer: str, path: str, limit: int, subject: str
) -> Iterator[Change | Finding]:
    """What that user lacks to have the cache at `path` trimmed to `limit` bytes every day."""
    if state.system.name == "darwin":
        job = {
            "Label": LABEL, "ProgramArguments": [trimmer, path, str(limit)],
            "StartCalendarInterval": {"Hour": 4, "Minute": home.uid % 60},
            "ProcessType": "Background", "LowPriorityIO": True, "Nice": 19,
        }  # fmt: skip
        at = launchd.place(home.home, LABEL)
        if state.system.scope == "user":
            start = launchd.load(home.home, LABEL)
            yield from _file(state, home, at, plistlib.dumps(job), subject, start, LABEL)
            return
        yield from daemons.daemon(state, home, job, subject)
        if known := registered(state, home.name, "timer", at):
            why = "the launchd of the machine runs it"
            yield from take_back(state, home, known, subject, why, "cache.max_size")
    elif state.caches.init == "systemd":
        for name, text in _units(trimmer, path, limit, home.uid % 60).items():
            at = f"{home.home}/.config/systemd/user/{name}"
            yield from _file(state, home, at, text.encode(), subject, _START.format(act="start"))
    elif home.crontab is not None:
        line = f"{home.uid % 60} 4 * * * nice {quote(trimmer)} {quote(path)} {limit}"
        ours = registered(state, home.name, "trim", "/crontab")
        yield from crontabs.block(
            state, home, ours, "trim", line.replace("%", "\\%"), CRON, subject, "cache.max_size",
            "cron trims the build cache every day", "last",
        )  # fmt: skip
    else:
        yield Finding(subject, f"build cache of {home.name}", "warning", "there is neither systemd "
                      "nor cron here: it is trimmed when gostead runs, and at no other time",
                      "install cron", user=home.name)  # fmt: skip


def _units(trimmer: str, path: str, limit: int, minute: int) -> dict[str, str]:
    # No RandomizedDelaySec=: what was missed is made up when the manager starts, at login, and that
    # would be put off by up to as long; a shorter session would never have its cache trimmed.
    words = " ".join(_word(word) for word in (trimmer, path, str(limit)))
    return {
        "gostead-trim-cache.service": (
            "# Written by gostead.\n[Unit]\nDescription=Bounds Go's build cache\n\n"
            f"[Service]\nType=oneshot\nExecStart={words}\nNice=19\nIOSchedulingClass=idle\n"
        ),
        "gostead-trim-cache.timer": (
            "# Written by gostead.\n[Unit]\nDescription=Bounds Go's build cache every day\n\n"
            f"[Timer]\nOnCalendar=*-*-* 04:{minute:02}:00\nPersistent=true\n"
        ),
        # As [Install] and `systemctl --user enable` would do by a link: a file is ours to remove.
        "timers.target.d/gostead.conf": (
            "# Written by gostead.\n[Unit]\nWants=gostead-trim-cache.timer\n"
        ),
    }


def _word(text: str) -> str:
    """One word of ExecStart= (systemd.service(5), COMMAND LINES)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$").replace("%", "%%")
    return f'"{escaped}"'


def _file(
    state: HostState,
    home: Home,
    path: str,
    content: bytes,
    subject: str,
    start: str,
    label: str = "",
) -> Iterator[Change | Finding]:
    entry = home.entry(path)
    ours = registered(state, home.name, "timer", path)
    if entry.kind not in ("absent", "file") or (
        entry.kind == "file" and (not ours or entry.uid != home.uid or entry.names > 1)
    ):
        yield Finding(subject, path, "error", f"gostead did not write it: {entry.describe()}",
                      "move it away", user=home.name)  # fmt: skip
    elif entry.content != content or label in home.unloaded:
        script = home_script(state, home, entry, f"timer@{home.name}",
                             hashlib.sha256(content).hexdigest(), content, prove=start,
                             label=label)  # fmt: skip
        same = "not loaded" if entry.content == content else "another"
        yield Change(subject, path, "absent" if entry.kind == "absent" else same, "as made",
                     "the build cache is trimmed every day", "cache.max_size", script,
                     home.name)  # fmt: skip


def take_back(
    state: HostState, home: Home, item: Registered, subject: str, why: str, key: str
) -> Iterator[Change | Finding]:
    """Takes a timer or the crontab's block away; what was edited since stays."""
    if item.kind.startswith("trim@"):
        yield from crontabs.take_back(state, home, item, subject, why, key, CRON)
        return
    entry = home.entry(item.path)
    if entry.kind == "file" and hashlib.sha256(entry.content or b"").hexdigest() != item.detail:
        yield Finding(subject, item.path, "warning", "edited since gostead wrote it: left",
                      "remove it if nobody needs it", user=home.name)  # fmt: skip
        return
    stop = _START.format(act="stop") + _FORGET
    if state.system.name == "darwin":
        stop = launchd.unload(LABEL)
    script = home_script(state, home, entry, item.kind, item.detail, None, forget=True, prove=stop)
    yield Change(subject, item.path, "file of gostead's", "absent", why, key, script, home.name)
