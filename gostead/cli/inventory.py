"""Which hosts: a file, names, a connector; less what --limit leaves out."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gostead import transport
from gostead.cli.errors import CommandError

if TYPE_CHECKING:
    from pyinfra.api.host import Host
    from pyinfra.api.inventory import Inventory

DEFAULT = "inventories/local.py"
HOW = "name a file, hosts separated by commas, or a connector such as @local or @ssh/host"


def make_inventory(wanted: str, data: dict[str, Any], seconds: float = 10.0) -> Inventory:
    """The inventory, with `data` over every host's own; a host has `seconds` to let us in. Raises
    CommandError where there is none."""
    path = Path(wanted)
    if wanted == "@local":
        from pyinfra.api.inventory import Inventory

        inventory = Inventory(([wanted], {}), override_data=data)
    else:
        looks_like_a_file = wanted.endswith(".py") or "/" in wanted.removeprefix("@ssh/")
        if looks_like_a_file and not wanted.startswith("@") and not path.is_file():
            raise CommandError(
                f"the inventory {wanted} does not exist",
                HOW,
            )
        from pyinfra.api.state import State
        from pyinfra.context import ctx_state
        from pyinfra_cli.inventory import make_inventory as from_words

        try:
            with ctx_state.use(State()):  # inventory files run as pyinfra runs them
                inventory = from_words(wanted, override_data=data, cwd=str(Path.cwd()))
        except Exception as error:
            raise CommandError(f"the inventory {wanted} cannot be read: {error}") from None
    if not len(inventory):
        raise CommandError(
            f"the inventory {wanted} names no host",
            HOW,
        )
    for host in inventory:
        _tune(host, seconds)
    return inventory


def limit(inventory: Inventory, wanted: Sequence[str]) -> list[Host]:
    """The hosts that --limit names, by name, pattern or group; all without it. Raises CommandError
    for a name that matches nothing."""
    hosts = list(inventory)
    if not wanted:
        return hosts
    chosen: list[Host] = []
    for word in wanted:
        found = [h for h in hosts if word in h.groups or fnmatch.fnmatchcase(h.name, word)]
        if not found:
            names = ", ".join(sorted(h.name for h in hosts)[:10])
            raise CommandError(f"--limit {word} matches no host and no group", f"hosts: {names}")
        chosen += [host for host in found if host not in chosen]
    return chosen


def _tune(host: Host, seconds: float) -> None:
    if host.connector_cls.__name__ != "SSHConnector":
        return
    ours = {
        "transport_factory": transport.without_delay,
        "banner_timeout": seconds,
        "auth_timeout": seconds,
    }
    known = host.data.get("ssh_paramiko_connect_kwargs") or {}
    host.data.ssh_paramiko_connect_kwargs = {**ours, **known}
