"""Says what a failed request means: try again, try elsewhere, or refuse."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from urllib3 import exceptions as http

from gostead.sources.dial import Watchdog
from gostead.sources.errors import Refused, SourceError, TransferFailed, Unreachable
from gostead.sources.redact import printable


class Transient(Exception):
    """It may work when tried again. `pause`: the seconds that the server asked for, if it did."""

    def __init__(self, why: str, pause: float | None = None) -> None:
        super().__init__(why)
        self.pause = pause


@contextmanager
def network_errors(where: str, watch: Watchdog) -> Iterator[None]:
    """Turns whatever the network raises into Transient or a SourceError; `where` is redacted."""
    try:
        yield
    except SourceError:
        raise
    except (http.HTTPError, OSError, ValueError) as error:
        raise _meaning(where, watch, error) from error


def _meaning(where: str, watch: Watchdog, error: BaseException) -> Exception:
    chain = list(_chain(error))
    for inner in chain:
        if isinstance(inner, SourceError):
            return inner
    if watch.fired or any(isinstance(e, TimeoutError | http.TimeoutError) for e in chain):
        return Transient("stalled: the server sends nothing, or next to nothing")
    for inner in chain:
        if isinstance(inner, ssl.SSLCertVerificationError):
            return Refused(
                f"{where}: its certificate cannot be verified ({inner.verify_message}); "
                "an own authority is declared as network.ca_bundle"
            )
        if isinstance(inner, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return Transient("the connection was cut")
        if isinstance(inner, ssl.SSLError):
            return TransferFailed(f"{where}: no TLS connection ({inner.reason or inner})")
    for inner in chain:
        if isinstance(inner, http.ProxyError):
            return Unreachable(f"{where}: the proxy refuses ({printable(str(chain[-1]), 120)})")
    if any(isinstance(e, http.IncompleteRead | http.InvalidChunkLength) for e in chain):
        return Transient("the body was cut short")
    if any(isinstance(e, http.ProtocolError | OSError) for e in chain):
        return Transient(f"the connection broke ({printable(str(chain[-1]), 120)})")
    return TransferFailed(f"{where}: {printable(str(error), 200)}")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it wraps, outermost first: urllib3 nests in causes and in arguments."""
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        here = todo.pop(0)
        if here is None or id(here) in seen:
            continue
        seen.add(id(here))
        yield here
        todo += [here.__cause__, here.__context__]
        todo += [a for a in (*here.args, getattr(here, "reason", None)) if isinstance(a, Exception)]
