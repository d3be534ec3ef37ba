"""Where toolchains come from: archives, toolchain modules, and the controller's cache.

`obtain()` promises a canonical tar whose tree has the pinned h1 hash, or raises `SourceError`
which names every source tried and why it failed. Nothing unverified is ever kept.

Importing this package is cheap: whatever fetches, unpacks or speaks TLS is loaded by the first
`obtain()` that needs it.
"""

from gostead.sources.canonical import CanonicalTar
from gostead.sources.credentials import archive_authorization
from gostead.sources.errors import SourceError
from gostead.sources.goproxy import ProxyEntry, goproxy_list
from gostead.sources.obtain import Progress, obtain
from gostead.sources.request import Request, archive_url_for, module_url

__all__ = [
    "CanonicalTar",
    "Progress",
    "ProxyEntry",
    "Request",
    "SourceError",
    "archive_authorization",
    "archive_url_for",
    "goproxy_list",
    "module_url",
    "obtain",
]
