"""Every host script, rendered in each of its variants with values that need quoting."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gostead.templates
from gostead.operations import launchd
from gostead.operations.limits import Limits
from gostead.operations.unit_files import wrapper
from gostead.templates import host_script
from gostead.trace import Person

ROOT = '/home/it\'s "an" $HOME/.local/share/gostead'
COMMON: dict[str, Any] = {
    "root": ROOT, "run": "20260101T000000-ab'c", "lock_wait": 5, "archive": "",
    "compressed": False, "patience": 3,
}  # fmt: skip
TREE = {"name": "go1.27.3", "module": "golang.org/toolchain@v0.0.1-go1.27.3.linux-amd64",
        "h1_hex": "ab" * 32, "origin": "it's $(a) mirror"}  # fmt: skip
FETCH = {"archive": "https://example.com/go?a='b", "https": True, "sha256": "cd" * 32,
         "authorization": "Basic x'y", "proxy": "http://u:p'w@p", "ca_bundle": "/a b"}  # fmt: skip
PLAIN_FETCH = {"archive": "http://127.0.0.1/x", "https": False, "sha256": "cd" * 32,
               "authorization": "", "proxy": "", "ca_bundle": ""}  # fmt: skip
HOLD = ["1.27.3", "ann@host", "it's broken; $(reboot)", ""]
FILE = {"path": "/home/a b/it's/.profile", "kind": "block", "detail": "newline", "before": "absent",
        "after": "ef" * 32, "mode": "644", "owner": "1000:1000"}  # fmt: skip

HOME: dict[str, Any] = {"user": "ann", "uid": 1000, "gid": 1000, "home": "/home/a b/it's",
        "path": "/home/a b/it's/.x", "kind": "block@ann", "detail": "",
        "directories": ["/home/a b/it's/.config"], "mode": "644",
        "before": "absent", "after": "ef" * 32, "act": "write", "forget": False, "save": True,
        "runner": "", "unit": "", "prove": "", "unload": "", "told": "GOFLAGS it's",
        "emptied": []}  # fmt: skip
PROOF: dict[str, Any] = {"go": "/opt/gostead/current/bin/go", "config": "", "offline": False,
         "telemetry": "/home/a b/it's/.config/go/telemetry"}  # fmt: skip

CRONTAB = {"user": "it's", "uid": 1000, "gid": 1000, "home": "/home/a b", "kind": "cron@it's",
           "detail": "created", "forget": False, "empty": False, "before": "ab" * 32,
           "after": "cd" * 32}  # fmt: skip

CACHE: dict[str, Any] = {
    "path": "/var/cache/it's/1000", "parent": "/var/cache/it's", "act": "make", "user": "it's",
    "uid": 1000, "gid": 1000, "home": "/home/a b", "execute": True,
}  # fmt: skip

TOOL: dict[str, Any] = {"name": "it's", "tool": "a.b/it's@v1.0.0", "version": "go1.27.3",
                        "last": True, "path": f"{ROOT}/tools/go1.27.3/bin/it's"}  # fmt: skip

CGO: dict[str, Any] = {"version": "go1.27.3", "fingerprint": "ab" * 32, "cc": "gcc -m64",
                       "cxx": "g++-12 -m64", "packages": ["gcc", "libc6-dev"]}  # fmt: skip

ORPHAN: dict[str, Any] = {
    "user": "it's", "uid": 1000, "gid": 1000, "home": "/home/a b", "pid": 4711, "ppid": 1,
    "start": "815", "exe": "/tmp/go-build1/b001/exe/it's $(a)\n\x1b", "grace": 10,
    "path": "/srv/it's/1000/go-build7", "minutes": 1440,
}  # fmt: skip
SCHEDULE: dict[str, Any] = {
    "files": [{"kind": "scheduled-unit", "path": "/etc/systemd/system/it's", "mode": "644",
               "content": "it's $HOME\n", "before": "absent", "after": "ab" * 32}],
    "enable": True, "enabled": "/etc/systemd/system/it's", "running": True, "reload": True,
    "mac": False, "jobs": (), "anew": [],
}  # fmt: skip
JOBS = ("dev.gostead.converge", "dev.gostead.converge.clock")
MAC_SCHEDULE = SCHEDULE | {"enable": False, "mac": True, "jobs": JOBS, "anew": JOBS}
UNSCHEDULE = {"files": [("/etc/systemd/system/it's", "ab" * 32)], "mac": False, "jobs": JOBS,
              "registered": [("scheduled-unit", "/etc/systemd/system/it's")]}  # fmt: skip
RUNNER: dict[str, Any] = {"root": "/opt/gostead", "source": "https://it's.example.com/x.git",
                          "ref": "it's", "scheme": "https", "every": 3600,
                          "jitter": 300}  # fmt: skip

CHANGES: dict[str, list[dict[str, Any]]] = {
    "cache": [CACHE, CACHE | {"act": "anew"}, CACHE | {"act": "mode", "execute": False}],
    "purge": [{"path": "/var/cache/it's/1000"}],
    "cgo": [CGO | {"apple": False}, CGO | {"cxx": "", "apple": True}],
    "orphan": [ORPHAN],
    "packages": [CGO],
    "tool": [TOOL, TOOL | {"last": False}],
    "tool_link": [TOOL],
    "untool": [TOOL],
    "trim": [CACHE | {"trimmer": f"{ROOT}/libexec/trim-cache", "limit": 20 * 2**30}],
    "command_line_tools": [{"wanted": wanted, "tries": 3, "pause": 1, "marker": "/tmp/it's"}
                           for wanted in ("", "16.4")],
    "no_marker": [{"marker": "/tmp/it's"}],
    "no_command_line_tools": [{}],
    "developer_directory": [{"path": "/Applications/Xcode it's.app", "before": ""}],
    "crontab": [CRONTAB, CRONTAB | {"forget": True, "empty": True}],
    "daemon": [{"path": "/Library/LaunchDaemons/it's.plist", "label": "it's", "act": act,
                "before": "ab" * 32, "after": "cd" * 32} for act in ("write", "remove")],
    "directory": [{"path": f"{ROOT}/profiles", "mode": "755", "uid": 1000}],
    "file": [FILE, FILE | {"owner": "", "kind": "unit"}],
    "hold": [{"hold": HOLD}, {"hold": None}],
    "home": [HOME, HOME | {"runner": "/srv/it's"},
             HOME | {"runner": "/srv/it's", "unit": "it's.service"},
             HOME | {"prove": "it's a script", "unload": "so's this"},
             HOME | {"act": "remove", "forget": True, "directories": [],
                           "emptied": ["/home/a b/it's/.config"]}],
    "install": [
        TREE | {"repair": False},
        TREE | {"repair": True, "compressed": True},
        TREE | {"repair": False} | FETCH,
        TREE | {"repair": True} | PLAIN_FETCH,
    ],
    "layout": [{"format": 1}],
    "link": [{"path": "/usr/local/bin/go", "target": f"{ROOT}/current/bin/go", "before": "",
              "original": "../x y"}],
    "profile": [{"name": "go1.27.3", "commands": ("go", "gofmt")}],
    "prune": [{"name": "go1.27.3"}],
    "pressure": [{"lines": ["/gobuilds.slice it's:1 2 3 4"], "entries": entries}
                 for entries in ([["MESSAGE=it's", "PRIORITY=4"]], [])],
    "reload": [{"slice": "gobuilds.slice", "stop": stop,
                "units": ["gobuilds.slice", "user-1000.slice"],
                "limits": [("gobuilds.slice/memory.high", "419430400"),
                           ("gobuilds.slice/cpu.max", "150000 100000")]}
               for stop in (False, True)],
    "restart": [{"unit": "it's.service", "slice": "gobuilds.slice", "until": "it's old"}],
    "restart_runner": [{"unit": "it's.service", "kind": "restart@it's", "runner": "/srv/it's",
                        "service_user": "it's", "until": "it's old"}],
    "remove": [{"gone": []}, {"gone": ["block@it's\t/home/a b/.x"]}],
    "scratch": [ORPHAN],
    "schedule": [SCHEDULE, SCHEDULE | {"files": [], "enable": False, "reload": False},
                 MAC_SCHEDULE],
    "unschedule": [UNSCHEDULE, UNSCHEDULE | {"mac": True}],
    "stamp": [TREE | {"summary": "1 2 3"}],
    "switch": [
        {"before": "", "after": "profiles/go1.27.3", "hold": None},
        {"before": "profiles/go1.26.8", "after": "profiles/go1.27.3", "hold": HOLD},
    ],
    "tidy": [{}],
    "trace": [{"parts": [("ann", 12), ("it's", 3)]}],
    "unfile": [{"path": "/home/a b/.profile", "kind": "file", "before": "ab" * 32}],
    "unlink": [
        {"path": "/usr/local/bin/go", "target": "x y", "original": ""},
        {"path": "/usr/local/bin/go", "target": "x y", "original": "/o'ld"},
    ],
}  # fmt: skip

SUBJECTS = ("system", "toolchains", "shells", "caches", "xcode", "cgo", "tools", "slices",
            "orphans", "schedule")  # fmt: skip
PROBES = [
    {"nonce": "ab12", "subjects": SUBJECTS, "deep": deep, "users": ("self", "it's"), "cron": deep,
     "runners": ("/srv/it's",), "settings": deep, "gobin": "/srv/it's/bin" if deep else "",
     "bounded": deep, "orphans": deep, "scheduled": deep, "offers": deep,
     "cgo": ("gcc -m64", "it's") if deep else None,
     "slices": {"wanted": deep, "users": ("it's",), "units": ("actions.*.service", "it's.service"),
                "mac": True}
     if deep else {"wanted": False, "users": (), "units": (), "mac": False},
     "caches": (("root", "/var/cache/it's"), ("tmp", "/srv/a b")) if deep else (),
     "scope": {"linux": scope, "darwin": "user"}}
    for deep in (False, True)
    for scope in ("auto", "system")
]  # fmt: skip


WHO = Person("ann", 1000, 1000, "/home/a b/it's", "/bin/bash")
TRACE: dict[str, Any] = {
    "nonce": "ab12", "directory": "/opt/gostead/current/bin", "limit": 10, "people": [WHO],
    "jobs": 2, "budget": 60, "names": ["GOPROXY"], "version": "1.27.3",
    "settings": ["GOPROXY=it's"], "build": True, "go": "/opt/gostead/current/bin/go",
    "tasks": [(0, 0, "bash", "login")], "users": ("self", "it's"),
}  # fmt: skip


def scripts() -> Iterator[tuple[str, str]]:
    """Name and text of every script that can reach a host."""
    for values in PROBES:
        yield f"probe-deep-{values['deep']}", host_script("probe/main", **values)
    # What a home's owner runs is a word of another script: looked at by itself.
    yield (
        "home-probe",
        host_script(
            "probe/home",
            cron=True,
            settings=True,
            gobin="/srv/it's/bin",
            bounded=True,
            runners=("/srv/it's",),
        ),
    )
    for values in (PROOF, PROOF | {"config": "/home/a b/.cfg", "offline": True}):
        yield f"prove-env-{values['offline']}", host_script("lib/prove_env", **values)
    for values in CHANGES["home"]:
        yield f"in-home-{values['act']}", host_script("lib/in_home", **values)
    yield "load-agent", launchd.load("/home/a b/it's", "dev.gostead.path") + "\n"
    yield "unload-agent", launchd.unload("dev.gostead.path") + "\n"
    yield "set-path", launchd.SET_PATH + "\n"
    yield "build-tool", host_script("lib/build_tool")
    for values in CHANGES["cgo"]:
        yield f"prove-cgo-{values['cxx']}", host_script("lib/prove_cgo", **values)
    yield "in-process", host_script("lib/in_process", **ORPHAN)
    yield "trim-cache", host_script("trim_cache")
    for mac in (True, False):
        yield f"go-slice-{'mac' if mac else 'linux'}", wrapper(Limits(2, 2**30, ""), mac=mac)
    for fixed, mac in ((True, False), (False, False), (False, True)):
        yield (
            f"converge-scheduled-{'mac' if mac else fixed}",
            host_script("converge_scheduled", fixed=fixed, mac=mac, **RUNNER),
        )
    yield "installations-in-home", host_script("trace/in_home")
    for values in CHANGES["crontab"]:
        yield f"in-crontab-{values['empty']}", host_script("lib/in_crontab", **values)
    for name in ("people", "survey", "causes", "installations", "settings", "build",
                 "user_build"):  # fmt: skip
        yield f"trace-{name}", host_script(f"trace/{name}", **TRACE)
    for name, variants in CHANGES.items():
        for number, values in enumerate(variants):
            yield f"{name}-{number}", host_script(f"change/{name}", **(COMMON | values))


def templates_of_changes() -> set[str]:
    """The names of all templates below change/."""
    directory = Path(gostead.templates.__file__).parent / "change"
    return {path.name.removesuffix(".sh.j2") for path in directory.glob("*.sh.j2")}
