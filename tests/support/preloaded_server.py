"""The process that `preloaded` forks: it has loaded what gostead imports, and has run nothing.

For each request (see `preloaded.run`) it forks a first process, which enters the namespaces, forks
a second one, tells its pid and how it ended; the second one is gostead.
"""

from __future__ import annotations

# gevent takes the place of much in os, signal and socket, by what needs its loop; before the fork
# there is to be none. These are not replaced.
import _socket
import array
import ctypes
import gc
import importlib
import json
import os
import pkgutil
import posix
import sys
import traceback
from collections.abc import Mapping
from signal import SIG_DFL, SIG_IGN, SIGCHLD, signal
from typing import Any, NoReturn

PR_SET_DUMPABLE = 4  # prctl(2)
#: What the command line imports only when it is needed.
LATER = ("pyinfra.connectors.local", "pyinfra.connectors.ssh", "tests.support.fault_driver")


def serve(number: int) -> NoReturn:
    """Answers requests from socket `number` until its other end is gone."""
    pristine = sys.path[2:]  # without -c's own entry and the project, which is not always on it
    line = _socket.socket(fileno=number)
    _load()
    # Whoever does not wait for the first processes has no zombies. signal(7)
    signal(SIGCHLD, SIG_IGN)
    room = _socket.CMSG_SPACE(4 * array.array("i").itemsize)
    while True:
        text, control, _, _ = line.recvmsg(1 << 17, room, _socket.MSG_CMSG_CLOEXEC)
        if not text:
            os._exit(0)
        ends = array.array("i", control[0][2])
        if posix.fork() == 0:
            line.close()
            _first(json.loads(text), [*ends], pristine)
        for end in ends:
            posix.close(end)


def _load() -> None:
    from gostead.cli.startup import prepare

    prepare()
    import gostead.cli
    from gostead import templates

    for module in pkgutil.iter_modules(gostead.cli.__path__, "gostead.cli."):
        importlib.import_module(module.name)
    for name in LATER:
        importlib.import_module(name)
    environment = templates._environment()
    for name in environment.list_templates(["j2"]):
        environment.get_template(name)  # it keeps them compiled
    gc.freeze()  # what was loaded stays as it is, and forks share it


def _first(request: Mapping[str, Any], ends: list[int], pristine: list[str]) -> NoReturn:
    *standard, status = ends
    try:
        signal(SIGCHLD, SIG_DFL)
        os.setsid()
        for number, end in enumerate(standard):
            posix.dup2(end, number)
            posix.close(end)
        _enter(request)
        second = posix.fork()
        if second == 0:
            posix.close(status)
            _second(request, pristine)
        posix.write(status, f"{second}\n".encode())
        for number in range(3):
            posix.close(number)
        code = os.waitstatus_to_exitcode(posix.waitpid(second, 0)[1])
        posix.write(status, f"{code}\n".encode())
        os._exit(0)
    except BaseException:
        posix.write(2, traceback.format_exc().encode())
        os._exit(1)


def _enter(request: Mapping[str, Any]) -> None:
    """The namespaces and the root, as nsenter(1) does it; all is opened before any is entered."""
    root = request["root"]
    if not root:
        os.chdir(request["cwd"])
        return
    libc = ctypes.CDLL(None, use_errno=True)
    names = request["namespaces"]
    spaces = [posix.open(f"/proc/{root}/ns/{name}", posix.O_RDONLY) for name in names]
    top = posix.open(f"/proc/{root}/root", posix.O_RDONLY)
    there = posix.open(f"/proc/{root}/root{request['cwd']}", posix.O_RDONLY)
    for space in spaces:
        if libc.setns(space, 0) != 0:
            raise OSError(ctypes.get_errno(), "setns")
    os.fchdir(top)
    os.chroot(".")
    os.fchdir(there)
    for opened in (*spaces, top, there):
        posix.close(opened)
    os.setgroups([])
    os.setgid(request["gid"])
    os.setuid(request["uid"])
    # Whoever changed its user may not look at itself in /proc until it executes something.
    libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)


def _second(request: Mapping[str, Any], pristine: list[str]) -> NoReturn:
    code = 1
    try:
        arguments, env = request["arguments"], dict(request["env"])
        if "LANG" not in env:
            env["LC_CTYPE"] = "C.UTF-8"  # PEP 538
        os.environ.clear()
        os.environ.update(env)
        from gostead.cli import startup

        if startup.ssh_config_runs_commands():  # it takes modules that were left out
            os.execve(sys.executable, [sys.executable, *arguments], env)  # noqa: S606
        _gostead(arguments, env, pristine)
    except SystemExit as ended:
        sys.stdout.flush()
        if isinstance(ended.code, int | None):
            code = ended.code or 0
        else:
            print(ended.code, file=sys.stderr)
    except BaseException:
        sys.stdout.flush()
        traceback.print_exc()
    finally:
        os._exit(code)


def _gostead(arguments: list[str], env: Mapping[str, str], pristine: list[str]) -> NoReturn:
    """Gives it what a new interpreter has (path, streams, arguments), and runs it."""
    from gostead.cli import script
    from tests.support import fault_driver

    kind, _, *words = arguments
    sys.path[:] = [
        "" if kind == "-c" else posix.getcwd(),
        *(part for part in env.get("PYTHONPATH", "").split(os.pathsep) if part),
        *pristine,
    ]
    sys.dont_write_bytecode = bool(env.get("PYTHONDONTWRITEBYTECODE"))
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        stream = open(  # noqa: SIM115 - as long as the process
            number, "w" if number else "r", encoding="utf-8", closefd=False,
            errors="backslashreplace" if name == "stderr" else "surrogateescape",
            buffering=1 if name == "stderr" else -1,
        )  # fmt: skip
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    if kind == "-c":
        sys.argv[:] = ["-c", *words]
        script()
    else:
        sys.argv[:] = [str(fault_driver.__file__), *words]
        fault_driver.main()
