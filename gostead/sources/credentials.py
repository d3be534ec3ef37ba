"""Which credentials go with which URL; where they must not go is Download's to see to."""

import ipaddress
from base64 import b64encode
from urllib.parse import unquote, urlsplit

from gostead.sources.errors import SourceError
from gostead.sources.goproxy import ProxyEntry
from gostead.sources.request import DEFAULT_ARCHIVE_URL, Request


def archive_authorization(request: Request) -> str | None:
    """Authorization header for the archive, or None: for a declared mirror, never for go.dev.

    Raises SourceError for a secret that no header can hold.
    """
    given = userinfo(request.archive_url)
    if given is not None:
        return basic(given)
    public = urlsplit(DEFAULT_ARCHIVE_URL).hostname
    return None if urlsplit(request.archive_url).hostname == public else secret(request.auth)


def proxy_authorization(request: Request, entry: ProxyEntry) -> str | None:
    """Authorization header for a GOPROXY: of the first declared one only.

    What follows it in a list is usually a public one, which has no business with the secret.
    """
    given = userinfo(entry.base)
    if given is not None:
        return basic(given)
    return secret(request.auth) if entry.declared and entry.first else None


def secret(auth: str | None) -> str | None:
    """The header for a declared `network.auth`: "user:password" is Basic, the rest Bearer."""
    if not auth:
        return None
    if not (auth.isascii() and auth.isprintable()):
        raise SourceError(
            "network.auth holds a line break or another character that no header may hold; "
            "it is a token, or user:password"
        )
    return basic(auth) if ":" in auth else f"Bearer {auth}"


def basic(user_and_password: str) -> str:
    """Value of an Authorization header for "user:password"."""
    return "Basic " + b64encode(user_and_password.encode()).decode()


def userinfo(url: str) -> str | None:
    """The "user:password" that a URL carries, decoded; None without."""
    parts = urlsplit(url)
    if parts.username is None:
        return None
    return f"{unquote(parts.username)}:{unquote(parts.password or '')}"


def without_userinfo(url: str) -> str:
    """The URL as it is sent: without "user:password@"."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def is_loopback(host: str) -> bool:
    """True for this machine itself, as a name or an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"
