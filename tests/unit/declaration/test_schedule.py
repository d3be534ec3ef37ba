"""What a schedule may be, and what it needs."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from gostead.declaration import Problem
from gostead.declaration.durations import seconds
from gostead.declaration.schedule import CALENDAR, Schedule

from .conftest import Declare

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDY0WvraA9wEv0JY6J536YDFW6pWWQ65IXUOTbIZSnB4"
ID = "0123456789abcdef" * 2 + "01234567"
GOOD = {"every": "1h", "source": "https://git.example.com/x.git", "ref": "main", "signers": [KEY]}
Problems = Callable[..., tuple[Problem, ...]]


def text(**schedule: object) -> str:
    return json.dumps({"go": {"schedule": {**GOOD, **schedule}}})


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"signers": [f"{KEY} ann@example.com"]},
        {"ref": ID, "signers": []},
        {"ref": ID + ID[:24], "signers": []},
        {"ref": "release/1.x"},
        {"source": "ssh://git@git.example.com:2222/x.git"},
        {"source": "file:///srv/x.git"},
        {"every": "7d", "jitter": "12h"},
    ],
)
def test_accepted(declare: Declare, more: dict[str, object]) -> None:
    known = declare(text(**more)).linux.schedule
    assert known.ref == more.get("ref", "main")
    assert known.fixed is str(more.get("ref", "")).startswith("0123")


@pytest.mark.parametrize(
    ("more", "key", "expected"),
    [
        ({"source": None}, "source", "a git URL, where `every`"),
        ({"ref": None}, "ref", "a commit id, branch or tag, where `every`"),
        ({"signers": []}, "signers", "at least one ssh key"),
        ({"every": "7h"}, "every", "how often: 5m"),
        ({"every": "1m"}, "every", "how often: 5m"),
        ({"every": "hourly"}, "every", "a span of time"),
        ({"jitter": "2h"}, "jitter", "at most 1h"),
        ({"jitter": "0m"}, "jitter", "a span of time"),
        ({"source": "http://git.example.com/x"}, "source", "https://, ssh:// or file:///"),
        ({"source": "git@git.example.com:x"}, "source", "https://, ssh:// or file:///"),
        ({"source": "https://ann:secret@git.example.com/x"}, "source", "https://, ssh:// or"),
        ({"source": "https://token@git.example.com/x"}, "source", "https://, ssh:// or"),
        ({"source": "ssh://git:secret@git.example.com/x"}, "source", "https://, ssh:// or"),
        ({"source": "ext::sh -c id"}, "source", "https://, ssh:// or file:///"),
        ({"source": "ssh://-oProxyCommand=id/x"}, "source", "https://, ssh:// or file:///"),
        ({"ref": ID[:12]}, "ref", "a full commit id"),
        ({"ref": ID.upper()}, "ref", "a full commit id"),
        ({"ref": "refs/heads/main"}, "ref", "a full commit id"),
        ({"ref": "HEAD"}, "ref", "a full commit id"),
        ({"ref": "--upload-pack=id"}, "ref", "a full commit id"),
        ({"ref": "a..b"}, "ref", "a full commit id"),
        ({"ref": "a:b"}, "ref", "a full commit id"),
        ({"signers": ["ann@example.com " + KEY]}, "signers[0]", "an ssh public key"),
        ({"signers": ["cert-authority " + KEY]}, "signers[0]", "an ssh public key"),
        ({"signers": [KEY[:-8]]}, "signers[0]", "an ssh public key"),
        ({"signers": [KEY + "\n" + KEY]}, "signers[0]", "an ssh public key"),
        ({"signers": [KEY.replace("ssh-ed25519", "ssh-rsa")]}, "signers[0]", "an ssh public key"),
        ({"signers": [KEY, KEY]}, "signers", "each value once"),
    ],
)
def test_refused(problems: Problems, more: dict[str, object], key: str, expected: str) -> None:
    found = problems(text(**more))
    assert [p.key for p in found] == [f"go.schedule.{key}"]
    assert expected in found[0].expected
    assert "secret" not in str(found[0])
    assert found[0].where.startswith("all.yaml:")


def test_a_schedule_is_roots(problems: Problems) -> None:
    (problem,) = problems(json.dumps({"go": {"scope": "user", "schedule": GOOD}}))
    assert problem.key == "go.scope"


def test_layers_are_judged_together(declare: Declare) -> None:
    """One names the repository, another the interval."""
    rest = {key: value for key, value in GOOD.items() if key != "every"}
    known = declare(
        {"all.yaml": json.dumps({"go": {"schedule": rest}}),
         "hosts/web1.yaml": '{"go": {"schedule": {"every": "15m"}}}'}
    )  # fmt: skip
    assert known.linux.schedule.every == "15m"


def test_every_interval_has_its_calendar() -> None:
    for every in ("5m", "30m", "60m", "1h", "12h", "24h", "1d", "7d"):
        assert CALENDAR[seconds(Schedule(every=every).every or "")]


def test_signers_are_good_for_git_alone() -> None:
    known = Schedule(signers=(f"{KEY} ann",))
    assert known.allowed_signers() == f'gostead namespaces="git" {KEY}\n'
