"""Which Go toolchains a host has, and where they may come from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from gostead.declaration.grammar import text_check, without_duplicates
from gostead.declaration.pins import DeclaredPin
from gostead.declaration.urls import check_archive_url, check_goproxy
from gostead.declaration.versions import Platform, Version

DEFAULT_ARCHIVE_URL = "https://go.dev/dl"


class Toolchains(BaseModel):
    """The toolchains of a host: the default one, those beside it, and their sources."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    default: Version = Field(
        "1.27.3", description="The release that `go` runs.", examples=["1.27.3"]
    )
    versions: Annotated[tuple[Version, ...], AfterValidator(without_duplicates)] = Field(
        (), description="More releases installed beside the default one.", examples=[["1.26.8"]]
    )
    keep: int = Field(
        1,
        strict=True,
        ge=0,
        le=100,
        description="How many releases that gostead installed and that are no longer declared stay "
        "for rollback. The active one always stays.",
        examples=[2],
    )
    sources: Annotated[
        tuple[Literal["archive", "module"], ...], AfterValidator(without_duplicates)
    ] = Field(
        ("archive", "module"),
        min_length=1,
        description="Where toolchains may come from, in the order tried: `archive` is the binary "
        "archive below archive_url, `module` the toolchain module from a GOPROXY. Whatever the "
        "source, the tree is verified against the same hash on the host.",
        examples=[["module"]],
    )
    archive_url: Annotated[
        str, BeforeValidator(text_check(check_archive_url, "a URL in quotes"))
    ] = Field(
        DEFAULT_ARCHIVE_URL,
        description="The base URL of the archives: https, http or file. Plain http is accepted "
        "because every byte is verified, but not together with network.auth.",
        examples=["https://mirror.example.com/go"],
    )
    goproxy: Annotated[str, BeforeValidator(text_check(check_goproxy, "a GOPROXY list"))] | None = (
        Field(
            None,
            description="The GOPROXY list for toolchain modules (commas, pipes, direct, off). "
            "null: the controller's own GOPROXY.",
            examples=["https://goproxy.example.com,direct"],
        )
    )
    fetch: Literal["auto", "host", "controller"] = Field(
        "auto",
        description="Who downloads. `host` needs an archive with a sha256 pin; `auto` lets the "
        "host do it where that is possible.",
        examples=["controller"],
    )
    links: Literal["auto", "force", "off"] = Field(
        "auto",
        description="go and gofmt in /usr/local/bin (system scope): `auto` leaves a foreign entry "
        "alone and reports it, `force` takes foreign links over and remembers them, `off` makes "
        "none.",
        examples=["force"],
    )
    pins: dict[Version, dict[Platform, DeclaredPin]] = Field(
        {},
        description="Hashes by release and platform, over the shipped ones.",
        examples=[
            {"1.27.3": {"linux-amd64": {"h1": "h1:r0ub+FnqzZxoWm/dSUOI9DcIqYWn/mNYGFJcv7PyBzs="}}}
        ],
    )

    @property
    def all_versions(self) -> tuple[str, ...]:
        """Every declared release once, the default one first."""
        return tuple(dict.fromkeys((self.default, *self.versions)))
