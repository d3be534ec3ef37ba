"""What gostead adds to the start of a shell: the same home with and without, in turn.

.venv/bin/python -m tests.bench.shell_startup
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from tests.support.cache import PROJECT
from tests.support.root import Mount
from tests.support.sandbox import Sandbox
from tests.support.site import Site

STARTS = 300
WAYS = {
    "bash -l": ["bash", "-l", "-c", ":"],
    "bash -i": ["bash", "-i", "-c", ":"],
    "zsh -l": ["zsh", "-l", "-c", ":"],
    "zsh": ["zsh", "-c", ":"],
    "sh -l": ["sh", "-l", "-c", ":"],
    "fish": ["fish", "-c", ":"],
}
#: Runs in the root: starts each way for both users in turn; medians in seconds.
INSIDE = """
import json, os, statistics, subprocess, sys, time
ways, starts = json.loads(sys.argv[1])
def start(user, words):
    env = {"HOME": f"/home/{user}", "PATH": "/usr/local/bin:/usr/bin:/bin", "TERM": "dumb"}
    began = time.perf_counter()
    subprocess.run(words, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    return time.perf_counter() - began
for name, words in ways.items():
    seconds = {"with": [], "without": []}
    for number in range(starts):
        for user in ("with", "without"):
            took = start(user, words)
            if number >= 10:
                seconds[user].append(took)
    a, b = (statistics.median(seconds[user]) * 1000 for user in ("without", "with"))
    print(f"| {name} | {a:.2f} | {b:.2f} | {b - a:+.2f} |")
"""


def main() -> None:
    """Prints the table, in milliseconds. User scope: what is system-wide would serve both homes."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        site = Site(directory)
        site.declare(scope="user")
        with Sandbox(mounts=[Mount(directory)]) as sandbox:
            sandbox.run(
                "for u in with without; do useradd -m -s /bin/bash $u; su $u -c 'fish -ic exit'"
                " </dev/null >/dev/null 2>&1; done",
                check=True,
            )
            done = sandbox.run(
                ["su", "-", "with", "-c",
                 f"PYTHONPATH={PROJECT} {sys.executable} -m gostead apply @local -y "
                 f"--declaration {site.declaration}"]
            )  # fmt: skip
            if done.returncode:
                raise SystemExit(done.stdout + done.stderr)
            print("| | without, ms | with, ms | added |\n|---|---|---|---|")
            print(sandbox.python("-c", INSIDE, json.dumps([WAYS, STARTS]), timeout=600).stdout)


if __name__ == "__main__":
    main()
