"""`gostead` forked from a process that has its modules loaded, one of them for each worker.

Nearly half of what the tests of hosts computed was Python importing the same 700 modules, some two
thousand times. What a fork has in common with a process of its own, and what it has not, is in
docs/decisions/0018-gostead-forked-for-tests.md. `@pytest.mark.own_process` has a test start the
command itself, and GOSTEAD_TEST_FORKS=0 all of them.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from threading import Lock
from typing import Any

from tests.support.cache import PROJECT
from tests.support.fault_driver import Fault
from tests.support.processes import kill_tree

#: What follows the interpreter where somebody starts `gostead`, or `gostead` with a fault.
FACE = ("-c", "from gostead.cli import script; script()")
DRIVER = ("-m", "tests.support.fault_driver")
#: As nsenter's -m -p -u -i and -n: whose namespaces a fork can enter.
NAMESPACES = ("ipc", "uts", "net", "pid", "mnt")
#: Characters of a request; what has more is for a process of its own. As JSON they are one message
#: of at most 96 KiB, and as standard input no more than a pipe holds unread (64 KiB).
LARGEST = 16 * 1024

_lock = Lock()
_own_process = os.environ.get("GOSTEAD_TEST_FORKS") == "0"


@contextlib.contextmanager
def processes_of_their_own() -> Iterator[None]:
    """Here every `gostead` is started as a person starts it."""
    global _own_process
    before, _own_process = _own_process, True
    try:
        yield
    finally:
        _own_process = before


def face(fault: Fault | None) -> tuple[str, ...]:
    """What follows the interpreter, and comes before gostead's own arguments."""
    return FACE if fault is None else (*DRIVER, str(fault))


def can_fork(
    arguments: Sequence[str], env: Mapping[str, str], input: str | None = None, **options: Any
) -> bool:
    """Say whether `python ARGUMENTS` may be a fork: it is gostead, and asks for nothing that only
    a new interpreter does (a locale, a setting of Python's) or the shape of its start (a tty)."""
    settings = {name for name in env if name.startswith(("PYTHON", "LC_", "LANG"))}
    return not (
        _own_process
        or tuple(arguments[:2]) not in (FACE, DRIVER)
        or settings - {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "LANG"}
        or env.get("LANG", "C.UTF-8") != "C.UTF-8"
        or env.get("PYTHONPATH", str(PROJECT)) != str(PROJECT)
        or options
        or sum(map(len, [*arguments, *env.values(), input or ""])) > LARGEST
    )


def run(
    arguments: Sequence[str], *, env: Mapping[str, str], cwd: str, timeout: float,
    input: str | None = None, root: int = 0, network: bool = True, uid: int = 0, gid: int = 0,
) -> subprocess.CompletedProcess[str]:  # fmt: skip
    """What `subprocess.run([python, *ARGUMENTS], text=True, capture_output=True)` returns.

    `root`: the first process of a root to run in, with its `network` or the machine's, as `uid`
    and `gid`. TimeoutExpired after `timeout` seconds: it and all its children are killed then.
    """
    request = {
        "arguments": list(arguments), "env": dict(env), "cwd": cwd, "root": root, "uid": uid,
        "gid": gid, "namespaces": [n for n in NAMESPACES if network or n != "net"] if root else [],
    }  # fmt: skip
    with contextlib.ExitStack() as ends:
        read, given = [], [_standard_input(input)]
        for _ in ("output", "errors", "status"):
            mine, theirs = os.pipe()
            read.append(mine)
            given.append(theirs)
            ends.callback(os.close, mine)
        try:
            socket.send_fds(_server(), [json.dumps(request).encode()], given)
        finally:
            for end in given:
                os.close(end)
        out, err, status = _read_all(read, [sys.executable, *arguments], timeout)
    said = status.decode().split()
    if len(said) != 2:
        raise RuntimeError(f"a fork of gostead was not made: {err.decode(errors='replace')}")
    out_text, err_text = (_text(part) for part in (out, err))
    return subprocess.CompletedProcess(
        [sys.executable, *arguments], int(said[1]), out_text, err_text
    )


def _standard_input(text: str | None) -> int:
    if text is None:
        return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    read, write = os.pipe()
    os.write(write, text.encode(errors="surrogateescape"))  # it fits: LARGEST
    os.close(write)
    return read


def _read_all(ends: Sequence[int], command: Sequence[str], timeout: float) -> list[bytes]:
    """All that comes from these pipes, until nobody has any of them."""
    came = dict.fromkeys(ends, b"")
    deadline = time.monotonic() + timeout
    with selectors.DefaultSelector() as selector:
        for end in ends:
            selector.register(end, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select(max(deadline - time.monotonic(), 0)):
                part = os.read(key.fd, 1 << 16)
                came[key.fd] += part
                if not part:
                    selector.unregister(key.fd)
            if time.monotonic() > deadline and selector.get_map():
                told = came[ends[-1]].split()
                if len(told) == 1:  # its pid, and not yet how it ended
                    kill_tree(int(told[0]))
                raise subprocess.TimeoutExpired(command, timeout, came[ends[0]], came[ends[1]])
    return [came[end] for end in ends]


def _text(part: bytes) -> str:
    """As subprocess reads it with text=True."""
    text = part.decode(errors="surrogateescape")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _server() -> socket.socket:
    with _lock:  # tests start gostead in threads
        return _started()


@cache
def _started() -> socket.socket:
    """The socket of this worker's server, which ends when the socket does."""
    from tests.support.root import DROPPED, PATH

    mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    code = (
        f"import sys; sys.path.insert(0, {str(PROJECT)!r});"
        f"from tests.support.preloaded_server import serve; serve({theirs.fileno()})"
    )
    with theirs:
        subprocess.Popen(
            ["setpriv", f"--bounding-set={DROPPED}", sys.executable, "-c", code],
            pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, cwd="/",
            env={"PATH": PATH, "HOME": "/nonexistent", "LANG": "C.UTF-8"}, start_new_session=True,
        )  # fmt: skip
    return mine
