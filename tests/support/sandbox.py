"""A throw-away root in which gostead runs with @local: what it converges is that root.

The project, the virtual environment and the interpreter are visible there read-only at the same
paths as on the machine; everything else is the Debian root of the test hosts.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support import preloaded
from tests.support.cache import PROJECT
from tests.support.fault_driver import Fault
from tests.support.interpreter import interpreter_paths
from tests.support.root import PATH, Mount, Root, succeeded
from tests.support.rootfs import debian

#: How a sandbox on the machine's network finds names and trusts servers.
NETWORK_FILES = ("/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt")


class Sandbox(Root):
    """A root with this project and this Python in it; see `Root` for the rest."""

    def __init__(
        self,
        *,
        name: str = "sandbox",
        mounts: Sequence[Mount] = (),
        go_cache: Path | None = None,
        go_cache_user: str = "root",
        size: str | None = None,
        inodes: int | None = None,
        network: str = "none",
        layers: Sequence[Path] = (),
    ) -> None:
        """Prepare a sandbox; `layers` are what another one wrote.

        `go_cache` becomes the controller's cache of `go_cache_user`, ~/.cache/gostead: writable,
        and nothing of it is ever changed on the machine. `network="machine"`: to reach a real
        GOPROXY.
        """
        lower = debian()
        shown = [Mount(PROJECT), *(Mount(path) for path in interpreter_paths(lower))]
        # A path below another one that is shown already needs no mount of its own.
        own = [
            m
            for m in shown
            if not any(m.source.is_relative_to(o.source) for o in shown if o is not m)
        ]
        if go_cache is not None:
            home = "/root" if go_cache_user == "root" else f"/home/{go_cache_user}"
            own.append(Mount(go_cache, f"{home}/.cache/gostead", f"overlay {go_cache_user}"))
        if network == "machine":
            own += [Mount(Path(os.path.realpath(f)), f) for f in NETWORK_FILES if Path(f).exists()]
        super().__init__(
            lower, name=name, mounts=[*own, *mounts], size=size, inodes=inodes, network=network,
            layers=layers,
        )  # fmt: skip

    def python(
        self,
        *arguments: str,
        user: str = "root",
        env: Mapping[str, str] | None = None,
        input: str | None = None,
        cwd: str | None = None,
        timeout: float = 120,
        check: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        """Run this Python with `arguments` in the sandbox; the environment's bin leads PATH."""
        settings = {
            **self.settings(user),
            "PATH": f"{Path(sys.executable).parent}:{PATH}",
            "PYTHONDONTWRITEBYTECODE": "1",
            **(env or {}),
        }
        where = cwd or str(PROJECT)
        if not preloaded.can_fork(arguments, settings, input):
            return self.run(
                [sys.executable, *arguments], user=user, env=settings, input=input, cwd=where,
                timeout=timeout, check=check,
            )  # fmt: skip
        uid, gid = self.ids(user)
        done = preloaded.run(
            arguments, env=settings, input=input, cwd=where, timeout=timeout, root=self.pid,
            network=self.own_network, uid=uid, gid=gid,
        )  # fmt: skip
        return succeeded(done) if check else done

    def gostead(
        self,
        *arguments: str,
        user: str = "root",
        env: Mapping[str, str] | None = None,
        input: str | None = None,
        cwd: str | None = None,
        timeout: float = 120,
        check: bool = False,
        fault: Fault | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run `gostead` with `arguments` in the sandbox, from the project's directory; a `fault` is
        built into its scripts."""
        if fault is not None:  # what builds it in is of the project's tests
            env = {"PYTHONPATH": str(PROJECT), **(env or {})}
        return self.python(
            *preloaded.face(fault), *arguments,
            user=user, env=env, input=input, cwd=cwd, timeout=timeout, check=check,
        )  # fmt: skip
