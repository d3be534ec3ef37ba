"""An HTTP or HTTPS server on the loopback that misbehaves exactly as a test asks.

with BadServer() as server:
    server.files["/a.zip"] = content            # served well, with ETag and Range
    server.script["/a.zip"] = [truncated(1000)]  # first reply misbehaves, later ones do not
    ... server.url + "/a.zip" ... server.seen ...
"""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Seen:
    """One request as it came."""

    method: str
    target: str
    headers: dict[str, str]


class Handler(BaseHTTPRequestHandler):
    """Replies by the server's script for the path, else well."""

    protocol_version = "HTTP/1.1"
    bad: BadServer

    def do_GET(self) -> None:
        """Serve a file, or misbehave."""
        server = self.bad
        headers = {key.lower(): value for key, value in self.headers.items()}
        with server.lock:
            server.seen.append(Seen("GET", self.path, headers))
            steps = server.script.get(self.path, [])
            step = steps.pop(0) if steps else serve_well
        try:
            step(self, server.files.get(self.path.partition("?")[0]))
        except OSError:  # the client went away, which is often the point
            self.close_connection = True

    def reply(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        """Send a status, headers and a body; nothing is computed."""
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Be quiet."""


Step = Callable[[Handler, bytes | None], None]


class BadServer:
    """The server, for the time of a `with` block. `tls` makes it HTTPS."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.files: dict[str, bytes] = {}
        self.script: dict[str, list[Step]] = {}
        self.seen: list[Seen] = []
        self.lock = threading.Lock()
        self.ending = threading.Event()
        handler = type("BoundHandler", (Handler,), {"bad": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        # No traceback when a handshake fails, which is often the point.
        self._server.handle_error = _say_nothing  # type: ignore[method-assign, assignment]
        self._scheme = "http"
        if tls is not None:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
            self._scheme = "https"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Base URL without a trailing slash."""
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def __enter__(self) -> BadServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


def _say_nothing(request: object, address: object) -> None:
    """In the place of a handler that prints a traceback."""


def tag(body: bytes) -> str:
    """The strong entity tag that the server gives to a body."""
    return f'"{hashlib.sha256(body).hexdigest()[:16]}"'


def serve_well(handler: Handler, body: bytes | None) -> None:
    """A good server: 404, or the file with ETag, Range and If-Range."""
    if body is None:
        handler.reply(404, {"Content-Length": "0"})
        return
    headers = {"ETag": tag(body), "Accept-Ranges": "bytes", "Content-Type": "application/zip"}
    wanted = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
    if wanted and handler.headers.get("If-Range", tag(body)) == tag(body):
        start = int(wanted[1])
        part = body[start:]
        where = f"bytes {start}-{len(body) - 1}/{len(body)}"
        headers |= {"Content-Length": str(len(part)), "Content-Range": where}
        handler.reply(206, headers, part)
        return
    handler.reply(200, headers | {"Content-Length": str(len(body))}, body)


def truncated(after: int, *, tagged: bool = True) -> Step:
    """Announces the whole file, sends `after` bytes of what was asked for, and closes."""

    def step(handler: Handler, body: bytes | None) -> None:
        assert body is not None
        headers = {"Content-Length": str(len(body))}
        if tagged:
            headers["ETag"] = tag(body)
        handler.reply(200, headers, body[:after])
        handler.close_connection = True

    return step


def reset(after: int) -> Step:
    """Like `truncated`, with a TCP reset instead of an end."""

    def step(handler: Handler, body: bytes | None) -> None:
        truncated(after)(handler, body)
        handler.wfile.flush()
        linger = struct.pack("ii", 1, 0)
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        handler.connection.close()

    return step


def stalled(after: int, *, head: bool = True) -> Step:
    """Sends `after` bytes (without `head`: not even the status), then nothing, for ever."""

    def step(handler: Handler, body: bytes | None) -> None:
        assert body is not None
        if head:
            handler.reply(200, {"Content-Length": str(len(body))}, body[:after])
            handler.wfile.flush()
        handler.bad.ending.wait(60)
        handler.close_connection = True

    return step


def dribbling(every: float) -> Step:
    """Sends one byte now and then: each read succeeds, the file never comes."""

    def step(handler: Handler, body: bytes | None) -> None:
        assert body is not None
        handler.reply(200, {"Content-Length": str(len(body))})
        for at in range(len(body)):
            if handler.bad.ending.wait(every):
                return
            handler.wfile.write(body[at : at + 1])
            handler.wfile.flush()

    return step


def status(code: int, **headers: str) -> Step:
    """Nothing but a status; header names with _ for -."""

    def step(handler: Handler, _: bytes | None) -> None:
        fields = {key.replace("_", "-"): value for key, value in headers.items()}
        handler.reply(code, {"Content-Length": "0", **fields})

    return step


def redirect(to: str) -> Step:
    """A 302."""
    return status(302, Location=to)


def page(handler: Handler, _: bytes | None) -> None:
    """A login page with status 200."""
    body = b"<!DOCTYPE html><html><title>Sign in</title></html>"
    headers = {"Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(body))}
    handler.reply(200, headers, body)


def endless(first: bytes) -> Step:
    """A body without an announced length that never ends."""

    def step(handler: Handler, _: bytes | None) -> None:
        handler.reply(200, {"Connection": "close"}, first)
        handler.close_connection = True
        while not handler.bad.ending.is_set():
            handler.wfile.write(bytes(1 << 20))

    return step


@dataclass(frozen=True)
class Authority:
    """A certificate authority of the test's own, its files in `directory`."""

    directory: Path
    key: ec.EllipticCurvePrivateKey = field(repr=False)
    certificate: x509.Certificate

    @classmethod
    def make(cls, directory: Path) -> Authority:
        """A new one."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        certificate = (
            _draft(name, name, key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        made = cls(directory, key, certificate)
        made.bundle.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return made

    @property
    def bundle(self) -> Path:
        """The authority's certificate, as a PEM file."""
        return self.directory / "authority.pem"

    def server(self, host: str = "127.0.0.1", *, days: int = 1) -> ssl.SSLContext:
        """Server settings with a certificate for `host`; a negative `days` makes it expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test server")])
        try:
            name: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            name = x509.DNSName(host)
        certificate = (
            _draft(subject, self.certificate.subject, key.public_key(), days)
            .add_extension(x509.SubjectAlternativeName([name]), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        path = self.directory / f"server-{certificate.serial_number:x}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def _draft(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int = 1
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=10))
        .not_valid_after(now + datetime.timedelta(days=days))
    )
