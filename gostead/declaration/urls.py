"""The URLs of a declaration: which are accepted, and how one is shown without its password."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from gostead.declaration.grammar import Refusal

# Narrower than RFC 3986: no quotes, brackets (but for IPv6), $, ; or blanks. What a mirror needs
# beyond this can be percent-encoded.
_SAFE = re.compile(r"[A-Za-z0-9._~:/@%+,=\[\]-]*")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})|%[01][0-9A-Fa-f]|%7[Ff]")
_HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")
_USERINFO = re.compile(r"(?<=//)[^/]*@")
_ARCHIVE = "a base URL: https://, http:// or file:///"
_CREDENTIALS = re.compile(r"[A-Za-z0-9._~%!$&'()*+,;=:-]+")
_PROXY = "a proxy URL, such as http://proxy.example.com:3128"
_GIT = "the URL of a git repository: https://, ssh:// or file:///"
_GOPROXY = "a GOPROXY list: URLs, direct or off, joined by , or |"


def check_archive_url(text: str) -> str:
    """A base URL without its trailing slash. Raises Refusal.

    Plain http is accepted, because every byte is verified against the pin; it never carries `auth`.
    """
    _split(text, ("https", "http", "file"), _ARCHIVE)
    return text.rstrip("/")


def check_goproxy(text: str) -> str:
    """A GOPROXY list as cmd/go understands it (go.dev/ref/mod#environment-variables)."""
    for entry in re.split(r"[,|]", text):
        if entry not in ("direct", "off"):
            if not entry or entry != entry.strip():
                raise Refusal(_GOPROXY, "no empty entries, no blanks")
            _split(entry, ("https", "http", "file"), _GOPROXY)
    return text


def check_proxy(text: str) -> str:
    """The URL of an HTTP proxy; user:password@ is allowed in this one. Raises Refusal."""
    userinfo, _, rest = text.rpartition("@")
    if userinfo:
        scheme, _, credentials = userinfo.partition("://")
        if not _CREDENTIALS.fullmatch(credentials):
            raise Refusal(_PROXY, "percent-encode the user and the password")
        rest = f"{scheme}://{rest}"
    parts = _split(rest, ("http", "https"), _PROXY)
    if parts.path not in ("", "/"):
        raise Refusal(_PROXY, "a proxy has no path")
    return text.rstrip("/")


def check_git_url(text: str) -> str:
    """A git repository's URL: ssh's may have a user's name, none has a password. Raises Refusal."""
    rest = text
    if text.startswith("ssh://"):
        name, at, behind = text.removeprefix("ssh://").partition("@")
        if at and not re.fullmatch(r"[A-Za-z0-9._-]+", name):
            raise Refusal(_GIT, "no password in it: let ssh have a key of that host's root")
        rest = f"ssh://{behind}" if at else text
    elif "@" in text.partition("://")[2].partition("/")[0]:
        raise Refusal(_GIT, "no user:password@ in it: it would stand in a unit's script and in "
                      "reports; use ssh:// with a key, or what anybody may read")  # fmt: skip
    parts = _split(rest, ("https", "ssh", "file"), _GIT)
    if not parts.path.strip("/"):
        raise Refusal(_GIT, "it has no path")
    if "/-" in parts.path or parts.netloc.startswith("-"):
        raise Refusal(_GIT, "no part of it begins with -")
    return text


def redact_url(text: str) -> str:
    """`text` with any user:password@ replaced by ***@."""
    return _USERINFO.sub("***@", text)


def is_plain_http(url: str) -> bool:
    """True where `url` would carry a secret unencrypted beyond this machine."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")


def is_loopback(hostname: str) -> bool:
    """True for localhost and the loopback addresses, literally: no name is looked up."""
    return hostname in ("localhost", "::1") or bool(
        re.fullmatch(r"127(?:\.(?:0|[1-9][0-9]{0,2})){3}", hostname)
    )


def _split(text: str, schemes: tuple[str, ...], expected: str) -> SplitResult:
    if "?" in text or "#" in text:
        raise Refusal(expected, "no ? and no #: the file's name is appended to it")
    if not _SAFE.fullmatch(text) or _BAD_ESCAPE.search(text):
        raise Refusal(expected, "percent-encode anything but letters, digits and ._~:/@%+,=-")
    try:
        parts = urlsplit(text)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        raise Refusal(expected, "look at the host and the port") from None
    if parts.scheme not in schemes or not text.startswith(parts.scheme + "://"):
        raise Refusal(expected, "begin with " + " or ".join(f"{s}://" for s in schemes))
    if "@" in parts.netloc:
        raise Refusal(expected, "no user:password@ here; put the secret in network.auth")
    if parts.scheme == "file":
        if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
            raise Refusal(expected, "a file URL has three slashes: file:///srv/go")
    elif not _HOST.fullmatch(parts.netloc.removesuffix(f":{parts.port}")) or not port_is_valid:
        raise Refusal(expected, "look at the host and the port")
    return parts
