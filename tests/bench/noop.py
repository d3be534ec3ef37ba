"""A run that has nothing to do: local, one ssh host, fifty; against pyinfra running `true` there.

.venv/bin/python -m tests.bench.noop [local ssh fleet]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.measure import checked, children_cpu, in_turn, ratio, show
from tests.support.cache import PROJECT
from tests.support.go_cache import go_cache
from tests.support.netns import Network
from tests.support.rootfs import debian
from tests.support.sandbox import Sandbox
from tests.support.ssh_host import Fleet, SshHost

BIN = Path(sys.executable).parent
GOSTEAD = [sys.executable, "-m", "gostead"]
PYINFRA = [str(BIN / "pyinfra")]
DECLARATION = "go: {toolchains: {default: '1.27.3'}}\n"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(PROJECT)}

LOCAL = """
import json, subprocess, sys
from tests.bench.measure import checked, in_turn, ratio, show
gostead, pyinfra, declaration, runs = json.loads(sys.argv[1])
tasks = {
    "gostead apply (looks at 13,453 entries)": checked(
        [*gostead, "apply", "@local", "-y", "--declaration", declaration]),
    "pyinfra -y @local exec -- true": checked([*pyinfra, "-y", "@local", "exec", "--", "true"]),
}
figures = in_turn(tasks, runs)
show("Nothing to do, this machine", figures)
print(f"\\nratio: {ratio(figures[0], figures[1])}")
"""


def local(declaration: Path, runs: int = 15) -> None:
    """@local in a throw-away root, with the real 1.27.3."""
    import json

    from tests.support.root import Mount

    cache = go_cache()
    cache.tar("1.27.3")
    with Sandbox(go_cache=cache.path, mounts=[Mount(declaration)]) as sandbox:
        first = sandbox.gostead("apply", "@local", "-y", "--declaration", str(declaration))
        if first.returncode:
            raise SystemExit(first.stdout + first.stderr)
        values = json.dumps([GOSTEAD, PYINFRA, str(declaration), runs])
        done = sandbox.python("-c", LOCAL, values, timeout=300, env={"PYTHONPATH": str(PROJECT)})
        print(done.stdout, done.stderr)


def over_ssh(declaration: Path, count: int, runs: int) -> None:
    """`count` hosts; with the share of this machine's CPU that the client took."""
    os.environ["XDG_CACHE_HOME"] = str(go_cache().path.parent)
    go_cache().tar("1.27.3")
    environment = {**ENVIRONMENT, "XDG_CACHE_HOME": str(go_cache().path.parent)}
    with Network() as network:
        hosts = [SshHost(debian(), network, name=f"web{n}") for n in range(1, count + 1)]
        with Fleet(hosts) as fleet:
            inventory = str(fleet.inventory())
            apply = [*GOSTEAD, "apply", inventory, "-y", "--declaration", str(declaration)]
            started = time.perf_counter()
            checked(apply, env=environment)()
            print(f"\nfirst install on {count} host(s): {time.perf_counter() - started:.1f} s")
            tasks = {
                f"gostead apply, {count} host(s)": checked(apply, env=environment),
                f"pyinfra exec -- true, {count} host(s)": checked(
                    [*PYINFRA, "-y", inventory, "exec", "--", "true"], env=environment
                ),
            }
            figures = in_turn(tasks, runs)
            show(f"Nothing to do, {count} ssh host(s)", figures)
            print(f"\nratio: {ratio(figures[0], figures[1])}")
            before, started = children_cpu(), time.perf_counter()
            checked(apply, env=environment)()
            wall = time.perf_counter() - started
            print(f"client CPU: {children_cpu() - before:.2f} s of {wall:.2f} s wall")


def main(asked: list[str]) -> None:
    """Runs what was asked for, or all of it."""
    with tempfile.TemporaryDirectory() as name:
        declaration = Path(name)
        declaration.chmod(0o755)
        (declaration / "all.yaml").write_text(DECLARATION)
        for kind in asked or ["local", "ssh", "fleet"]:
            match kind:
                case "local":
                    local(declaration)
                case "ssh":
                    over_ssh(declaration, 1, 9)
                case "fleet":
                    over_ssh(declaration, 50, 3)


if __name__ == "__main__":
    main(sys.argv[1:])
