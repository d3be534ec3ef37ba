"""Processes of Go work whose parent died, made in a throw-away root, and what is said of them."""

from __future__ import annotations

import time
from typing import Any

from gostead.templates import host_script
from tests.support.sandbox import Sandbox
from tests.support.site import Site

HASH = "ab" + "0f" * 31
RUN_CHILD = "/tmp/go-build123/b001/exe/server"
#: Where each kind runs from, and what it is called.
KINDS = {
    RUN_CHILD: "go run child server",
    f"/home/ann/.cache/go-build/ab/{HASH}-d/server": "go run child server",
    "/tmp/go-build77/b042/web.test": "test binary web.test",
    "/home/ann/sdk/pkg/tool/linux_amd64/compile": "build tool compile",
    "/home/ann/sdk/pkg/tool/linux_amd64/link": "build tool link",
    "/home/ann/go/bin/gopls": "gopls",
    "/home/ann/go/bin/dlv": "dlv",
    "/home/ann/web/__debug_bin3141": "dlv's debuggee __debug_bin3141",
}
#: Needs no library, and does what it is told under this name only.
BOX = "/tmp/go-build123/b001/exe/busybox"
#: A directory of a build, {0}, that was last used at {1}.
MAKE_SCRATCH = "mkdir -p {0}/b001 && echo x >{0}/b001/x && touch -d '{1}' {0} {0}/b001"


def start(
    ground: Sandbox, path: str, *words: str, user: str = "ann", program: str = "/bin/sleep"
) -> int:
    """An orphan: what started it has ended. Its number in the root."""
    words = words or ("1000",)
    script = (
        'program=$1 path=$2; shift 2; mkdir -p "${path%/*}" && { chmod 777 "${path%/*}" || :; } && '
        'cp "$program" "$path" && cd "${path%/*}" && '
        '{ "$path" "$@" </dev/null >/dev/null 2>&1 & echo $!; }'
    )
    command = ["sh", "-c", script, "sh", program, path, *words]
    return int(ground.run(command, user=user, check=True).stdout)


def age() -> None:
    """So long that what runs is older than a second."""
    time.sleep(2.1)


def alive(ground: Sandbox, pid: int) -> bool:
    return "State:\tZ" not in (status := status_of(ground, pid)) and bool(status)


def status_of(ground: Sandbox, pid: int) -> str:
    return ground.run(["cat", f"/proc/{pid}/status"]).stdout


def start_time(ground: Sandbox, pid: int) -> str:
    return ground.run(["cat", f"/proc/{pid}/stat"]).stdout.rpartition(") ")[2].split()[19]


def of(report: dict[str, Any], kind: str = "findings") -> list[dict[str, Any]]:
    return [f for f in report["hosts"]["@local"][kind] if f["subject"] == "orphans"]


def declare(site: Site, action: str = "terminate", users: tuple[str, ...] = ("ann",)) -> None:
    site.declare(users=list(users), orphans={"action": action, "min_age": "1s"})


def apply(site: Site, ground: Sandbox, **run: Any) -> dict[str, Any]:
    return site.apply(ground, "--subject", "orphans", **run)


def plan(site: Site, ground: Sandbox, **run: Any) -> dict[str, Any]:
    return site.plan(ground, "--subject", "orphans", **run)


def child_of(ground: Sandbox, parent: int) -> int:
    for _ in range(100):
        found = ground.run(f"cat /proc/{parent}/task/{parent}/children").stdout.split()
        if found:
            return int(found[0])
        time.sleep(0.02)
    raise AssertionError(f"process {parent} started nothing")


def in_cgroup(ground: Sandbox, pid: int, lines: str) -> None:
    """What the kernel would say of it in that place: nobody but systemd makes those in a root."""
    ground.run(f"cat >/srv/cgroup-{pid}; mount --bind /srv/cgroup-{pid} /proc/{pid}/cgroup",
               input=f"{lines}\n", check=True)  # fmt: skip


def in_image(ground: Sandbox) -> int:
    """An orphan that ann left in a root at /srv/image: its number in the machine."""
    return int(ground.run(
        f"mkdir -p /srv/image{BOX.rpartition('/')[0]}; cp /bin/busybox /srv/image{BOX};"
        f"chroot --userspec=1002:1002 /srv/image {BOX} sleep 1000 </dev/null >/dev/null 2>&1 &"
        "echo $!", check=True,
    ).stdout)  # fmt: skip


def script(ground: Sandbox, pid: int, **other: Any) -> str:
    values = {
        "user": "ann", "uid": 1002, "gid": 1002, "home": "/home/ann", "pid": pid, "ppid": 1,
        "start": start_time(ground, pid), "exe": RUN_CHILD, "grace": 2,
    }  # fmt: skip
    return host_script("change/orphan", **(values | other))
