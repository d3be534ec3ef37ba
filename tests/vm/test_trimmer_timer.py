"""The build cache's bound is kept by a timer of each user's own systemd."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.support.controller import Controller
from tests.support.vm.guest import Guest
from tests.support.waiting import wait_until

TIMER = "gostead-trim-cache.timer"
SERVICE = "gostead-trim-cache.service"
CACHE = "/home/deploy/.cache/go-build"
DAY = 86400


@pytest.fixture
def bounded(guest: Guest, control_guest: Callable[..., Controller]) -> Controller:
    """A controller that declares a bound of 1 MiB for deploy's cache, which holds 3 MiB."""
    controller = control_guest(guest)
    controller.site.declare(scope="system", users=["deploy"], cache={"max_size": "1MiB"})
    fill(guest)
    return controller


def test_it_trims_by_hand_and_every_day_and_after_a_reboot(
    guest: Guest, bounded: Controller
) -> None:
    with session(guest):
        bounded.converge()
        assert state(guest) == "active"
        assert TIMER in systemctl(guest, "list-timers --no-pager")

        fill(guest)
        systemctl(guest, f"start {SERVICE}")
        assert kept(guest) == ["new"]

        fill(guest)
        assert len(kept(guest)) == 3
        guest.run(f"date -s @$(($(date +%s) + {DAY}))")
        wait_until(lambda: kept(guest) == ["new"], "a day has passed, and nothing was trimmed")
        assert systemctl(guest, f"show -p Result {SERVICE}") == "Result=success"
        assert bounded.changes(bounded.converge()) == {}

    guest.reboot()
    with session(guest):
        assert state(guest) == "active"


def test_without_a_session_it_begins_with_the_next_one(guest: Guest, bounded: Controller) -> None:
    wait_until(lambda: not manager(guest), "deploy's manager has not ended")
    bounded.converge()
    assert not manager(guest)
    with session(guest):
        assert state(guest) == "active"
    wait_until(lambda: not manager(guest), "deploy's manager has not ended")

    guest.run("loginctl enable-linger deploy")
    wait_until(lambda: state(guest) == "active", "lingering, and the timer is not active")


def test_removal_ends_it_and_leaves_nothing(guest: Guest, bounded: Controller) -> None:
    with session(guest):
        before = files(guest)
        bounded.converge()
        assert state(guest) == "active"
        assert bounded.ask("remove", "-y")["exit"] == 0
        assert TIMER not in systemctl(guest, "list-timers --all --no-pager")
        assert files(guest) == before


@contextmanager
def session(guest: Guest) -> Iterator[None]:
    """Deploy is logged in meanwhile."""
    with guest.login("deploy"):
        wait_until(
            lambda: "running" in systemctl(guest, "is-system-running", check=False),
            "deploy's manager does not come up",
        )
        yield


def systemctl(guest: Guest, what: str, *, check: bool = True) -> str:
    """What deploy's own systemctl says; from aside, so that nobody logs in for it."""
    uid = guest.run("id -u deploy").stdout.strip()
    return guest.run(
        f"setpriv --reuid deploy --regid deploy --init-groups"
        f" env HOME=/home/deploy XDG_RUNTIME_DIR=/run/user/{uid} systemctl --user {what}",
        check=check,
    ).stdout.strip()


def state(guest: Guest) -> str:
    return systemctl(guest, f"is-active {TIMER}", check=False)


def manager(guest: Guest) -> bool:
    """Whether a systemd of deploy's runs."""
    return guest.run("pgrep -u deploy -x systemd", check=False).returncode == 0


def fill(guest: Guest) -> None:
    """Three entries of 1 MiB; two were used four hours ago, one just now."""
    entries = "".join(
        f"head -c 1048576 /dev/zero >{CACHE}/ab/{name * 32}-d; "
        f"touch -d '{age} minutes ago' {CACHE}/ab/{name * 32}-d; "
        for name, age in (("a", 250), ("b", 240), ("c", 1))
    )
    guest.run(f"mkdir -p {CACHE}/ab; {entries} chown -R deploy: /home/deploy/.cache")


def kept(guest: Guest) -> list[str]:
    """Which entries are there."""
    names = guest.run(f"ls {CACHE}/ab").stdout.split()
    return [{"a": "oldest", "b": "old", "c": "new"}[name[0]] for name in names]


def files(guest: Guest) -> str:
    """What stands in deploy's home, the caches apart."""
    return guest.run("cd /home/deploy && find . -path ./.cache -prune -o -print | sort").stdout
