"""Tools built with the declared default toolchain: in that toolchain's own directory, linked into
its profile, so that a switch or a rollback takes them along in the same rename.

A tool is built by an unprivileged user in a scratch directory, in a clean environment with the
checksum database on, and moved in by root after it was looked at (`go version -m`).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Any

from pyinfra.api.operation import operation

from gostead.declaration import GoSetup
from gostead.declaration.go_env import text_of
from gostead.declaration.tools import name_of
from gostead.facts.host_state import HostState
from gostead.operations import trees
from gostead.operations.change import Change, Content, Plan, Script
from gostead.operations.converge import converge
from gostead.operations.guard import check_host
from gostead.operations.registry import registered
from gostead.templates import quote

SUBJECT = "tools"
#: What a build needs of the declared settings: where modules come from, and whom to ask about them.
_SETTINGS = ("GOPROXY", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOINSECURE", "GOVCS", "GOAUTH")


def plan(declared: GoSetup, state: HostState) -> Plan:
    """What the subject would change. Raises PlanError where this host cannot be converged."""
    check_host(declared, state)
    if declared.state == "absent":
        return Plan()
    held = trees.held_version(state.toolchains, None)
    version = f"go{declared.toolchains.default}"
    if held and state.toolchains.active() == f"go{held}":
        version = f"go{held}"
    return Plan((*tools_of(declared, state, version), *_undeclared(declared, state)))


def tools_of(declared: GoSetup, state: HostState, version: str) -> Iterator[Change]:
    """What the tools of one toolchain lack."""
    missing = {tool: lack for tool in declared.tools if (lack := _why(state, version, tool))}
    settings = Content(_settings(declared))
    for number, (tool, (before, why)) in enumerate(missing.items()):
        values = {
            "root": state.system.root, "name": name_of(tool), "tool": tool, "version": version,
            "last": number == len(missing) - 1,
        }  # fmt: skip
        yield Change(
            SUBJECT, _path(state, version, tool), before, f"{tool} by {version}", why, "tools",
            Script("change/tool", values, settings), alone=True,
        )  # fmt: skip
    for tool in declared.tools:
        name = name_of(tool)
        link = f"{state.system.root}/profiles/{version}/bin/{name}"
        wanted = f"../../../tools/{version}/bin/{name}"
        if tool not in missing and state.toolchains.entry(link).target != wanted:
            values = {"root": state.system.root, "name": name, "version": version}
            found = state.toolchains.entry(link)
            yield Change(SUBJECT, link, found.describe(), f"-> {wanted}",
                         "PATH reaches the tool through it", "tools",
                         Script("change/tool_link", values))  # fmt: skip


def _path(state: HostState, version: str, tool: str) -> str:
    return f"{state.system.root}/tools/{version}/bin/{name_of(tool)}"


def _why(state: HostState, version: str, tool: str) -> tuple[str, str] | None:
    """What is there instead of the tool, and why that is not it; None where it is there."""
    path = _path(state, version, tool)
    entry = state.tools.entry(path)
    made = registered(state, "tool", path)
    digest, _, built = made.detail.partition(" ") if made else ("", "", "")
    if entry.kind == "absent":
        return "absent", "declared"
    if not made:
        return entry.describe(), "gostead did not build it"
    if built != tool:
        return built, "another version is declared"
    if state.tools.digests.get(path) != digest:
        return "changed", "its bytes are not those that were built"
    if (entry.uid, entry.mode) != (state.system.uid, "555"):
        return entry.describe(), "others must not exchange it"
    return None


def _undeclared(declared: GoSetup, state: HostState) -> Iterator[Change]:
    names = {name_of(tool) for tool in declared.tools}
    for item in sorted(state.toolchains.registry, key=lambda r: r.path):
        parts = item.path.split("/")
        if item.kind == "tool" and parts[-1] not in names:
            values = {"root": state.system.root, "path": item.path, "name": parts[-1],
                      "version": parts[-3]}  # fmt: skip
            built = item.detail.partition(" ")[2]
            yield Change(SUBJECT, item.path, built, "absent", "no longer declared", "tools",
                         Script("change/untool", values))  # fmt: skip


def _settings(declared: GoSetup) -> bytes:
    """The settings file of a build and, after a line of %, variables for the shell."""
    env = dict(declared.env)
    if "GOPROXY" not in env and declared.toolchains.goproxy:
        env["GOPROXY"] = declared.toolchains.goproxy
    lines: Sequence[str] = [
        f"{name}={text}" for name in _SETTINGS if (text := text_of(env.get(name)))
    ]
    variables = []
    if declared.network.proxy:
        proxy = quote(declared.network.proxy.get_secret_value())
        variables += [f"HTTPS_PROXY={proxy} HTTP_PROXY={proxy}", "export HTTPS_PROXY HTTP_PROXY"]
    if declared.network.ca_bundle:
        variables += [f"SSL_CERT_FILE={quote(declared.network.ca_bundle)}", "export SSL_CERT_FILE"]
    return "\n".join([*lines, "%", *variables, ""]).encode("utf-8", "surrogateescape")


@operation()
def tools(directory: str | None = None) -> Generator[Any, None, None]:
    """
    Builds the declared tools with the default toolchain.

    + directory: where the declaration's YAML files are; default ``group_data``
    """
    yield from converge(SUBJECT, plan, directory)
