"""Scorecard: canary secrets are nowhere: output, JSON, list of processes, /tmp, what is kept."""

from __future__ import annotations

import threading

import pytest

from tests.support.faults import Ground
from tests.support.mirror import Served

CANARY = "c4n4ryT0ken"
#: Looks at all processes until the file is there; keeps the lines with a secret.
SAMPLE = (
    f"while [ ! -e /dev/shm/stop ]; do cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' |"
    f" grep -a -o '.\\{{0,60\\}}{CANARY}' | grep -v grep; done >/dev/shm/found || :"
)


@pytest.mark.parametrize("fetch", ["host", "controller"])
@pytest.mark.parametrize("works", [True, False])
def test_of_proxy_and_authorization(works: bool, fetch: str, ground: Ground) -> None:
    served = Served(ground.site.mirror, ground.sandbox)
    proxy = served.url if works else "http://127.0.0.1:9"
    host = proxy.removeprefix("http://")
    ground.site.declare(
        {"archive_url": served.url, "fetch": fetch, "pins": ground.site.pins(sha256=True)},
        network={"auth": {"!": 0}, "proxy": 0},
    )
    path = ground.site.declaration / "all.yaml"
    text = path.read_text().replace('{\n    "!": 0\n   }', "!env AUTH")
    path.write_text(text.replace('"proxy": 0', '"proxy": !env PROXY'))
    sampler = threading.Thread(target=ground.sandbox.run, args=[SAMPLE])
    sampler.start()
    secrets = {"AUTH": CANARY, "PROXY": f"http://user:{CANARY}@{host}", "no_proxy": ""}
    done = ground.gostead(
        "apply", "-y", "@local", "--declaration", str(ground.site.declaration), "--json", "-v",
        env=secrets,
    )  # fmt: skip
    ground.run("touch /dev/shm/stop")
    sampler.join()
    served.close()
    assert done.stdout.startswith("{"), done.stderr
    assert CANARY not in done.stdout + done.stderr
    assert ground.run("cat /dev/shm/found") == ""
    places = "/tmp /var/tmp /opt /etc /root /home /usr/local /dev/shm"
    # This file itself may lie in /tmp, as a checkout.
    mine = "--exclude='test_secret_leak*'"
    assert ground.run(f"grep -r -l -a {mine} {CANARY} {places} 2>/dev/null || :") == ""
