"""An answer that is not whole is "cannot read", whatever is wrong with it."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gostead.armour import MAX_BYTES, CannotRead, decode, records

NONCE = "00ff"


def armoured(body: bytes, nonce: str = NONCE) -> bytes:
    text = body.hex().encode()
    tag = nonce.encode()
    return b"gostead %s begin\n%s\ngostead %s end %d\n" % (tag, text, tag, len(text))


def record(*fields: bytes) -> bytes:
    return b"".join(field + b"\0" for field in (str(len(fields)).encode(), *fields))


no_nul = st.binary(max_size=40).map(lambda b: b.replace(b"\0", b""))
bodies = st.lists(st.lists(no_nul, max_size=4), max_size=6).map(
    lambda rows: b"".join(record(b"row", *row) for row in rows) + record(b"end")
)


@given(rows=st.lists(st.lists(no_nul, max_size=4), max_size=6))
def test_what_was_sent_is_what_is_read(rows: list[list[bytes]]) -> None:
    body = b"".join(record(b"row", *row) for row in rows) + record(b"end")
    found = list(records(decode(b"a banner\n" + armoured(body), NONCE)))
    assert found == [*(("row", tuple(row)) for row in rows), ("end", ())]


@given(content=st.binary(max_size=200))
def test_a_file_s_bytes_survive(content: bytes) -> None:
    body = record(b"content", b"/etc/x", str(len(content)).encode()) + content + record(b"end")
    first = next(records(decode(armoured(body), NONCE)))
    assert first == ("content", (b"/etc/x", str(len(content)).encode(), content))


@given(body=bodies, data=st.data())
def test_a_cut_answer_cannot_be_read(body: bytes, data: st.DataObject) -> None:
    whole = armoured(body)
    cut = whole[: data.draw(st.integers(0, len(whole) - 2))]
    with pytest.raises(CannotRead):
        list(records(decode(cut, NONCE)))


@given(body=bodies, data=st.data())
def test_an_answer_that_lost_a_piece_cannot_be_read(body: bytes, data: st.DataObject) -> None:
    whole = armoured(body)
    start = data.draw(st.integers(0, len(whole) - 2))
    stop = data.draw(st.integers(start + 1, len(whole) - 1))
    with pytest.raises(CannotRead):
        list(records(decode(whole[:start] + whole[stop:], NONCE)))


@given(noise=st.binary(max_size=300))
def test_noise_cannot_be_read(noise: bytes) -> None:
    with pytest.raises(CannotRead):
        list(records(decode(noise, NONCE)))


@given(noise=st.binary(max_size=300))
def test_a_well_armoured_lie_is_read_or_refused_and_nothing_else(noise: bytes) -> None:
    with contextlib.suppress(CannotRead):
        list(records(decode(armoured(noise), NONCE)))


def test_an_answer_of_another_run_cannot_be_read() -> None:
    with pytest.raises(CannotRead, match="no beginning and end"):
        decode(armoured(record(b"end"), "11ee"), NONCE)


def test_a_huge_answer_cannot_be_read() -> None:
    with pytest.raises(CannotRead, match="larger than"):
        decode(b"x" * MAX_BYTES, NONCE)


def test_an_answer_without_its_last_record_cannot_be_read() -> None:
    with pytest.raises(CannotRead, match="no last record"):
        list(records(decode(armoured(record(b"system", b"Linux")), NONCE)))


def test_records_after_the_end_cannot_be_read() -> None:
    with pytest.raises(CannotRead, match="after its end"):
        list(records(decode(armoured(record(b"end") + record(b"x")), NONCE)))
