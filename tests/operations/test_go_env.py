"""Go's settings of each user: set, proved by asking go as them, and taken back byte for byte."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.cache import PROJECT
from tests.support.preloaded import FACE
from tests.support.sandbox import Sandbox
from tests.support.site import Site, changes

Run = Callable[..., subprocess.CompletedProcess[str]]
FILE = "/home/ann/.config/go/env"
MINE = "# mine\nGOFLAGS=-v\nGOPRIVATE=old.example.com\n\nGOAUTH=netrc"


def mine(ground: Sandbox, text: str = MINE, mode: str = "644") -> None:
    ground.run(
        f"mkdir -p ~/.config/go; cat >~/.config/go/env; chmod {mode} ~/.config/go/env",
        user="ann", input=text, check=True,
    )  # fmt: skip


def read(ground: Sandbox, path: str = FILE) -> str:
    return ground.run(["cat", path]).stdout


def ask(ground: Sandbox, name: str, user: str = "ann") -> str:
    return ground.run(f"su - {user} -c 'go env {name}'").stdout.strip()


def findings(report: dict[str, Any]) -> list[dict[str, Any]]:
    return [f for f in report["hosts"]["@local"]["findings"] if f["subject"] == "go_env"]


def test_declared_keys_are_set_and_the_rest_is_kept(site: Site, ground: Sandbox) -> None:
    mine(ground)
    before = ground.digest(exclude=["/opt", "/tmp", "/root/.cache"])
    site.declare(
        users=["ann", "zed"], telemetry="off",
        env={"GOPRIVATE": "git.example.com", "GOTOOLCHAIN": "local", "GOFLAGS": None, "GOGC": 200},
    )  # fmt: skip
    planned = site.plan(ground)
    report = site.apply(ground)
    assert report["exit"] == 0
    assert changes(planned).keys() == changes(report).keys()
    assert read(ground) == "# mine\nGOPRIVATE=git.example.com\n\nGOAUTH=netrc\nGOTOOLCHAIN=local\n"
    for user in ("ann", "zed"):
        assert ask(ground, "GOPRIVATE", user) == "git.example.com"
        assert ask(ground, "GOTELEMETRY", user) == "off"
        assert ground.run(f"su - {user} -c 'echo $GOGC'").stdout == "200\n"
    assert ground.run("ls -A /home/zed/.config/go/telemetry").stdout == "mode\n"
    again = site.apply(ground)
    assert (again["exit"], changes(again)) == (0, {})
    site.ask(ground, "remove", "-y")
    assert ground.digest(exclude=["/opt", "/tmp", "/root/.cache"]) == before


@pytest.mark.parametrize("shell", ["bash -ic", "zsh -c", "fish -c", "sh -lc"])
def test_variables_are_exported_in_every_shell(site: Site, ground: Sandbox, shell: str) -> None:
    site.declare(users=["ann"], env={"GODEBUG": "it's=1", "GOGC": "off"})
    site.apply(ground)
    done = ground.run([*shell.split(), 'echo "$GODEBUG $GOGC"'], user="ann")
    assert done.stdout == "it's=1 off\n"
    # What another user planted is not read.
    ground.run("chown zed: /home/ann/.config/gostead/env.*")
    assert ground.run([*shell.split(), 'echo "$GODEBUG"'], user="ann").stdout == "\n"


def test_what_is_no_longer_declared_is_as_before(site: Site, ground: Sandbox) -> None:
    mine(ground)
    site.declare(users=["ann"], env={"GOFLAGS": "-mod=mod", "GOBIN": "/home/ann/bin"})
    site.apply(ground)
    site.declare(users=["ann"], env={"GOBIN": "/home/ann/bin"})
    site.apply(ground)
    assert read(ground) == MINE + "\nGOBIN=/home/ann/bin\n"
    site.declare(users=["ann"])
    site.apply(ground)
    assert read(ground) == MINE


def test_a_user_no_longer_declared_has_their_own_settings_again(
    site: Site, ground: Sandbox
) -> None:
    mine(ground)
    site.declare(users=["ann", "zed"], env={"GOFLAGS": "-mod=mod"}, telemetry="off")
    site.apply(ground)
    site.declare(users=["zed"], env={"GOFLAGS": "-mod=mod"}, telemetry="off")
    report = site.apply(ground)
    assert report["exit"] == 0
    assert read(ground) == MINE
    assert ask(ground, "GOFLAGS", "zed") == "-mod=mod"


def test_drift_is_repaired_and_what_else_was_changed_stays(site: Site, ground: Sandbox) -> None:
    site.declare(users=["ann"], env={"GOFLAGS": "-mod=mod", "GOPRIVATE": "a"})
    site.apply(ground)
    ground.run(f"sed -i 's/^GOFLAGS=.*/GOFLAGS=-race/' {FILE}; echo GOAUTH=netrc >>{FILE}")
    report = site.apply(ground)
    (change,) = report["hosts"]["@local"]["changes"]
    assert (change["item"], change["user"]) == (FILE, "ann")
    assert (change["from"], change["to"]) == ("GOFLAGS=-race", "GOFLAGS=-mod=mod")
    assert "GOAUTH=netrc\n" in read(ground)
    assert ask(ground, "GOFLAGS") == "-mod=mod"
    assert changes(site.apply(ground)) == {}


def test_what_was_edited_since_is_reported_at_removal(site: Site, ground: Sandbox) -> None:
    mine(ground)
    site.declare(users=["ann"], env={"GOFLAGS": "-mod=mod", "GOPRIVATE": "a"})
    site.apply(ground)
    ground.run(f"sed -i 's/^GOFLAGS=.*/GOFLAGS=-race/' {FILE}")
    report = site.ask(ground, "remove", "-y")
    said = [f["what"] for f in report["hosts"]["@local"]["findings"]]
    assert said == ["GOFLAGS was changed since gostead wrote it: left"]
    assert read(ground) == MINE.replace("-v", "-race")


def test_a_go_that_does_not_say_so_is_a_failure(site: Site, ground: Sandbox) -> None:
    """Written is not enough: go is asked."""
    site.declare(users=["ann"])
    site.apply(ground)
    # A go that reads no settings file: its answer is what counts.
    ground.run("printf '#!/bin/sh\\necho other\\n' >/opt/gostead/profiles/go1.27.3/shim;"
               "chmod 755 /opt/gostead/profiles/go1.27.3/shim;"
               "ln -sf ../shim /opt/gostead/profiles/go1.27.3/bin/go")  # fmt: skip
    site.declare(users=["ann"], env={"GOFLAGS": "-mod=mod"})
    report = site.apply(ground, "--subject", "go_env")
    assert report["exit"] == 1
    (change,) = report["hosts"]["@local"]["changes"]
    assert change["result"] == "failed"
    assert "does not say what is declared for: GOFLAGS" in change["error"]


CANARY = "canary-5a8e"


def traced(ground: Sandbox, *words: str) -> subprocess.CompletedProcess[str]:
    """gostead, with every program that it and the host's scripts start written down."""
    first, *rest = words
    strace = [
        "strace",
        "-f",
        "-qq",
        "-s",
        "100000",
        "-e",
        "trace=execve",
        "-A",
        "-o",
        "/root/execs",
    ]
    command = [*strace, sys.executable, *FACE, first, "@local", *rest]
    environment = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(PROJECT)}
    return ground.run(command, env=environment, cwd="/", timeout=300)


def test_a_secret_is_nowhere_but_in_the_users_file(run: Run, site: Site, ground: Sandbox) -> None:
    # What was there before us may hold one, too, and is kept.
    own = "GOAUTH=netrc\nGOFLAGS=-ldflags=-X=main.token=their-own-7c1d\n"
    (site.directory / "pw").write_text(f"https://ci:{CANARY}@goproxy.example.com\n")
    mine(ground, own)
    all_yaml = site.declaration / "all.yaml"

    def declare(line: str) -> None:
        site.declare(users=["ann"])
        text = all_yaml.read_text().replace('"go": {', f'"go": {{"env": {{{line}}},', 1)
        all_yaml.write_text(text)

    for line in (f'"GOPROXY": !file {site.directory}/pw',
                 f'"GOPROXY": "https://ci:{CANARY}@goproxy.example.com"'):  # fmt: skip
        declare(line)
        for words in (("plan", "--json"), ("plan", "--explain"), ("apply", "-y", "-v"),
                      ("facts",), ("audit", "-v"), ("explain",)):  # fmt: skip
            done = traced(ground, *words, "--declaration", str(site.declaration))
            assert CANARY not in done.stdout + done.stderr, words
        assert f"GOPROXY=https://ci:{CANARY}@goproxy.example.com" in read(ground)
        assert ground.run(["stat", "-c", "%a", FILE]).stdout == "600\n"
    # Every program that was started, with all its arguments.
    started = ground.run("cat /root/execs").stdout
    assert "execve(" in started
    for secret in (CANARY, "their-own-7c1d", "goenv@ann"):
        assert [x for x in started.splitlines() if secret in x] == []
    ground.run("rm /root/execs")
    others = " ".join(
        f"--exclude-dir={n}" for n in ("proc", "sys", PROJECT.name, site.directory.name)
    )
    found = ground.run(f"grep -rlF {CANARY} / {others} 2>/dev/null").stdout
    assert found.split() == [FILE]
    site.ask(ground, "remove", "-y")
    assert read(ground) == own
    assert ground.run(["stat", "-c", "%a", FILE]).stdout == "644\n"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (f"rm -f {FILE}; mkdir -p {FILE}", "expected a file or nothing"),
        (f"rm -f {FILE}; mkfifo {FILE}", "expected a file or nothing"),
        (f"rm -f {FILE}; ln -s /etc/shadow {FILE}", "cannot be read by ann"),
        (f"rm -f {FILE}; ln -s nowhere {FILE}", "leads nowhere"),
        (f"ln {FILE} {FILE}2", "several names"),
        (f"chown root: {FILE}", "belongs to uid 0"),
    ],
)
def test_a_settings_file_that_is_none_of_theirs_is_refused(
    site: Site, ground: Sandbox, spoil: str, said: str
) -> None:
    mine(ground)
    ground.run(spoil)
    before = ground.run("cat /etc/shadow; ls -lanR --time-style=+ /home/ann/.config").stdout
    site.declare(users=["ann", "zed"], env={"GOFLAGS": "-mod=mod"})
    report = site.apply(ground)
    assert report["exit"] == 1
    (finding,) = findings(report)
    assert said in finding["what"]
    assert ground.run("cat /etc/shadow; ls -lanR --time-style=+ /home/ann/.config").stdout == before
    assert ask(ground, "GOFLAGS", "zed") == "-mod=mod"


def test_a_variable_that_overrules_a_setting_is_told_with_its_line(
    run: Run, site: Site, ground: Sandbox
) -> None:
    lines = "export GOPROXY=https://u:hidden@x\\nexport GOFLAGS=-mod=mod\\n"
    ground.run(f"printf '{lines}' >>~/.profile", user="ann")
    site.declare(users=["ann"], env={"GOPROXY": "direct", "GOFLAGS": "-mod=mod"})
    report = site.apply(ground)
    ((what, where),) = [(f["item"], f["where"]) for f in findings(report)]
    assert (what, where.rpartition(":")[0]) == ("GOPROXY", "/home/ann/.profile")
    number = int(where.rpartition(":")[2])
    line = ground.run(f"sed -n {number}p /home/ann/.profile").stdout
    assert line.startswith("export GOPROXY=")
    assert "hidden" not in str(report)
    for command in ("explain", "audit"):
        assert "hidden" not in str(site.ask(ground, command)), command
    # A later run reads what was learned, and says it again.
    assert [f["where"] for f in findings(site.plan(ground))] == [where]


def test_an_exported_configuration_directory_is_served_too(site: Site, ground: Sandbox) -> None:
    ground.run("echo 'export XDG_CONFIG_HOME=$HOME/.cfg' >>~/.profile", user="ann")
    site.declare(users=["ann"])
    site.apply(ground)
    site.declare(users=["ann"], env={"GOFLAGS": "-mod=mod"})
    site.apply(ground)
    for command in ("su - ann -c 'go env GOFLAGS'", "setpriv --reuid=ann env -u XDG_CONFIG_HOME "
                    "HOME=/home/ann go env GOFLAGS"):  # fmt: skip
        assert ground.run(command).stdout == "-mod=mod\n"


def test_a_gobin_that_its_user_cannot_write_is_told_before_anything_runs(
    site: Site, ground: Sandbox
) -> None:
    ground.run("mkdir -m 755 /srv/root; mkdir -m 777 /srv/all; touch /srv/file", check=True)

    def told(bin: str) -> list[tuple[str, str]]:
        site.declare(users=["ann"], env={"GOBIN": bin})
        found = findings(site.plan(ground))
        return [(f["severity"], f["what"]) for f in found if f["item"] == "GOBIN"]

    [(severity, what)] = told("/srv/root/deep/bin")
    assert severity == "error"
    assert "/srv/root cannot be written by ann: go install would fail" in what
    assert told("/srv/file/bin")[0][1].startswith("/srv/file/bin: /srv/file is no directory")
    assert told("/srv/all/deep/bin") == []
    assert told("/home/ann/bin") == []
