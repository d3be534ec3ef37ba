"""How downloads reach the network, for controller and hosts."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from gostead.declaration.grammar import Refusal, text_check
from gostead.declaration.urls import check_proxy, redact_url

_EXPECTED_AUTH = "a token, or user:password, of printable ASCII"
_EXPECTED_PATH = "the absolute path of a PEM file"


def check_auth(text: str) -> str:
    """A credential that fits into one HTTP header line. Raises Refusal."""
    if not re.fullmatch(r"[ -~]{1,8192}", text) or text != text.strip():
        hint = "no line breaks, no blanks at the ends, no empty value"
        raise Refusal(_EXPECTED_AUTH, hint)
    return text


def check_path(text: str) -> str:
    """An absolute path that survives any line-based protocol. Raises Refusal."""
    if not text.startswith("/") or not text.isprintable() or len(text.encode("utf-8")) > 1024:
        raise Refusal(_EXPECTED_PATH, "begin with /, at most 1024 bytes")
    return text


class Network(BaseModel):
    """Proxy, certificates and credentials. Secrets show as ********** wherever they are printed."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    proxy: (
        Annotated[SecretStr, BeforeValidator(text_check(check_proxy, "a proxy URL in quotes"))]
        | None
    ) = Field(
        None,
        description="HTTP proxy for downloads; may hold user:password@. null: the environment's.",
        examples=["http://proxy.example.com:3128"],
    )
    ca_bundle: Annotated[str, BeforeValidator(text_check(check_path, _EXPECTED_PATH))] | None = (
        Field(
            None,
            description="Certificate authorities to trust besides the system's: the absolute path "
            "of a PEM file on the machine that downloads.",
            examples=["/etc/ssl/certs/example-ca.pem"],
        )
    )
    auth: Annotated[SecretStr, BeforeValidator(text_check(check_auth, _EXPECTED_AUTH))] | None = (
        Field(
            None,
            description="Credential for the declared archive_url's or goproxy's host, never sent "
            "to another one: user:password as Basic, anything else as a Bearer token. Write "
            "`!env NAME` or `!file PATH`; both are read on the controller.",
            examples=["!env GOPROXY_TOKEN"],
        )
    )

    @property
    def shown_proxy(self) -> str | None:
        """The proxy without its user:password@, for messages."""
        return redact_url(self.proxy.get_secret_value()) if self.proxy else None
