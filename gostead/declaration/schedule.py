"""When a host converges itself, to which commit of which repository, and who may sign it."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from gostead.declaration.durations import Duration, check_duration, seconds
from gostead.declaration.grammar import Refusal, text_check, without_duplicates
from gostead.declaration.urls import check_git_url

_EVERY = "how often: 5m, 10m, 15m, 20m, 30m; 1h, 2h, 3h, 4h, 6h, 8h, 12h; 1d or 7d"
_REF = "a full commit id (40 or 64 hexadecimal digits), or the name of a branch or tag"
_SIGNER = "an ssh public key in one line: ssh-ed25519 AAAA… comment"
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
# Narrower than git-check-ref-format(1): what needs no quoting anywhere.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
_KEY = re.compile(r"([a-z0-9@.-]+) ([A-Za-z0-9+/]+={0,2})(?: ([A-Za-z0-9 ._@+:=,/()-]*))?")
_KINDS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
          "ssh-rsa", "sk-ssh-ed25519@openssh.com",
          "sk-ecdsa-sha2-nistp256@openssh.com")  # fmt: skip
#: As systemd.time(7) has it: at the same minutes of each hour or day, whenever the timer began.
CALENDAR = {
    **{60 * n: f"*:0/{n}" for n in (5, 10, 15, 20, 30)},
    3600: "hourly",
    **{3600 * n: f"0/{n}:00" for n in (2, 3, 4, 6, 8, 12)},
    86400: "daily",
    7 * 86400: "weekly",
}


def check_every(text: str) -> str:
    """A duration that a calendar knows: it goes into an hour or a day evenly. Raises Refusal."""
    check_duration(text)
    if seconds(text) not in CALENDAR:
        raise Refusal(_EVERY, "an interval that goes into an hour or a day evenly")
    return text


def check_ref(text: str) -> str:
    """A full commit id, or a name of a branch or tag. Raises Refusal."""
    if _COMMIT.fullmatch(text):
        return text
    if re.fullmatch(r"[0-9A-Fa-f]{7,64}", text):
        raise Refusal(_REF, "write the commit's whole id, in small letters")
    if text.startswith("refs/") or text == "HEAD":
        raise Refusal(_REF, "the name alone, without refs/heads/ or refs/tags/")
    if not _NAME.fullmatch(text) or ".." in text or text.endswith((".", ".lock")):
        raise Refusal(_REF, "letters, digits and ._/- only")
    return text


def check_signer(text: str) -> str:
    """A public key as ssh-keygen writes it, without options. Raises Refusal."""
    match = _KEY.fullmatch(text)
    if not match or match[1] not in _KINDS:
        raise Refusal(_SIGNER, f"the content of a .pub file; one of {', '.join(_KINDS)}")
    try:
        blob = base64.b64decode(match[2], validate=True)
    except binascii.Error:
        raise Refusal(_SIGNER, "the key is not base64: was it cut?") from None
    fields = _fields(blob)
    if len(fields) < 2 or fields[0] != match[1].encode():
        raise Refusal(_SIGNER, f"the key is no whole {match[1]} key: was it cut?")
    return text


def _fields(blob: bytes) -> list[bytes]:
    """What an ssh key is made of (RFC 4253, 6.6): its kind, then numbers, each behind its length.
    None where that does not come out even."""
    found = []
    while blob:
        length = int.from_bytes(blob[:4], "big")
        if len(blob) < 4 + length:
            return []
        found.append(blob[4 : 4 + length])
        blob = blob[4 + length :]
    return found


Every = Annotated[
    str,
    BeforeValidator(text_check(check_every, _EVERY)),
    Field(json_schema_extra={"pattern": "^[1-9][0-9]{0,5}(s|m|h|d)$"}),
]
Source = Annotated[str, BeforeValidator(text_check(check_git_url, "a git URL"))]
Ref = Annotated[str, BeforeValidator(text_check(check_ref, _REF))]
Signer = Annotated[str, BeforeValidator(text_check(check_signer, _SIGNER))]


class Schedule(BaseModel):
    """How a host converges itself."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    every: Every | None = Field(
        None,
        description="How often the host converges itself: an interval that goes into an hour or "
        "a day evenly. null: no timer.",
        examples=["1h"],
    )
    jitter: Duration = Field(
        "5m",
        description="Each run begins up to this much later, at random: not all hosts at once.",
        examples=["15m"],
    )
    source: Source | None = Field(
        None,
        description="The git repository with gostead and group_data: https://, ssh:// or file://, "
        "without a password.",
        examples=["https://git.example.com/infra/go-hosts.git"],
    )
    ref: Ref | None = Field(
        None,
        description="A full commit id: exactly that one. Or a branch or tag, whose commit or tag "
        "is signed by one of `signers`; a new commit must descend from the last good one.",
        examples=["main", "0123456789abcdef0123456789abcdef01234567"],
    )
    signers: Annotated[tuple[Signer, ...], AfterValidator(without_duplicates)] = Field(
        (),
        description="The ssh public keys that may sign what `ref` leads to.",
        examples=[
            ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDY0WvraA9wEv0JY6J536YDFW6pWWQ65IXUOTbIZSnB4 ann"]
        ],
    )

    @property
    def fixed(self) -> bool:
        """Whether `ref` is a commit id."""
        return bool(self.ref and _COMMIT.fullmatch(self.ref))

    def allowed_signers(self) -> str:
        """The file that ssh-keygen(1), ALLOWED SIGNERS, reads; good for git's signatures alone."""
        lines = (f'gostead namespaces="git" {" ".join(key.split()[:2])}' for key in self.signers)
        return "".join(f"{line}\n" for line in lines)
