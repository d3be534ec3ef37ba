"""Code signatures of Mach-O: who signed what, and whether the bytes are still those.

Sources: Security's cs_blobs.h and CodeDirectory, xnu's ubc_subr.c; Go's cmd/internal/codesign.
The certificate's chain is not checked: that takes Apple's roots and a clock, and a Mac does it.
"""

from __future__ import annotations

import hashlib
import re
import struct

from gostead.artifact.model import Signature

_SUPERBLOB, _DIRECTORY, _CMS = 0xFADE0CC0, 0xFADE0C02, 0xFADE0B01
_CMS_SLOT, _ALTERNATES = 0x10000, range(0x1000, 0x1005)
_AD_HOC, _HARDENED, _BY_LINKER = 0x2, 0x10000, 0x20000
_HASHES = {1: ("sha1", 20), 2: ("sha256", 32), 3: ("sha256", 20), 4: ("sha384", 48)}
#: Special slots whose content stands in the signature itself; 7 is 5 as DER.
_HELD = {2: "requirements", 5: "entitlements", 7: "entitlements"}
_AUTHORITY = re.compile(
    rb"(?:Developer ID Application|Apple Distribution|Apple Development|Mac Developer|"
    rb"3rd Party Mac Developer Application): [^\0-\x1f]{1,100}?\([A-Z0-9]{10}\)|Software Signing"
)


class _Wrong(Exception):
    """The signature cannot be read further."""


def read(image: memoryview, offset: int, size: int) -> Signature:
    """The signature at `offset` of an image; what does not hold is in `broken`."""
    found = Signature()
    try:
        _read(image, bytes(image[offset : offset + size]), offset, found)
    except (_Wrong, struct.error) as error:
        found.broken.append(f"its code signature cannot be read: {error}")
    return found


def _read(image: memoryview, blob: bytes, offset: int, found: Signature) -> None:
    magic, length, count = struct.unpack_from(">III", blob)
    if magic != _SUPERBLOB or length > len(blob) or 12 + 8 * count > length:
        raise _Wrong("no list of blobs where one should be")
    slots: dict[int, bytes] = {}
    for index in range(count):
        slot, at = struct.unpack_from(">II", blob, 12 + 8 * index)
        _, extent = struct.unpack_from(">II", blob, at)
        if at + extent > length or extent < 8:
            raise _Wrong(f"blob {slot:#x} does not fit")
        slots.setdefault(slot, blob[at : at + extent])
    if 0 not in slots:
        raise _Wrong("no code directory")
    cms = slots.get(_CMS_SLOT, b"")[8:]
    for slot, directory in slots.items():
        if slot == 0 or slot in _ALTERNATES:
            _directory(image, directory, offset, slots, found, main=slot == 0)
    if found.ad_hoc:
        return
    if not cms:
        found.broken.append("its code signature is neither ad-hoc nor made with anybody's key")
        return
    match = _AUTHORITY.search(cms)
    found.authority = (
        match[0].decode("utf-8", "replace") if match else "a certificate of another kind"
    )
    # The signed attributes hold the digest of the code directory.
    digests = (hashlib.new(name, slots[0]).digest() for name in ("sha256", "sha1", "sha384"))
    if not any(digest in cms for digest in digests):
        found.broken.append("its code directory is not the one that was signed")


def _directory(
    image: memoryview, raw: bytes, offset: int, slots: dict[int, bytes], found: Signature,
    *, main: bool,
) -> None:  # fmt: skip
    magic, _, version, flags, hashes, ident, special, count, limit = struct.unpack_from(">9I", raw)
    width, kind, _, page = struct.unpack_from(">4B", raw, 36)
    if magic != _DIRECTORY or kind not in _HASHES or width != _HASHES[kind][1] or page > 24:
        raise _Wrong("a code directory of an unknown form")
    if version >= 0x20300:
        limit = struct.unpack_from(">Q", raw, 56)[0] or limit
    if main:
        found.identifier = _text(raw, ident)
        if version >= 0x20200 and (team := struct.unpack_from(">I", raw, 48)[0]):
            found.team = _text(raw, team)
        found.ad_hoc, found.hardened = bool(flags & _AD_HOC), bool(flags & _HARDENED)
        found.by_linker, found.pages = bool(flags & _BY_LINKER), count
    step = 1 << page if page else max(limit, 1)
    if limit > len(image) or count != -(-limit // step):
        raise _Wrong(f"it is for {limit} bytes in {count} pages, which are not there")
    if limit < offset:
        found.broken.append(f"its code signature ends at byte {limit}, the code at {offset}")
    if hashes + count * width > len(raw) or hashes < special * width:
        raise _Wrong("its hashes do not fit")
    name = _HASHES[kind][0]
    bad = [
        index * step for index in range(count)
        if hashlib.new(name, image[index * step : min((index + 1) * step, limit)]).digest()[:width]
        != raw[hashes + index * width : hashes + (index + 1) * width]
    ]  # fmt: skip
    if bad:
        found.broken.append(
            f"{len(bad)} of {count} pages are not what was signed, the first at byte {bad[0]}"
        )
    for slot, what in _HELD.items():
        if slot > special:
            continue
        wanted = raw[hashes - slot * width : hashes - (slot - 1) * width]
        held = hashlib.new(name, slots[slot]).digest()[:width] if slot in slots else bytes(width)
        if wanted != held:
            found.broken.append(f"its {what} are not those that were signed")


def _text(raw: bytes, at: int) -> str:
    return raw[at : at + 500].partition(b"\0")[0].decode("utf-8", "replace")
