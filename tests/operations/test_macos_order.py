"""The order in which macOS starts shells, played on Linux by the real zsh and bash.

Debian's zsh reads /etc/zsh/zprofile where Apple's reads /etc/zprofile. Both that file and
/etc/profile run path_helper there: /etc/paths, /etc/paths.d/*, then what PATH held, each once
(path_helper(8)). What is set in ~/.zshenv alone is thereby pushed behind all of these.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable

import pytest

from tests.support.sandbox import Sandbox
from tests.support.site import Site

Run = Callable[..., subprocess.CompletedProcess[str]]
BIN = "/opt/gostead/current/bin"
FIRST = "/usr/bin:/bin:/usr/sbin:/sbin"  # PATH that Apple's sshd starts with

PATH_HELPER = r"""#!/bin/sh
# path_helper(8): the lines of /etc/paths, of the files in /etc/paths.d, then PATH; each once.
result=
add() {
  case ":$result:" in *":$1:"*) ;; *) [ -z "$1" ] || result=${result:+$result:}$1 ;; esac
}
for file in /etc/paths $(ls /etc/paths.d/* 2>/dev/null | sort -V); do
  while IFS= read -r line || [ -n "$line" ]; do add "$line"; done <"$file"
done
IFS=:
for place in $PATH; do add "$place"; done
printf 'PATH="%s"; export PATH;\n' "$result"
"""
PROFILE = 'if [ -x /usr/libexec/path_helper ]; then eval "$(/usr/libexec/path_helper -s)"; fi\n'

WAYS = {
    "zsh login": ["zsh", "-l", "-c"],
    "zsh interactive": ["zsh", "-i", "-c"],
    "zsh login interactive": ["zsh", "-l", "-i", "-c"],
    "zsh": ["zsh", "-c"],
    "bash login": ["bash", "-l", "-c"],
    "bash interactive": ["bash", "-i", "-c"],
    "sh login": ["sh", "-l", "-c"],
}


@pytest.fixture
def mac(ground: Sandbox) -> Sandbox:
    """A root with the start-up files of macOS in Debian's places."""
    for path, text in {
        "/usr/libexec/path_helper": PATH_HELPER,
        "/etc/paths": "/usr/local/bin\n/usr/bin\n/bin\n/usr/sbin\n/sbin\n",
        "/etc/zsh/zprofile": PROFILE,
        "/etc/profile": PROFILE + "[ ! -r /etc/bashrc ] || . /etc/bashrc\n",
        "/etc/zsh/zshenv": "",
        "/etc/bash.bashrc": "",
    }.items():
        target = ground.path / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(0o755)
    ground.run("rm -rf /etc/profile.d /etc/environment; mkdir -p /etc/paths.d", check=True)
    return ground


def path_in(root: Sandbox, way: list[str]) -> list[str]:
    words = [*way, 'printf "%s\\n" "$PATH"']
    command = f"env -i HOME=/home/ann USER=ann PATH={FIRST} {shlex.join(words)}"
    done = root.run(["su", "-s", "/bin/sh", "ann", "-c", command])
    return done.stdout.splitlines()[-1].split(":")


@pytest.mark.parametrize("way", WAYS)
def test_go_is_first_and_once(mac: Sandbox, site: Site, way: str) -> None:
    site.declare(users=["ann"])
    assert site.apply(mac)["exit"] == 0
    # What stands system-wide on Debian has no place on macOS: the user's own files must do.
    mac.run(": >/etc/zsh/zshenv; : >/etc/bash.bashrc; echo /opt/gostead/current/bin "
            ">/etc/paths.d/gostead")  # fmt: skip
    path = path_in(mac, WAYS[way])
    assert path[0] == BIN
    assert path.count(BIN) == 1


def test_nested_shells_keep_it_first_and_once(mac: Sandbox, site: Site) -> None:
    site.declare(users=["ann"])
    assert site.apply(mac)["exit"] == 0
    mac.run(": >/etc/zsh/zshenv; : >/etc/bash.bashrc")
    inner = """bash -l -i -c 'zsh -l -c "echo \\$PATH"'"""
    command = f"env -i HOME=/home/ann USER=ann PATH={FIRST} zsh -l -i -c {shlex.quote(inner)}"
    path = mac.run(["su", "-s", "/bin/sh", "ann", "-c", command]).stdout.strip().split(":")
    assert path[0] == BIN
    assert path.count(BIN) == 1


def test_without_the_zprofile_block_path_helper_wins(mac: Sandbox, site: Site) -> None:
    """So the tests above can fail."""
    site.declare(users=["ann"])
    assert site.apply(mac)["exit"] == 0
    mac.run(": >/etc/zsh/zshenv; : >/etc/bash.bashrc; rm /home/ann/.zprofile")
    assert path_in(mac, WAYS["zsh login"])[0] == "/usr/local/bin"
