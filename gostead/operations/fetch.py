"""Brings toolchains to hosts: who fetches, host or controller, and with which settings."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

from gostead import sources
from gostead.declaration import GoSetup, Pin, pin_for
from gostead.facts.host_state import HostState
from gostead.operations.change import Change, Toolchain
from gostead.operations.execute import ChangeFailed, run_script
from gostead.operations.guard import why_not_by_host
from gostead.sources.credentials import archive_authorization

if TYPE_CHECKING:
    from pyinfra.api.host import Host

# One at a time in this process: the second host finds the first one's download in the cache.
_one_at_a_time = threading.Lock()
# Told how far a download is; set by whoever shows it.
progress: sources.Progress | None = None


def install(
    host: Host, change: Change, wanted: Toolchain, declared: GoSetup, state: HostState
) -> str:
    """Brings a toolchain to the host, by whoever is to fetch it; says where it came from.

    Raises ChangeFailed, ChangedSincePlanned, transport.TransportError.
    """
    pin = pin_for(declared, wanted.version, wanted.platform)
    asked = request(declared, wanted, pin)
    try:
        if by_host(host, declared, state, pin):
            origin = f"archive {sources.archive_url_for(asked)}, fetched by the host"
            try:
                run_script(host, change, archive_values(asked) | {"origin": origin}, None)
                return origin
            except ChangeFailed:
                if declared.toolchains.fetch == "host":
                    raise  # the controller was not asked to
        tar = obtain(asked)
        path = tar.compressed() if is_remote(host) else tar.path
    except sources.SourceError as error:
        raise ChangeFailed(str(error)) from None
    with closing(path.open("rb")) as file:
        values = {"archive": "", "origin": tar.origin, "compressed": is_remote(host)}
        run_script(host, change, values, file)
    return tar.origin


def is_remote(host: Host) -> bool:
    """Whether bytes to `host` cross a network."""
    return host.connector_cls.__name__ != "LocalConnector"


def by_host(host: Host, declared: GoSetup, state: HostState, pin: Pin) -> bool:
    """Whether the host fetches the archive itself. `auto`: where it can, and the bytes would cross
    a network twice."""
    if declared.toolchains.fetch == "auto":
        able = not why_not_by_host(declared, state, pin)
        return able and is_remote(host) and not declared.network.ca_bundle
    return declared.toolchains.fetch == "host"


def request(declared: GoSetup, wanted: Toolchain, pin: Pin) -> sources.Request:
    """What the controller is asked to bring."""
    toolchains, network = declared.toolchains, declared.network
    return sources.Request(
        version=wanted.version,
        platform=wanted.platform,
        h1=pin.h1,
        sha256=pin.sha256,
        sources=toolchains.sources,
        archive_url=toolchains.archive_url,
        goproxy=toolchains.goproxy,
        proxy=_secret(network.proxy),
        ca_bundle=network.ca_bundle,
        auth=_secret(network.auth),
    )


def obtain(wanted: sources.Request) -> sources.CanonicalTar:
    """The verified toolchain. Raises sources.SourceError."""
    with _one_at_a_time:
        return sources.obtain(wanted, progress=progress)


def archive_values(wanted: sources.Request) -> dict[str, Any]:
    """What the host's own fetching script needs. The secret goes by standard input, as all of the
    script does."""
    url = sources.archive_url_for(wanted)
    return {
        "archive": url,
        "https": url.startswith("https:"),
        "sha256": wanted.sha256,
        "authorization": _authorization(wanted) if url.startswith("https:") else "",
        "proxy": wanted.proxy or "",
        "ca_bundle": wanted.ca_bundle or "",
    }


def _authorization(wanted: sources.Request) -> str:
    """The header's value, as curl's configuration quotes it; empty where nothing is to be sent."""
    header = archive_authorization(wanted) or ""
    return header.replace("\\", "\\\\").replace('"', '\\"')


def _secret(value: Any) -> str | None:
    revealed = value.get_secret_value() if hasattr(value, "get_secret_value") else value
    return None if revealed is None else str(revealed)
