"""The order in which a Mac starts shells: real zsh and bash over Apple's start-up files."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from tests.hosts.darwin.mac import FIRST_PATH, Mac
from tests.support.controller import Controller

Apple = Callable[..., tuple[Mac, Controller]]
BIN = "/opt/gostead/current/bin"
WAYS = {
    "zsh login": ["zsh", "-l", "-c"],
    "zsh interactive": ["zsh", "-i", "-c"],
    "zsh login interactive": ["zsh", "-l", "-i", "-c"],
    "zsh": ["zsh", "-c"],
    "bash login": ["bash", "-l", "-c"],
    "bash interactive": ["bash", "-i", "-c"],
    "sh login": ["sh", "-l", "-c"],
}


def path_in(mac: Mac, way: list[str], user: str = "kim", first: str = FIRST_PATH) -> list[str]:
    """PATH as a shell that is started in that way has it."""
    script = shlex.join([*way, "printf '%s\\n' \"$PATH\""])
    done = mac.shell(script, user=user, env={"PATH": first})
    return done.stdout.splitlines()[-1].split(":")


def test_go_is_first_and_once_in_every_way(apple: Apple) -> None:
    mac, controller = apple()
    controller.site.declare(users=["kim", "lee"])
    controller.converge()
    for user in ("kim", "lee"):
        for name, way in WAYS.items():
            path = path_in(mac, way, user)
            assert (path[0], path.count(BIN)) == (BIN, 1), (user, name)
    inner = """bash -l -i -c 'zsh -l -c "echo \\$PATH"'"""
    said = mac.shell(f"zsh -l -i -c {shlex.quote(inner)}", user="kim").stdout.strip().split(":")
    assert (said[0], said.count(BIN)) == (BIN, 1)
    # So the above can fail: what stands in ~/.zshenv alone is pushed behind all that Apple lists.
    mac.shell("rm ~/.zprofile", user="kim")
    path = path_in(mac, WAYS["zsh login"])
    assert path[0] == "/usr/local/bin"
    assert path.index(BIN) > path.index("/sbin")


def test_somebody_who_is_not_declared_finds_it_through_paths_d(apple: Apple) -> None:
    mac, controller = apple()
    controller.site.declare(users=["kim"])
    controller.converge()
    assert (mac.path / "etc/paths.d/gostead").read_text() == f"{BIN}\n"
    path = path_in(mac, WAYS["zsh login"], "lee")
    assert path == ["/usr/local/bin", "/System/Cryptexes/App/usr/bin", *FIRST_PATH.split(":"), BIN]
    assert mac.shell("zsh -lc 'command -v go'", user="lee").stdout == "/usr/local/bin/go\n"
