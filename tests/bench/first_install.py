"""A first install from a loopback mirror, against plain curl, sha256sum and tar for that archive.

    .venv/bin/python -m tests.bench.first_install

Plain: `curl | tee (sha256sum) | tar`, plus one hash of the unpacked tree. Both in the same kind of
throw-away root, in memory (tmpfs), in turn; the controller's cache is empty in each run.
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

from tests.bench.measure import in_turn, ratio, show
from tests.support.cache import PROJECT
from tests.support.go_cache import PLATFORM, go_cache
from tests.support.mirror import Mirror, Served
from tests.support.root import Mount
from tests.support.sandbox import Sandbox

VERSION = "1.27.3"
RUNS = 5
PLAIN = """
set -e
mkdir -p /opt/plain && cd /opt/plain && mkfifo sum
sha256sum <sum >sum.txt & curl -fsS {url} | tee sum | tar -xz --no-same-owner
wait; grep -q {sha256} sum.txt
"""
HASH = """
cd /opt/plain/go && rm -rf api doc misc test
find . -type f | sort | tr '\\n' '\\0' | xargs -0 sha256sum | sha256sum >/dev/null
"""
MEASURED = (
    "import resource, runpy, sys\nfrom gostead.cli import main\ncode = main()\n"
    "print('RSS', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\n"
    "sys.exit(code)"
)


class Bench:
    """One throw-away root with a mirror on its loopback, made anew before each run."""

    def __init__(self, sandbox: Sandbox, served: Served, sha256: str, declaration: Path) -> None:
        self.sandbox, self.served, self.sha256 = sandbox, served, sha256
        self.declaration = declaration
        self.resident_kib: list[int] = []

    def clear(self) -> None:
        """As before the first run, the start-up files too."""
        if (self.declaration / "all.yaml").exists():
            self.sandbox.gostead(
                "remove", "@local", "-y", "--declaration", str(self.declaration)
            )  # fmt: skip
        self.sandbox.run("rm -rf /opt/plain /opt/gostead /root/.cache/gostead; sync", check=True)

    def plain(self) -> None:
        """curl, sha256sum and tar, then the tree's hash."""
        url = f"{self.served.url}/dl/go{VERSION}.{PLATFORM}.tar.gz"
        self.sandbox.run(
            ["bash", "-c", PLAIN.format(url=url, sha256=self.sha256) + HASH], check=True
        )

    def gostead(self, *options: str, **toolchains: object) -> None:
        """`gostead apply`, from nothing."""
        text = json.dumps({"go": {"toolchains": toolchains}})
        (self.declaration / "all.yaml").write_text(text)
        done = self.sandbox.python(
            "-c", MEASURED, "apply", "@local", "-y", *options,
            "--declaration", str(self.declaration),
            env={"PYTHONPATH": str(PROJECT)},
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
        found = re.search(r"RSS (\d+)", done.stderr)
        if found:
            self.resident_kib.append(int(found[1]))


def main() -> None:
    """Prints the table."""
    cache = go_cache()
    with tempfile.TemporaryDirectory() as name, Mirror() as mirror:
        declaration = Path(name)
        declaration.chmod(0o755)
        mirror.publish_real(cache, VERSION, module=True)
        pin = mirror.pins[VERSION][PLATFORM]
        with Sandbox(mounts=[Mount(declaration)], size="4g") as sandbox:
            served = mirror.serve(sandbox)
            bench = Bench(sandbox, served, pin["sha256"], declaration)
            known = mirror.toolchains(served.url, default=VERSION)
            only_h1 = {**known, "pins": {VERSION: {PLATFORM: {"h1": pin["h1"]}}}}
            figures = in_turn(
                {
                    "curl, sha256sum, tar; one tree hash": bench.plain,
                    "gostead, archive fetched by the host": lambda: bench.gostead(
                        **known, sources=["archive"], fetch="host"
                    ),
                    "the same, --subject toolchains": lambda: bench.gostead(
                        "--subject", "toolchains", **known, sources=["archive"], fetch="host"
                    ),
                    "gostead, archive by the controller": lambda: bench.gostead(
                        **known, sources=["archive"], fetch="controller"
                    ),
                    "the same, by the controller, --subject toolchains": lambda: bench.gostead(
                        "--subject",
                        "toolchains",
                        **known,
                        sources=["archive"],
                        fetch="controller",
                    ),
                    "gostead, archive by the controller, h1 pin only": lambda: bench.gostead(
                        **only_h1, sources=["archive"]
                    ),
                    "gostead, toolchain module by the controller": lambda: bench.gostead(
                        **only_h1, sources=["module"]
                    ),
                },
                RUNS,
                bench.clear,
            )
            show(f"First install of {VERSION} from a loopback mirror, in memory", figures)
            for figure in figures[1:]:
                print(f"\n{figure.name}: {ratio(figure, figures[0])} times plain")
            most = max(bench.resident_kib) / 1024
            print(f"\nmost memory of the controller, resident: {most:.0f} MiB")


if __name__ == "__main__":
    main()
