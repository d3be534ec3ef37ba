"""From a directory of YAML files to the two setups of a host, before any connection."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from pydantic import SecretStr, ValidationError

from gostead.declaration.durations import seconds
from gostead.declaration.go_env import KNOWN, check_value
from gostead.declaration.go_setup import GoSetup
from gostead.declaration.grammar import Refusal
from gostead.declaration.layers import read_layers
from gostead.declaration.merge import BUILT_IN, merge, provenance
from gostead.declaration.nodes import Table
from gostead.declaration.problems import Collector, Problem, show
from gostead.declaration.secrets import SecretReader
from gostead.declaration.slices import memory_bytes
from gostead.declaration.translate import problems_of
from gostead.declaration.urls import is_plain_http
from gostead.declaration.values import plain_values

System = Literal["linux", "darwin"]


@dataclass(frozen=True)
class Declared:
    """What a host should be under either operating system, and where each value comes from.

    `where["linux"]["toolchains.default"]` is "group_data/all.yaml:4", or "built-in default". Values
    of secrets are in none of it.
    """

    linux: GoSetup
    darwin: GoSetup
    where: Mapping[str, Mapping[str, str]]

    def for_system(self, system: System) -> GoSetup:
        return self.linux if system == "linux" else self.darwin

    def source(self, system: System, key: str) -> str:
        """The file:line behind `key`, or behind the nearest declared key above or below it."""
        known = self.where[system]
        path = key.removeprefix("go.")
        while path:
            if path in known:
                break
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        found = known.get(path, BUILT_IN)
        if found == BUILT_IN and path:
            below = re.compile(re.escape(path) + r"[.\[]")
            return next((w for k, w in known.items() if below.match(k) and w != BUILT_IN), found)
        return found


def load(directory: Path, groups: Sequence[str], host: str) -> Declared:
    """The declaration of `host`, an inventory name, that is in `groups`, in pyinfra's order.

    Layers, the weakest first: all.yaml, the operating system's file, each group's file,
    hosts/<host>.yaml. Both systems are validated. Raises DeclarationError with everything that is
    wrong, at once; this includes secrets that cannot be read on the controller.
    """
    problems = Collector()
    layers = read_layers(directory, groups, host, list(GoSetup.model_fields), problems)
    for table in layers.each():  # a mistake that a later layer hides is a mistake all the same
        _validate(table, problems, None)
    secrets = SecretReader(problems)
    linux_table, darwin_table = merge(layers.linux), merge(layers.darwin)
    linux = _validate(linux_table, problems, secrets)
    darwin = _validate(darwin_table, problems, secrets)
    for setup, table in ((linux, linux_table), (darwin, darwin_table)):
        if setup is not None:
            _check_together(setup, provenance(table, GoSetup), problems)
    problems.raise_if_any()
    if linux is None or darwin is None:
        raise AssertionError("a setup that was refused comes with a problem")
    where = {
        "linux": MappingProxyType(provenance(linux_table, GoSetup)),
        "darwin": MappingProxyType(provenance(darwin_table, GoSetup)),
    }
    return Declared(linux, darwin, MappingProxyType(where))


def _check_declared_once(setup: GoSetup, where: Mapping[str, str], problems: Collector) -> None:
    """A setting has one source; two caches have two directories."""
    for name, (_, key) in setup.settings(0).items():
        if name in setup.env and key != f"env.{name}":
            problems.add(
                Problem(where[f"env.{name}"], f"go.env.{name}", f"declared here and as {key}",
                        "each setting once", f"{key} stands at {where[key]}; take one of them out")
            )  # fmt: skip
    cache = setup.cache
    places = [("root", cache.root), ("modules", cache.modules), ("tmp", cache.tmp)]
    for number, (name, path) in enumerate(places):
        for other, above in places[:number]:
            if (
                path
                and above
                and (f"{path}/".startswith(f"{above}/") or above.startswith(f"{path}/"))
            ):
                problems.add(
                    Problem(where[f"cache.{name}"], f"go.cache.{name}", show(path),
                            f"a directory apart from cache.{other}",
                            f"that one stands at {where[f'cache.{other}']}")
                )  # fmt: skip


def _check_schedule(setup: GoSetup, where: Mapping[str, str], problems: Collector) -> None:
    """What a timer needs beside its interval."""
    schedule = setup.schedule
    if not schedule.every:
        return

    def wrong(key: str, found: str, expected: str, hint: str) -> None:
        place = where.get(key) or where["schedule.every"]
        if place == BUILT_IN:
            place = where["schedule.every"]
        problems.add(Problem(place, f"go.{key}", found, expected, hint))

    if not schedule.source:
        wrong("schedule.source", "none", "a git URL, where `every` is declared",
              "source: https://git.example.com/infra/go-hosts.git")  # fmt: skip
    if not schedule.ref:
        wrong("schedule.ref", "none", "a commit id, branch or tag, where `every` is declared",
              "ref: main, and the keys that may sign it as signers")  # fmt: skip
    elif not schedule.fixed and not schedule.signers:
        wrong("schedule.signers", "none", "at least one ssh key, where `ref` is no commit id",
              "whoever can write to the repository could change this host as root")  # fmt: skip
    if seconds(schedule.jitter) > seconds(schedule.every):
        wrong("schedule.jitter", show(schedule.jitter), f"at most {schedule.every}, as `every`",
              "runs would overtake one another")  # fmt: skip
    if setup.scope == "user":
        wrong("scope", show("user"), "system, where a schedule is declared",
              f"it is root who converges; `every` stands at {where['schedule.every']}")  # fmt: skip


def _validate(table: Table, problems: Collector, secrets: SecretReader | None) -> GoSetup | None:
    values = plain_values(table, GoSetup, problems, secrets)
    _check_settings(values.get("env"), table, problems)
    try:
        return GoSetup.model_validate(values)
    except ValidationError as error:
        for problem in problems_of(error, table, GoSetup):
            problems.add(problem)
    return None


def _check_settings(settings: object, table: Table, problems: Collector) -> None:
    """Whether Go takes each value of `env`: what is allowed depends on the key."""
    section = table.entries["env"].node if "env" in table.entries else None
    if not isinstance(settings, dict) or not isinstance(section, Table):
        return
    for name, value in settings.items():
        secret = isinstance(value, SecretStr)
        text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        if name not in KNOWN or value is None or not isinstance(value, str | int | SecretStr):
            continue
        try:
            check_value(name, text)
        except Refusal as refusal:
            found = "a secret (not shown)" if secret else show(text)
            where = section.entries[name].where
            problems.add(Problem(where, f"go.env.{name}", found, refusal.expected, refusal.hint))


def _check_slices(setup: GoSetup, where: Mapping[str, str], problems: Collector) -> None:
    """A budget that holds, and what needs one."""
    slices, found = setup.slices, setup.slices.builds
    for key in ("users", "units", "go_limits"):
        if getattr(slices, key) and (found is None or not found.limits()):
            problems.add(
                Problem(where[f"slices.{key}"], f"go.slices.{key}", "declared without a budget",
                        "a budget in slices.builds", "declare slices.builds, memory_high at least")
            )  # fmt: skip
    if found is None:
        return
    high, most = found.memory_high, found.memory_max
    # A share and a number of bytes can be compared on the host only, where the plan does it.
    alike = high and most and high.endswith("%") == most.endswith("%")
    if high and most and alike and memory_bytes(high, 100) > memory_bytes(most, 100):
        problems.add(
            Problem(where["slices.builds.memory_high"], "go.slices.builds.memory_high",
                    show(high), f"at most memory_max ({most})",
                    "builds are to be slowed down before one is killed")
        )  # fmt: skip


def _check_together(setup: GoSetup, where: Mapping[str, str], problems: Collector) -> None:
    """What only shows when all layers are laid over one another."""
    _check_declared_once(setup, where, problems)
    _check_slices(setup, where, problems)
    _check_schedule(setup, where, problems)
    if setup.network.auth is None:
        return
    toolchains = setup.toolchains
    urls = {"toolchains.archive_url": [toolchains.archive_url]}
    urls["toolchains.goproxy"] = re.split(r"[,|]", toolchains.goproxy or "")
    for key, candidates in urls.items():
        if any(is_plain_http(url) for url in candidates):
            problems.add(
                Problem(
                    where[key],
                    f"go.{key}",
                    "plain http together with network.auth",
                    "https, where a credential is declared",
                    f"use https; the credential is declared at {where['network.auth']}",
                )
            )
