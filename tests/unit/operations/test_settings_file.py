"""A settings file is changed key by key, and is byte for byte as before when all is taken back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gostead.operations.settings import Ledger, ledger, put, values

MESSY = b"# mine\nGOFLAGS=-v\nGOPRIVATE=a\n\nnot a setting\nGOFLAGS=-x\nGOPROXY=direct"


def test_keys_are_set_where_they_stand_and_the_rest_stays() -> None:
    after, known, left = put(MESSY, {"GOFLAGS": b"-mod=mod", "GOBIN": b"/b"}, Ledger())
    assert after == (b"# mine\nGOFLAGS=-v\nGOPRIVATE=a\n\nnot a setting\nGOFLAGS=-mod=mod\n"
                     b"GOPROXY=direct\nGOBIN=/b\n")  # fmt: skip
    assert left == ()
    assert put(after, {"GOFLAGS": b"-mod=mod", "GOBIN": b"/b"}, known)[0] == after
    assert put(after, {}, known) == (MESSY, Ledger(), ())


def test_null_takes_every_line_of_a_key_out_and_back() -> None:
    after, known, _ = put(MESSY, {"GOFLAGS": None}, Ledger())
    assert after is not None
    assert values(after) == {"GOPRIVATE": b"a", "GOPROXY": b"direct"}
    assert put(after, {}, ledger(known.text()))[0] == MESSY


def test_what_was_so_already_is_not_ours() -> None:
    after, known, _ = put(MESSY, {"GOPROXY": b"direct", "GOBIN": None}, Ledger())
    assert (after, known) == (MESSY, Ledger())


def test_what_somebody_changed_since_is_left() -> None:
    after, known, _ = put(MESSY, {"GOFLAGS": b"-mod=mod"}, Ledger())
    assert after is not None
    edited = after.replace(b"-mod=mod", b"-race")
    assert put(edited, {}, known) == (edited, Ledger(), ("GOFLAGS",))
    # Declared, it is drift; what they wrote last is what comes back.
    mended, known, _ = put(edited, {"GOFLAGS": b"-mod=mod"}, known)
    assert mended == after
    assert put(mended, {}, known)[0] == edited


def test_what_somebody_added_since_stays() -> None:
    after, known, _ = put(MESSY, {"GOFLAGS": b"-mod=mod", "GOBIN": b"/b"}, Ledger())
    assert after is not None
    more = after + b"GOSUMDB=off\n"
    assert put(more, {"GOFLAGS": b"-mod=mod", "GOBIN": b"/b"}, known) == (more, known, ())
    assert put(more, {}, known)[0] == MESSY + b"\nGOSUMDB=off\n"


def test_a_file_that_was_not_there_is_not_there_again() -> None:
    after, known, _ = put(None, {"GOBIN": b"/b"}, Ledger())
    assert after == b"GOBIN=/b\n"
    assert put(after, {}, ledger(known.text())) == (None, Ledger(), ())
    assert put(None, {"GOBIN": None}, Ledger()) == (None, Ledger(), ())
    assert put(None, {"GOBIN": b"/b"}, known)[0] == after  # somebody removed it: drift


def test_a_ledger_that_is_none_is_empty() -> None:
    for text in ("", "x", "e30=", "W10=", "bnVsbA=="):
        assert ledger(text) == Ledger()


LINES = st.lists(
    st.one_of(
        st.sampled_from([b"GOFLAGS=-v", b"GOBIN=/x", b"GOPROXY=off", b"# c", b"", b"caf\xe9", b"\r",
                         b"GOFLAGS=-x\r", b"GOFLAGS"]),
        st.binary(max_size=6).map(lambda b: b.replace(b"\n", b"")),
    ),
    max_size=8,
)  # fmt: skip
WANTED = st.dictionaries(
    st.sampled_from(["GOFLAGS", "GOBIN", "GOPROXY", "GOSUMDB"]),
    st.one_of(st.none(), st.sampled_from([b"-mod=mod", b"/y", b"off"])),
)


@given(LINES, st.booleans(), WANTED, WANTED)
def test_any_file_is_as_before_afterwards(
    lines: list[bytes], ended: bool, first: dict[str, bytes | None], second: dict[str, bytes | None]
) -> None:
    before = b"\n".join(lines) + b"\n" * ended

    def read(content: bytes | None) -> dict[str, bytes]:
        assert content is not None
        return values(content)

    after, known, _ = put(before, first, Ledger())
    assert all(read(after).get(name) == value for name, value in first.items())
    others = {k: v for k, v in read(before).items() if k not in first}
    assert {k: v for k, v in read(after).items() if k not in first} == others
    again, known_again, _ = put(after, first, ledger(known.text()))
    assert (again, known_again) == (after, known)
    changed, known, _ = put(after, second, known)
    assert all(read(changed).get(name) == value for name, value in second.items())
    assert put(changed, {}, known)[0] == before
