"""What the headers of a reply say about its body."""

import re

from urllib3 import HTTPResponse

from gostead.sources.errors import Refused

_CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-\d{1,15}/(\d{1,15})", re.ASCII)


def check_kind(reply: HTTPResponse, shown: str) -> None:
    """Refused when the server says that it sends a web page."""
    kind = reply.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind in ("text/html", "application/xhtml+xml"):
        raise Refused(
            f"{shown}: got an HTML page, not an archive; a login page, a proxy's notice, "
            "or a wrong base URL"
        )


def total_size(reply: HTTPResponse) -> int | None:
    """Content-Length of a whole reply, None without."""
    text = reply.headers.get("Content-Length", "")
    return int(text) if text.isdecimal() and len(text) < 16 else None


def begins_at(reply: HTTPResponse) -> tuple[int, int] | None:
    """First byte and total size that a 206 reply announces, None when it makes no sense."""
    found = _CONTENT_RANGE.fullmatch(reply.headers.get("Content-Range", ""))
    return (int(found[1]), int(found[2])) if found else None


def validator(reply: HTTPResponse) -> str | None:
    """What tells this version of the file from another, for If-Range (RFC 9110, 13.1.5).

    A weak entity tag may not be used there; without any validator a transfer cannot be resumed.
    """
    if "bytes" not in reply.headers.get("Accept-Ranges", "bytes").lower():
        return None
    tag: str | None = reply.headers.get("ETag")
    if tag and tag.startswith('"'):
        return tag
    modified: str | None = reply.headers.get("Last-Modified")
    return modified
