"""go-slice, where a systemd could be asked: which one it asks, and where it asks none. What systemd
then does is shown on guests (tests/vm)."""

from __future__ import annotations

import pytest

from gostead.operations.limits import Limits
from gostead.operations.unit_files import wrapper
from tests.support.sandbox import Sandbox

#: A systemd-run that says as whom it was asked for what, and of which manager.
SYSTEMD_RUN = """\
#!/bin/sh
echo "asked: $* of ${XDG_RUNTIME_DIR-} ${DBUS_SESSION_BUS_ADDRESS-}"
"""
#: Makes a socket, with its directory, as a user.
SOCKET = "import os, socket, sys; os.makedirs(os.path.dirname(sys.argv[1]), 0o700, True); \
socket.socket(socket.AF_UNIX).bind(sys.argv[1])"
SCOPE = "--quiet --scope --collect --slice=gobuilds.slice --"


@pytest.fixture
def booted(sandbox: Sandbox) -> Sandbox:
    """A root with go-slice, which looks as if systemd ran there."""
    sandbox.run("mkdir -p /run/systemd/system", check=True)
    programs = {
        "usr/local/bin/go-slice": wrapper(Limits(2, 2**30, ""), mac=False),
        "usr/bin/systemd-run": SYSTEMD_RUN,
        "usr/bin/systemctl": "#!/bin/sh\n",
    }
    for path, text in programs.items():
        (sandbox.path / path).write_text(text)
        (sandbox.path / path).chmod(0o755)
    return sandbox


def listens(root: Sandbox, user: str, socket: str, directory: str = "") -> str:
    """A manager of `user` has that socket in its runtime directory, which is returned."""
    if not directory:
        directory = f"/run/user/{root.run(f'id -u {user}', check=True).stdout.strip()}"
        root.run(f"install -d -m 755 /run/user; install -d -o {user} -m 700 {directory}",
                 check=True)  # fmt: skip
    root.python("-c", SOCKET, f"{directory}/{socket}", user=user, cwd="/", check=True)
    return directory


@pytest.mark.parametrize("user", ["root", "ann"])
@pytest.mark.parametrize(
    "group",
    [
        "/gobuilds.slice/actions.runner.one.service",
        "/user.slice/user-1000.slice/user@1000.service/gobuilds.slice/run-r1.scope",
    ],
)
def test_within_the_slice_it_starts_nothing_of_its_own(
    group: str, user: str, booted: Sandbox
) -> None:
    """What a service runs by go-slice ends with it: no scope of its own, and the limits for Go."""
    # exec keeps the process, so the file is go-slice's own when it reads it.
    within = (
        f"echo '0::{group}' >/srv/group; chmod 644 /srv/group; mount --bind /srv/group "
        f"/proc/$$/cgroup; exec setpriv --reuid {user} --clear-groups /usr/local/bin/go-slice "
        "sh -c 'echo $$ $GOMAXPROCS $GOMEMLIMIT \"$@\"; exit 7' x 'a b'"
    )
    done = booted.run(f"echo $$; {within}")
    first, second = done.stdout.splitlines()
    assert second == f"{first} 2 1024MiB a b"
    assert done.returncode == 7


@pytest.mark.parametrize(
    "group", ["/system.slice/gobuilds.slice.service", "/mygobuilds.slice/x.scope", "/"]
)
def test_elsewhere_it_asks_for_a_scope(group: str, booted: Sandbox) -> None:
    done = booted.run(f"echo '0::{group}' >/srv/group; mount --bind /srv/group /proc/$$/cgroup; "
                      "exec go-slice go build")  # fmt: skip
    assert done.stdout.startswith(f"asked: {SCOPE} go build of")


def test_whoever_came_by_su_asks_their_own_manager(booted: Sandbox) -> None:
    """su keeps root's XDG_RUNTIME_DIR, and the bus's address."""
    listens(booted, "root", "bus")
    own = listens(booted, "ann", "systemd/private")
    env = {"XDG_RUNTIME_DIR": "/run/user/0",
           "DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/user/0/bus"}  # fmt: skip
    done = booted.run("go-slice go build", user="ann", env=env)
    assert done.stdout == f"asked: --user {SCOPE} go build of {own} \n", done.stderr


def test_a_runtime_directory_of_ones_own_is_taken_as_it_is(booted: Sandbox) -> None:
    listens(booted, "ann", "bus", "/home/ann/run")
    listens(booted, "ann", "bus")
    env = {"XDG_RUNTIME_DIR": "/home/ann/run", "DBUS_SESSION_BUS_ADDRESS": "unix:path=/x"}
    done = booted.run("go-slice go build", user="ann", env=env)
    assert done.stdout == f"asked: --user {SCOPE} go build of /home/ann/run unix:path=/x\n"


@pytest.mark.parametrize("env", [{}, {"XDG_RUNTIME_DIR": "/run/user/0"}], ids=["none", "root's"])
def test_without_session_and_lingering_it_runs_nothing_and_says_how(
    env: dict[str, str], booted: Sandbox
) -> None:
    listens(booted, "root", "bus")
    done = booted.run("go-slice touch /home/ann/ran", user="ann", env=env)
    assert (done.returncode, done.stdout) == (69, "")
    assert done.stderr == (
        "go-slice: no systemd manager of ann runs: log in by ssh, or: loginctl enable-linger ann\n"
    )
    assert not (booted.path / "home/ann/ran").exists()


def test_without_systemd_it_runs_nothing_and_says_so(booted: Sandbox) -> None:
    booted.run("rmdir /run/systemd/system", check=True)
    done = booted.run("go-slice touch /srv/ran")
    assert (done.returncode, done.stdout) == (69, "")
    assert done.stderr == ("go-slice: there is no systemd here, so nothing would hold the budget\n")
    assert not (booted.path / "srv/ran").exists()
