"""One run over an inventory: declarations first, then connections, then a look at every host."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr
from pyinfra.api.config import Config
from pyinfra.api.connect import connect_all, disconnect_all
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.state import BaseStateCallback, State
from pyinfra.context import ctx_host, ctx_state

from gostead.cli.errors import CommandError
from gostead.cli.inventory import limit, make_inventory
from gostead.declaration import DeclarationError, GoSetup
from gostead.facts.host_state import HostState
from gostead.operations import context
from gostead.operations.caches import plan as plan_caches
from gostead.operations.cgo import plan as plan_cgo
from gostead.operations.change import Change, Finding
from gostead.operations.converge import REFUSALS
from gostead.operations.go_env import plan as plan_go_env
from gostead.operations.orphans import plan as plan_orphans
from gostead.operations.removal import plan as plan_removal
from gostead.operations.schedule import plan as plan_schedule
from gostead.operations.shells import plan as plan_shells
from gostead.operations.slices import plan as plan_slices
from gostead.operations.toolchains import plan as plan_toolchains
from gostead.operations.tools import plan as plan_tools
from gostead.operations.xcode import plan as plan_xcode

if TYPE_CHECKING:
    from pyinfra.api.host import Host

# The order of gostead.deploy.
PLANNERS = (
    ("toolchains", plan_toolchains), ("shells", plan_shells), ("caches", plan_caches),
    ("go_env", plan_go_env), ("xcode", plan_xcode), ("cgo", plan_cgo), ("tools", plan_tools),
    ("slices", plan_slices), ("orphans", plan_orphans), ("schedule", plan_schedule),
    ("removal", plan_removal),
)  # fmt: skip
CONNECT_LIMIT = 10.0  # seconds; --timeout shortens it


@dataclass
class Look:
    """What was seen of one host before anything is changed."""

    host: Host
    setup: GoSetup | None = None
    state: HostState | None = None
    changes: list[Change] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    held: str | None = None
    untried: bool = False
    news: bool = False
    not_applicable: dict[str, str] = field(default_factory=dict)
    error: str | None = None
    reachable: bool = True
    seconds: float = 0.0


class _Errors(BaseStateCallback):
    """Keeps why a host could not be connected to, and after how many seconds that was known."""

    def __init__(self, limit: float) -> None:
        self.why: dict[str, str] = {}
        self.seconds: dict[str, float] = {}
        self._limit = limit
        self._began: dict[str, float] = {}

    def host_before_connect(self, state: State, host: Host) -> None:  # type: ignore[override] # noqa: ARG002
        self._began[host.name] = time.monotonic()

    def host_connect_error(self, state: State, host: Host, error: Exception) -> None:  # type: ignore[override] # noqa: ARG002
        took = time.monotonic() - self._began.get(host.name, time.monotonic())
        why = str(error.args[0] if error.args else error)
        # paramiko's word for a server that accepts and is silent is "No existing session".
        late = f"no answer within {self._limit:g} s: " if took >= self._limit else ""
        self.why[host.name], self.seconds[host.name] = late + why, took


class Session:
    """Connections to the hosts of one run. Use as a context manager: it disconnects."""

    def __init__(
        self,
        inventory: str,
        options: dict[str, Any],
        only: Sequence[str] = (),
        parallel: int | None = None,
        verbose: bool = False,
    ) -> None:
        _quiet(verbose)
        seconds = min(CONNECT_LIMIT, options.get("timeout") or CONNECT_LIMIT)
        self.inventory = make_inventory(inventory, {"gostead": options}, seconds)
        self.hosts = limit(self.inventory, only)
        self._errors = _Errors(seconds)
        config = Config()
        config.PARALLEL = parallel or 0
        config.CONNECT_TIMEOUT = seconds  # type: ignore[assignment] # paramiko takes fractions
        self.state = State(self.inventory, config)
        self.state.limit_hosts = self.hosts
        self.state.add_callback_handler(self._errors)
        self.secrets: set[str] = set()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            disconnect_all(self.state)
        except Exception as error:
            logging.getLogger("gostead").debug("disconnecting: %s", error)

    def check_declarations(self) -> None:
        """Reads the declaration of every host, before any connection. Raises CommandError with all
        that is wrong."""
        problems: dict[str, None] = {}
        for host in self.hosts:
            try:
                known = context.declared(host)
            except DeclarationError as error:
                problems |= dict.fromkeys(str(problem) for problem in error.problems)
                continue
            for setup in (known.linux, known.darwin):
                for secret in (setup.network.auth, setup.network.proxy, *setup.env.values()):
                    if isinstance(secret, SecretStr):
                        self.secrets |= _parts(secret.get_secret_value())
                    elif secret and "@" in secret:
                        self.secrets |= _parts(secret)
        if problems:
            raise CommandError("\n".join(problems))

    def connect(self) -> list[Look]:
        """Connects to all hosts; those that do not answer are looks with an error."""
        # "No hosts remaining!": each host's own reason is in _errors
        with contextlib.suppress(PyinfraError):
            connect_all(self.state)
        return [
            Look(host)
            if host in self.state.active_hosts
            else Look(
                host,
                reachable=False,
                error=self._errors.why.get(host.name, "cannot connect"),
                seconds=self._errors.seconds.get(host.name, 0.0),
            )
            for host in self.hosts
        ]

    def each(self, looks: Sequence[Look], task: Callable[[Look], None]) -> None:
        """Runs `task` for every look that is well so far, hosts side by side; an error of a host
        becomes its look's error."""

        def guarded(look: Look) -> None:
            started = time.monotonic()
            try:
                with ctx_state.use(self.state), ctx_host.use(look.host):
                    task(look)
            except REFUSALS as error:
                look.error = str(error)
            except Exception as error:
                look.error = f"internal error: {type(error).__name__}: {error}"
                logging.getLogger("gostead").debug("%s", look.host.name, exc_info=True)
            look.seconds += time.monotonic() - started

        import gevent

        gevent.joinall(
            [self.state.pool.spawn(guarded, look) for look in looks if look.error is None]
        )

    def look(self, subjects: Sequence[str] = ()) -> list[Look]:
        """Connects, reads every host by one command, and plans each subject."""
        looks = self.connect()

        def task(look: Look) -> None:
            look.setup, look.state = context.current(look.host)
            purge = context.options(look.host).purge
            for subject, planner in PLANNERS:
                if not subjects or subject in subjects:
                    extra = {"purge": True} if subject == "removal" and purge else {}
                    plan = planner(look.setup, look.state, **extra)
                    look.changes += plan.changes
                    look.findings += plan.findings
                    look.held = look.held or plan.held
                    look.untried = look.untried or plan.untried
                    look.news = look.news or plan.news
                    if plan.not_applicable:
                        look.not_applicable[subject] = plan.not_applicable

        self.each(looks, task)
        return looks


def _parts(secret: str) -> set[str]:
    """The secret, and the credential inside a URL of it."""
    found = {secret}
    if "@" in secret:
        credential = secret.rpartition("@")[0].rpartition("//")[2]
        found |= {credential, credential.partition(":")[2]}
    elif ":" in secret:
        found.add(secret.partition(":")[2])
    return {part for part in found if len(part) > 3}


def _quiet(verbose: bool) -> None:
    """pyinfra's lines, and paramiko's tracebacks of hosts that do not speak ssh, are shown on
    standard error with -v, and nowhere without."""
    for name in ("pyinfra", "paramiko"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.addHandler(logging.StreamHandler() if verbose else logging.NullHandler())
        logger.setLevel(logging.INFO if verbose else logging.CRITICAL + 1)
        logger.propagate = False
