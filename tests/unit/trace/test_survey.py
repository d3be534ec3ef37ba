"""What a host says of its users' shells is hostile: bounded, and nobody answers for others."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from gostead.armour import CannotRead
from gostead.trace import Person, survey

ANN = Person("ann", 1000, 1000, "/home/ann", "/bin/bash")
ZED = Person("zed", 1001, 1001, "/home/zed", "/usr/bin/zsh")
BIN = "/opt/gostead/current/bin"


def record(*fields: str | bytes) -> bytes:
    parts = [f if isinstance(f, bytes) else f.encode() for f in fields]
    return b"".join(part + b"\0" for part in [str(len(parts)).encode(), *parts])


def answer(go: str, path: str, goroot: str = "") -> str:
    return "\0".join([go, go, path, goroot, ""]).encode().hex()


def host(*records: bytes) -> Callable[[str], bytes]:
    """A host that answers these records, whatever is asked, with the nonce that it was given."""

    def run(script: str) -> bytes:
        found = re.search(r"gostead %s begin\\n%s\\ngostead %s end %s\\n' ([0-9a-f]{16}) ", script)
        assert found
        body = b"".join([*records, record("end")]).hex()
        tag = found[1]
        return f"gostead {tag} begin\n{body}\ngostead {tag} end {len(body)}\n".encode()

    return run


def cell(number: int, user: str, status: str = "asked", why: str = "") -> bytes:
    return record("cell", str(number), user, "bash", "login", status, why, "7")


def test_a_cell_says_what_runs_where_and_how_often() -> None:
    run = host(
        cell(0, "ann"),
        record("printed", "0", b"hello\x1b[31m".hex()),
        record("answers", "ann", "0 " + answer(f"{BIN}/go", f"/bin:{BIN}:{BIN}", "/usr/local/go")),
    )
    (found,) = survey(run, [ANN], BIN, shells=["bash"], modes=["login"])
    assert (found.go, found.count, found.position) == (f"{BIN}/go", 2, 2)
    assert (found.goroot, found.printed, found.seconds) == ("/usr/local/go", "hello", 0.07)


def test_nobody_answers_for_somebody_else() -> None:
    run = host(
        cell(0, "ann"),
        cell(1, "zed"),
        record("answers", "zed", f"0 {answer('/evil/go', '/evil')}\n1 {answer('/bin/go', '/bin')}"),
    )
    ann, zed = survey(run, [ANN, ZED], BIN, shells=["bash"], modes=["login"])
    assert (ann.status, ann.go) == ("failed", "")
    assert zed.go == "/bin/go"


@pytest.mark.parametrize(
    "line",
    ["0 zz", "9 00", "x 00", "0", "-1 00"],
    ids=["no hex", "no such", "no number", "none", "minus"],
)
def test_an_answer_that_is_none_is_no_traceback(line: str) -> None:
    run = host(cell(0, "ann"), record("answers", "ann", line))
    try:
        (found,) = survey(run, [ANN], BIN, shells=["bash"], modes=["login"])
    except CannotRead:
        return
    assert found.status == "failed"


def test_a_cell_that_is_missing_is_no_good_one() -> None:
    with pytest.raises(CannotRead, match="says nothing of ann"):
        survey(host(), [ANN], BIN, shells=["bash"], modes=["login"])


def test_a_cut_answer_cannot_be_read() -> None:
    def run(script: str) -> bytes:
        return host(cell(0, "ann"))(script)[:-30]

    with pytest.raises(CannotRead):
        survey(run, [ANN], BIN, shells=["bash"], modes=["login"])


def test_control_characters_of_a_host_are_shown_as_escapes() -> None:
    run = host(
        cell(0, "ann"), record("answers", "ann", "0 " + answer("/x\x1b]0;t\x07/go", "/x\n/y"))
    )
    (found,) = survey(run, [ANN], BIN, shells=["bash"], modes=["login"])
    assert "\x1b" not in found.go
    assert found.go.startswith("/x\\x1b")
