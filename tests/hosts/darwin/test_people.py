"""Users as macOS's directory service tells them, by the stand-in of a Mac."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gostead.trace import Person, TraceError, people
from tests.hosts.darwin.mac import Mac
from tests.hosts.darwin.scenarios import Account
from tests.support.controller import Controller

Apple = Callable[..., tuple[Mac, Controller]]
KIM = Person("kim", 501, 20, "/Users/kim", "/bin/zsh")
LEE = Person("lee", 502, 20, "/Users/lee of it", "/bin/bash")


def asked(mac: Mac, *names: str) -> tuple[Person, ...]:
    """Whom the script names, run as root."""
    return people(lambda script: mac.run(["/bin/sh", "-s"], input=script).stdout.encode(), names)[0]


def test_humans_are_those_from_501_on_who_are_not_hidden(mac: Mac) -> None:
    assert asked(mac, "humans") == (KIM, LEE)
    mac.add_account(Account("_daemonish", 510))
    mac.add_account(Account("nologin", 511, login="/usr/bin/false"))
    mac.add_account(Account("old", 500))
    mac.add_account(Account("far", 1_823_456_789))  # as a directory of the network numbers them
    assert [person.name for person in asked(mac, "humans")] == ["far", "kim", "lee"]


def test_a_hidden_user_who_is_named_is_served(mac: Mac) -> None:
    support = Person("support", 503, 20, "/var/support", "/bin/zsh")
    assert asked(mac, "support", "lee", "lee") == (support, LEE)


def test_root_has_two_homes_and_the_first_counts(mac: Mac) -> None:
    assert asked(mac, "root") == (Person("root", 0, 0, "/var/root", "/bin/sh"),)


def test_what_is_no_value_is_taken_for_none_wherever_it_stands(mac: Mac) -> None:
    """What is said of a missing key was recorded before the values; no manual promises that."""
    program = mac.path / "usr/bin/dscl"
    text = program.read_text()
    last = text.replace('echo "No such key: $key"', 'missing="$missing $key"').replace(
        "\n  ;;\n*) unknown",
        '\n  for key in $missing; do echo "No such key: $key"; done\n  ;;\n*) unknown',
    )
    program.write_text(last.replace("there=''", "there='' missing=''"))
    answer = mac.shell("dscl . -read /Users/kim UserShell IsHidden").stdout
    assert answer == "UserShell: /bin/zsh\nNo such key: IsHidden\n"
    assert asked(mac, "humans") == (KIM, LEE)


def test_nobody_of_that_name(mac: Mac) -> None:
    with pytest.raises(TraceError, match="ghost"):
        asked(mac, "kim", "ghost")


def test_a_mac_with_many_services_is_asked_for_people_alone(mac: Mac) -> None:
    """Each question is a process, and a Mac has more than a hundred accounts of services."""
    record = mac.state / "directory/Users"
    for number in range(150):
        (record / f"_service{number}").write_text(f"UniqueID: {200 + number}\n")
    counted = mac.path / "usr/bin/dscl"
    text = counted.read_text()
    counted.write_text(text.replace("\nnode=", '\necho x >>"$STATE/asked"\nnode=', 1))
    assert asked(mac, "humans") == (KIM, LEE)
    assert len((mac.state / "asked").read_text().splitlines()) < 12


def test_changes_in_a_home_are_its_owners(apple: Apple) -> None:
    mac, controller = apple()
    controller.site.declare(users=["humans"], env={"GOPRIVATE": "git.example.com"})
    controller.converge()
    wrong = mac.shell("find /Users/kim '/Users/lee of it' -user 0 -print").stdout
    assert wrong == ""
    for user in ("kim", "lee"):
        said = mac.ssh("zsh -lc 'go env GOPRIVATE'", user=user).stdout
        assert said == "git.example.com\n"
    assert mac.shell("ls -A /var/support 2>/dev/null").stdout == ""
