"""Memory and CPU budgets for builds, held by systemd slices."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from gostead.declaration.grammar import Refusal, text_check, without_duplicates
from gostead.declaration.sizes import check_size, in_bytes

_PERCENT = re.compile(r"([1-9][0-9]{0,2})%")
_UNIT = re.compile(r"[A-Za-z0-9:_.@*?\\-]+\.service")
_STANDS_ON = re.compile(r"user@|user-runtime-dir@|systemd-|dbus|sshd?[.@]|sshd-|gostead-")
_MEMORY = "a share of the host's memory (70%) or a number of bytes with its unit (6GiB)"
_QUOTA = "processor time in percent of one processor: 150% is one and a half"
_SERVICE = "the name of a service, * and ? as in a shell: actions.runner.*.service"
_NAME = "a user's name"


def check_memory(text: str) -> str:
    """A part of the host's memory, or bytes. Raises Refusal."""
    if text.endswith("%"):
        match = _PERCENT.fullmatch(text)
        if not match or int(match[1]) > 100:
            raise Refusal(_MEMORY, "a whole number from 1% to 100%")
        return text
    try:
        return check_size(text)
    except Refusal as refusal:
        raise Refusal(_MEMORY, refusal.hint) from None


def memory_bytes(text: str, total: int) -> int:
    """The bytes that `check_memory` let through, on a host with `total` bytes."""
    return total * int(text[:-1]) // 100 if text.endswith("%") else in_bytes(text)


def _swap(value: object) -> object:
    return "0" if value == 0 and not isinstance(value, bool) else value


def check_swap(text: str) -> str:
    """The same, or none at all. Raises Refusal."""
    if text == "0":
        return text
    try:
        return check_memory(text)
    except Refusal as refusal:
        raise Refusal(f"0, or {_MEMORY}", refusal.hint) from None


def check_quota(text: str) -> str:
    """Processor time as systemd has it. Raises Refusal."""
    match = re.fullmatch(r"([1-9][0-9]{0,5})%", text)
    if not match:
        raise Refusal(_QUOTA, "a whole number and % right behind it")
    return text


def check_unit(text: str) -> str:
    """A service's name, or a pattern of them. Raises Refusal."""
    if not _UNIT.fullmatch(text) or text.startswith(("-", ".")):
        raise Refusal(_SERVICE, "it ends in .service")
    if not re.search(r"[A-Za-z0-9]", text.removesuffix(".service")):
        raise Refusal(_SERVICE, "that would be every service of the host")
    if stands_on(text):
        raise Refusal(_SERVICE, "a service that the host itself stands on stays where it is")
    return text


def stands_on(unit: str) -> bool:
    """Whether that is a service that the host itself stands on: it is not moved. Which services a
    pattern matches shows on the host."""
    return bool(_STANDS_ON.match(unit))


def check_name(text: str) -> str:
    """A user by name: `self` and `humans` are other users on other days. Raises Refusal."""
    if text in ("self", "humans"):
        raise Refusal(_NAME, "each by name: a budget is for somebody")
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9._-]{0,31}", text):
        raise Refusal(_NAME, "letters, digits, . _ and -, a letter or _ first, at most 32")
    return text


def _text(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern})


_SHARE = r"([1-9][0-9]{0,2}%|[1-9][0-9]{0,9}(KiB|MiB|GiB|TiB))"
Memory = Annotated[str, BeforeValidator(text_check(check_memory, _MEMORY)), _text(f"^{_SHARE}$")]
Swap = Annotated[
    str, BeforeValidator(text_check(check_swap, f"0, or {_MEMORY}")), BeforeValidator(_swap),
    WithJsonSchema({"anyOf": [{"const": 0}, {"type": "string", "pattern": f"^(0|{_SHARE})$"}]}),
]  # fmt: skip
Quota = Annotated[
    str, BeforeValidator(text_check(check_quota, _QUOTA)), _text(r"^[1-9][0-9]{0,5}%$")
]
Unit = Annotated[str, BeforeValidator(text_check(check_unit, _SERVICE)), _text(_UNIT.pattern)]
Name = Annotated[str, BeforeValidator(text_check(check_name, _NAME))]
#: systemd.resource-control(5) by our key; cgroup v2's file and controller of each.
PROPERTIES = {
    "memory_high": ("MemoryHigh", "memory.high", "memory"),
    "memory_max": ("MemoryMax", "memory.max", "memory"),
    "memory_swap_max": ("MemorySwapMax", "memory.swap.max", "memory"),
    "cpu_quota": ("CPUQuota", "cpu.max", "cpu"),
    "cpu_weight": ("CPUWeight", "cpu.weight", "cpu"),
    "io_weight": ("IOWeight", "io.weight", "io"),
    "tasks_max": ("TasksMax", "pids.max", "pids"),
}


class Budget(BaseModel):
    """What all builds together may use."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    memory_high: Memory | None = Field(
        None,
        description="Above it builds are slowed down and give memory back; none is killed.",
        examples=["70%"],
    )
    memory_max: Memory | None = Field(
        None,
        description="Above it the kernel kills one of the builds' processes.",
        examples=["80%"],
    )
    memory_swap_max: Swap | None = Field(
        None, description="Swap that builds may use; 0: none.", examples=[0]
    )
    cpu_quota: Quota | None = Field(
        None,
        description="Processor time, in percent of one processor: 150% is one and a half.",
        examples=["150%"],
    )
    cpu_weight: Annotated[int, Field(ge=1, le=10000, strict=True)] | None = Field(
        None,
        description="Share of the processors while others want them too; everything else has 100.",
        examples=[50],
    )
    io_weight: Annotated[int, Field(ge=1, le=10000, strict=True)] | None = Field(
        None, description="The same for the disks (io schedulers that know weights).", examples=[50]
    )
    tasks_max: Annotated[int, Field(ge=16, le=4194304, strict=True)] | None = Field(
        None, description="Processes and threads at most.", examples=[4096]
    )

    def limits(self) -> dict[str, str | int]:
        """What is declared, by key."""
        found = {key: getattr(self, key) for key in PROPERTIES}
        return {key: value for key, value in found.items() if value is not None}


class Slices(BaseModel):
    """Budgets that the kernel holds."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    when: Literal["auto", "required"] = Field(
        "auto",
        description="`auto`: where there is no systemd, or no cgroup v2 with the controllers, the "
        "report says not applicable and why. `required`: that is an error.",
        examples=["required"],
    )
    builds: Budget | None = Field(
        None,
        description="The budget of gobuilds.slice, for all that is started by go-slice and for "
        "`units`. null: no slice.",
        examples=[{"memory_high": "70%", "memory_max": "80%", "tasks_max": 4096}],
    )
    users: Annotated[tuple[Name, ...], AfterValidator(without_duplicates)] = Field(
        (),
        description="Users whose own slice (user-UID.slice: all their sessions) has the same "
        "budget each.",
        examples=[["ci"]],
    )
    units: Annotated[tuple[Unit, ...], AfterValidator(without_duplicates)] = Field(
        (),
        description="Services that are moved into gobuilds.slice, with all that they start.",
        examples=[["actions.runner.*.service"]],
    )
    go_limits: Literal["auto"] | None = Field(
        None,
        description="`auto`: GOMAXPROCS (and with it go build's -p) and GOMEMLIMIT are worked out "
        "from the budget, and set by go-slice and in the services. null: left to Go, which sees no "
        "limit that stands on a slice.",
        examples=["auto"],
    )
