"""URLs as they may be shown: without user, password, query and fragment."""

from urllib.parse import SplitResult, urlsplit, urlunsplit


def redact_url(url: str) -> str:
    """The URL without user information, and with a query shortened to `?…`.

    Queries are dropped because stores redirect to signed addresses: whoever has one has access.
    What is no http, https or file URL is not shown at all: nobody knows where a secret sits in it.
    """
    try:
        parts = urlsplit(url)
        netloc = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "(unreadable URL)"
    if parts.scheme not in ("http", "https", "file"):
        return "(unreadable URL)"
    text = urlunsplit(SplitResult(parts.scheme, netloc, parts.path, "", ""))
    if parts.query:
        text += "?…"
    return printable(text)


def printable(text: str, limit: int = 300) -> str:
    """Foreign text for a message: one line, no control characters, bounded length."""
    clean = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[: limit + 1])
    return clean if len(text) <= limit else clean[:limit] + "…"
