"""One toolchain, from wherever it can be had, as a verified canonical tar."""

import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gostead.sources.canonical import CanonicalTar
from gostead.sources.errors import CacheError, NotThere, Refused, SourceError, Unreachable
from gostead.sources.goproxy import ProxyEntry, goproxy_list
from gostead.sources.limits import DEFAULT, Limits
from gostead.sources.request import Request, archive_url_for, module_url

if TYPE_CHECKING:
    from gostead.sources.build import Build

Progress = Callable[[str, int, int | None], None]
"""Called with what is done, how many bytes are, and how many there will be (None: unknown)."""


def obtain(
    request: Request,
    *,
    cache: Path | None = None,
    progress: Progress | None = None,
    limits: Limits = DEFAULT,
    environ: Mapping[str, str] | None = None,
) -> CanonicalTar:
    """The canonical tar of the toolchain, its tree's h1 equal to the pin.

    From the cache when it is there and intact; else from the declared sources in their order,
    each tried when the one before failed. `cache` is the directory to use (default: the user's
    own cache), `environ` stands in for os.environ. Raises SourceError: every source tried and
    why it failed, or why the cache cannot be used. Nothing is kept that was not verified.
    """
    # Here, not above: a run that has nothing to fetch never pays for these imports.
    from gostead.sources.build import Build
    from gostead.sources.cache import Cache, default_cache

    environ = os.environ if environ is None else environ
    store = Cache(cache if cache is not None else default_cache(environ))
    report = progress or _say_nothing

    def waiting() -> None:
        report(f"waiting for another gostead that fetches {request.what}", 0, None)

    with store.lock(request, waiting):
        found = store.find(request)
        if found is not None:
            return found
        store.tidy()
        store.require_space()
        return _from_sources(request, Build(request, store, limits, report), environ)


def _from_sources(request: Request, build: "Build", environ: Mapping[str, str]) -> CanonicalTar:
    failures: list[SourceError] = []
    for attempt in _attempts(request, build, environ, failures):
        try:
            return attempt()
        except CacheError:
            raise  # no other source makes this disk any better
        except SourceError as error:
            failures.append(error)
    lines = "\n".join(f"  {_line(error)}" for error in failures)
    raise SourceError(
        f"{request.what} could not be obtained; tried:\n{lines}\n"
        "check network.proxy and network.ca_bundle, or declare a mirror as toolchains.archive_url "
        "or toolchains.goproxy"
    )


def _say_nothing(_what: str, _done: int, _total: int | None) -> None:
    """Progress for those who want none."""


def _line(error: SourceError) -> str:
    return f"REFUSED {error}" if isinstance(error, Refused) else str(error)


def _attempts(
    request: Request, build: "Build", environ: Mapping[str, str], failures: list[SourceError]
) -> Iterator[Callable[[], CanonicalTar]]:
    """What to try, in order; looks at the failure of one attempt before it offers the next."""
    for source in request.sources:
        if source == "archive":
            yield partial(_archive, request, build)
        else:
            yield from _module_attempts(request, build, environ, failures)


def _archive(request: Request, build: "Build") -> CanonicalTar:
    from gostead.sources.credentials import archive_authorization

    return build.from_archive(archive_url_for(request), archive_authorization(request))


def _module(request: Request, build: "Build", entry: ProxyEntry) -> CanonicalTar:
    from gostead.sources.credentials import proxy_authorization

    return build.from_module(
        module_url(entry.base, request), entry.base, proxy_authorization(request, entry)
    )


def _module_attempts(
    request: Request, build: "Build", environ: Mapping[str, str], failures: list[SourceError]
) -> Iterator[Callable[[], CanonicalTar]]:
    try:
        entries = goproxy_list(request.goproxy, environ)
    except SourceError as error:
        failures.append(error)
        return
    if not entries:
        failures.append(
            SourceError("module: no GOPROXY is declared, in the environment, or known to a go here")
        )
    for entry in entries:
        if entry.kind == "off":
            failures.append(SourceError("module: GOPROXY says off"))
            return
        if entry.kind == "direct":
            failures.append(
                SourceError("module: GOPROXY says direct, and no repository holds toolchains")
            )
            return
        before = len(failures)
        yield partial(_module, request, build, entry)
        # A comma: only what is not there, or a host that does not answer, leads to the next.
        # A refused file does too: what comes next is checked just the same.
        moves_on = all(isinstance(e, NotThere | Unreachable | Refused) for e in failures[before:])
        if entry.fall_through == "absent" and not moves_on:
            return
