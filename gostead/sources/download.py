"""Downloads one file: redirects by hand, resumed where the server allows, everything bounded."""

import hashlib
import random
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

from urllib3 import HTTPResponse

from gostead.sources.client import Client
from gostead.sources.credentials import is_loopback
from gostead.sources.dial import Watchdog
from gostead.sources.errors import NotThere, Refused, TransferFailed, Unreachable
from gostead.sources.limits import Limits
from gostead.sources.netfail import Transient, network_errors
from gostead.sources.redact import printable, redact_url
from gostead.sources.reply import begins_at, check_kind, total_size, validator
from gostead.sources.spool import Fetched, Spool

PIECE = 64 << 10
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Download:
    """One URL on its way into a Spool.

    `authorization` goes to the URL's own origin only (scheme, host and port), and only over
    https or to this machine. `magic` is what the file has to begin with. `progress(done, total)`
    is called as bytes arrive; total is None where the server does not say.
    """

    def __init__(
        self,
        client: Client,
        limits: Limits,
        url: str,
        into: Spool,
        *,
        magic: bytes,
        authorization: str | None = None,
        progress: Callable[[int, int | None], None] | None = None,
    ) -> None:
        self._client = client
        self._limits = limits
        self._url = url
        self._into = into
        self._magic = magic
        self._authorization = authorization
        self._progress = progress
        self._shown = redact_url(url)
        self._restart()

    def run(self) -> Fetched:
        """Fetches the whole file.

        Raises Unreachable, NotThere, TransferFailed or Refused, each with the redacted URL; and
        OSError when the spool cannot be written.
        """
        deadline = time.monotonic() + self._limits.total
        failures = 0
        while True:
            try:
                self._attempt(deadline)
                return Fetched(self._sha.hexdigest(), self._offset)
            except (Transient, Unreachable) as error:
                failures += 1
                if isinstance(error, Unreachable) and failures == 1:
                    raise  # the next source is a better use of the time
                pause = self._pause(failures, error)
                if failures >= self._limits.attempts or time.monotonic() + pause > deadline:
                    raise TransferFailed(
                        f"{self._shown}: {error} (gave up after {failures} attempts)"
                    ) from error
                time.sleep(pause)

    def _restart(self) -> None:
        self._sha = hashlib.sha256()
        self._offset = 0
        self._total: int | None = None
        self._validator: str | None = None
        self._into.reset()

    def _attempt(self, deadline: float) -> None:
        """One request with its redirects; leaves what came in the spool."""
        url = self._url
        for _ in range(self._limits.redirects + 1):
            with Watchdog() as watch:
                with network_errors(redact_url(url), watch):
                    reply = self._client.get(url, self._headers(url), watch)
                with closing(reply):
                    if reply.status not in _REDIRECTS:
                        self._judge(reply, url)
                        self._receive(reply, watch, deadline)
                        return
                    location = reply.headers.get("Location", "")
            url = self._next_hop(url, location)
        raise Refused(f"{self._shown}: more than {self._limits.redirects} redirects")

    def _headers(self, url: str) -> dict[str, str]:
        headers = {}
        safe = url.startswith("https://") or is_loopback(urlsplit(url).hostname or "")
        if self._authorization and safe and _origin(url) == _origin(self._url):
            headers["Authorization"] = self._authorization
        if self._offset and self._validator:
            headers["Range"] = f"bytes={self._offset}-"
            headers["If-Range"] = self._validator
        return headers

    def _next_hop(self, url: str, location: str) -> str:
        try:
            target = urljoin(url, location)
            scheme = urlsplit(target).scheme
        except ValueError:
            scheme = target = ""
        if scheme not in ("http", "https") or not location:
            raise Refused(f"{redact_url(url)}: redirects to {printable(location, 80)!r}")
        if url.startswith("https://") and scheme != "https":
            raise Refused(f"{redact_url(url)}: redirects from https to {redact_url(target)}")
        return target

    def _judge(self, reply: HTTPResponse, url: str) -> None:
        """Decides by status and headers whether the body is wanted."""
        shown, status = redact_url(url), reply.status
        if status in (404, 410):
            raise NotThere(f"{shown}: not there (HTTP {status})")
        if status == 416 and self._offset:
            self._restart()
            raise Transient("the server refused to resume")
        if status in _TRANSIENT:
            raise Transient(f"HTTP {status}", _retry_after(reply))
        if status in (401, 403, 407):
            raise TransferFailed(f"{shown}: access denied (HTTP {status}); see network.auth")
        if status not in (200, 206):
            raise TransferFailed(f"{shown}: HTTP {status}")
        check_kind(reply, shown)
        if status == 206 and (not self._offset or begins_at(reply) != (self._offset, self._total)):
            self._restart()
            raise Transient("the server sent another part than asked for")
        if status == 200:
            self._restart()
            self._total = total_size(reply)
            self._validator = validator(reply)
        if (self._total or 0) > self._limits.max_bytes:
            raise Refused(f"{shown}: announces {self._total} bytes, far more than any toolchain")

    def _receive(self, reply: HTTPResponse, watch: Watchdog, deadline: float) -> None:
        while True:
            watch.expect_within(min(self._limits.stall, deadline - time.monotonic()))
            with network_errors(self._shown, watch):
                piece = reply.read(PIECE)
            if not piece:
                break
            if self._offset == 0 and not piece.startswith(self._magic):
                raise Refused(f"{self._shown}: what came is no such file (begins {piece[:16]!r})")
            self._into.append(piece)
            self._sha.update(piece)
            self._offset += len(piece)
            if self._offset > self._limits.max_bytes:
                raise Refused(f"{self._shown}: more than {self._limits.max_bytes >> 20} MiB")
            if self._progress:
                self._progress(self._offset, self._total)
        if watch.fired:
            raise Transient("stalled: the server sends nothing, or next to nothing")
        if self._offset == 0 or (self._total is not None and self._offset != self._total):
            raise Transient(f"the body was cut short at {self._offset} of {self._total} bytes")

    def _pause(self, failures: int, error: Exception) -> float:
        """Exponential, with jitter so that a fleet does not come back all at once."""
        asked = error.pause if isinstance(error, Transient) else None
        if asked is not None:
            return min(asked, self._limits.retry_after)
        factor: float = 2 ** (failures - 1) * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
        return self._limits.backoff * factor


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, parts.port or default


def _retry_after(reply: HTTPResponse) -> float | None:
    """Seconds from a Retry-After header, in either form (RFC 9110, 10.2.3)."""
    text = reply.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        return float(text[:9])
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (when.astimezone(UTC) - datetime.now(UTC)).total_seconds())
