"""The format in which a host answers the probe, and nothing that a host says taken on trust.

A lost line, a byte that is no UTF-8 or an endless answer must read as "cannot read", never as
"absent": the answer is hexadecimal between markers that hold this run's nonce, ends with its own
length and a last record, and is bounded in size.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_BYTES = 8 * 1024 * 1024


class CannotRead(Exception):
    """The state of a host could not be read: not "absent", a state of its own."""


class Unfinished(CannotRead):
    """The probe stopped on its way: what it looked at went while it looked, or cannot be read."""


def decode(output: bytes, nonce: str) -> bytes:
    """What the host put into its armour. Raises CannotRead."""
    if len(output) >= MAX_BYTES:
        raise CannotRead(f"the answer is larger than {MAX_BYTES} bytes: the state is not believed")
    tag = re.escape(nonce.encode())
    found = re.search(
        rb"gostead %s begin\r?\n([0-9a-f]*)\r?\ngostead %s end (\d{1,9})(?:\r?\n|$)" % (tag, tag),
        output,
    )
    if not found:
        raise CannotRead("the answer has no beginning and end of ours: the probe was cut or failed")
    body, length = found[1], int(found[2])
    if len(body) != length or length % 2:
        raise CannotRead(f"the answer is {len(body)} characters long, {length} were sent")
    return bytes.fromhex(body.decode("ascii"))


def records(body: bytes) -> Iterator[tuple[str, tuple[bytes, ...]]]:
    """The records of an armoured answer: a name and its fields. Raises CannotRead where the last
    record is not `end`."""
    position, ended = 0, False

    def field() -> bytes:
        nonlocal position
        stop = body.find(b"\0", position)
        if stop < 0:
            raise CannotRead("the answer stops in the middle of a record")
        value = body[position:stop]
        position = stop + 1
        return value

    while position < len(body):
        if ended:
            raise CannotRead("the answer goes on after its end")
        count = field()
        if not count.isdigit() or not 1 <= int(count) <= 64:
            raise CannotRead("the answer holds a record without a length")
        name, *fields = (field() for _ in range(int(count)))
        if name == b"content":
            if len(fields) != 2 or not fields[1].isdigit():
                raise CannotRead("the answer holds a file without a length")
            size = int(fields[1])
            if position + size > len(body):
                raise CannotRead("the answer stops in the middle of a file")
            fields.append(body[position : position + size])
            position += size
        elif name == b"contents":
            for size in map(int, fields[0].split()):
                fields.append(body[position : position + size])
                position += size
            if position > len(body):
                raise Unfinished("the answer stops in the middle of a file")
        ended = name == b"end"
        yield name.decode("ascii", "replace"), tuple(fields)
    if not ended:
        raise Unfinished("the answer has no last record: the probe was cut or failed")
