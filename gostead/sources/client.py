"""One HTTP request with verified TLS, the declared proxy and CA bundle, and bounded waits."""

import socket
import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from gostead.sources.credentials import basic, is_loopback, userinfo, without_userinfo
from gostead.sources.dial import Watchdog, dial
from gostead.sources.errors import SourceError
from gostead.sources.limits import Limits
from gostead.sources.redact import redact_url

USER_AGENT = "gostead"


class Client:
    """Sends GET requests; follows no redirect and repeats nothing by itself.

    `proxy` and `ca_bundle` are the declared ones; without a declared proxy, HTTPS_PROXY,
    HTTP_PROXY and NO_PROXY of the environment hold (on a Mac its network settings after them).
    Loopback hosts are never asked through a proxy. Certificates are always verified, against the
    system's authorities and the bundle.
    """

    def __init__(self, proxy: str | None, ca_bundle: str | None, limits: Limits) -> None:
        self._proxy = proxy
        self._ca_bundle = ca_bundle
        self._limits = limits
        self._context: ssl.SSLContext | None = None

    def get(self, url: str, headers: Mapping[str, str], watch: Watchdog) -> urllib3.HTTPResponse:
        """The reply, its body unread. Raises Unreachable, or what urllib3 raises."""
        pool = self._pool(url, watch)
        reply = pool.urlopen(
            "GET",
            without_userinfo(url),
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers},
            redirect=False,
            retries=False,
            preload_content=False,
            decode_content=False,
            timeout=urllib3.Timeout(connect=self._limits.stall, read=self._limits.stall),
        )
        assert isinstance(reply, urllib3.HTTPResponse)  # noqa: S101
        return reply

    def _pool(self, url: str, watch: Watchdog) -> urllib3.PoolManager:
        """A pool of its own for each request, whose connections `watch` looks after."""
        proxy = self.proxy_for(url)
        secure = url.startswith("https:") or (proxy or "").startswith("https:")
        context = self.context() if secure else None
        pool: urllib3.PoolManager
        if proxy is None:
            pool = urllib3.PoolManager(ssl_context=context)
        else:
            user = userinfo(proxy)
            pool = urllib3.ProxyManager(
                without_userinfo(proxy),
                proxy_headers={"Proxy-Authorization": basic(user)} if user else None,
                ssl_context=context,
                proxy_ssl_context=context,
            )
        pool.pool_classes_by_scheme = _pool_classes(self._limits, watch)
        return pool

    def proxy_for(self, url: str) -> str | None:
        """URL of the proxy through which `url` is asked, or None."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        if is_loopback(host):
            return None
        found = self._proxy
        if found is None:
            proxies = getproxies()
            found = proxies.get(parts.scheme) or proxies.get("all")
            if not found or proxy_bypass(parts.netloc.rpartition("@")[2]):
                return None
        if "://" not in found:
            found = "http://" + found
        if not found.startswith(("http://", "https://")):
            raise SourceError(
                f"the proxy {redact_url(found)} is neither http nor https; "
                "correct network.proxy or the proxy variables"
            )
        return found

    def context(self) -> ssl.SSLContext:
        """TLS settings: the library's defaults, verification on, the bundle added."""
        if self._context is None:
            context = ssl.create_default_context()
            if self._ca_bundle is not None:
                try:
                    context.load_verify_locations(cafile=str(Path(self._ca_bundle).expanduser()))
                except (OSError, ssl.SSLError) as error:
                    raise SourceError(
                        f"network.ca_bundle {self._ca_bundle} cannot be used ({error}); "
                        "it has to be a readable file of PEM certificates"
                    ) from error
            self._context = context
        return self._context


def _pool_classes(limits: Limits, watch: Watchdog) -> dict[str, type[urllib3.HTTPConnectionPool]]:
    """Connection pools whose connections are dialled within the limits and watched."""

    def connect(connection: HTTPConnection) -> socket.socket:
        made = dial(connection._dns_host, connection.port, limits.connect)
        watch.expect_within(limits.stall)
        watch.watch(made)
        made.settimeout(limits.stall)
        return made

    class Plain(HTTPConnection):
        _new_conn = connect

    class Secure(HTTPSConnection):
        _new_conn = connect

    class PlainPool(urllib3.HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(urllib3.HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
