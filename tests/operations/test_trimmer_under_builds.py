"""The trimmer holds a real build cache at its bound while builds run, and no build fails.

The clock is moved by moving every entry's time back, while no build runs: four hours a round. That
is what Go and the trimmer would see had they waited.
"""

from __future__ import annotations

import re

import pytest

from gostead.templates import render
from tests.support.sandbox import Sandbox

BOUND = 60_000_000
PACKAGE = (
    r'package p%s\n\nimport ("fmt"; "net/http"; "os")\n\nconst round = "%s"\n\n'
    r"func Say() string { fmt.Fprintln(os.Stderr, round); return http.StatusText(200) }\n"
)
COMMAND = r'package main\n\nimport "x.example/x/p%s"\n\nfunc main() { println(p%s.Say()) }\n'
MODULE = r"""
mkdir -p ~/m && cd ~/m && printf 'module x.example/x\n\ngo 1.26\n' >go.mod
for n in 1 2 3 4 5 6 7 8; do
  mkdir -p p$n c$n
  printf 'PACKAGE' $n 0 >p$n/p.go
  printf 'COMMAND' $n $n >c$n/main.go
done
"""
# Each round ages all, then builds run and the trimmer with them, over and over.
LOOP = r"""
cd ~/m
export GOCACHE=$HOME/cache GOTOOLCHAIN=local GOFLAGS=-p=2
export PATH=/opt/gostead/current/bin:/usr/bin:/bin
mkdir -p $GOCACHE
failed=0 built=0
for round in 1 2 3 4; do
  find $GOCACHE -mindepth 2 -exec touch -h -d '-4 hours' {} +
  stop=$HOME/stop; rm -f $stop
  (while [ ! -e $stop ]; do
    /srv/trim-cache $GOCACHE BOUND >>~/trimmed 2>&1 || echo trimmer failed >>~/trimmed
  done) &
  trimmer=$!
  for n in 1 2 3 4 5 6 7 8; do
    # What changes each time is compiled anew from entries that are old: the race that matters.
    printf 'PACKAGE' $n $round >p$n/p.go
    go build -o ~/out ./c$n >>~/log 2>&1 && built=$((built + 1)) || failed=$((failed + 1))
  done
  touch $stop; wait $trimmer
done
echo built $built failed $failed
find $GOCACHE -mindepth 2 -exec touch -h -d '-4 hours' {} +
/srv/trim-cache $GOCACHE BOUND
du -sb $GOCACHE | cut -f 1
"""


@pytest.mark.slow
def test_no_build_fails_and_the_bound_is_held(go_ground: Sandbox) -> None:
    go_ground.run(
        "cat >/srv/trim-cache && chmod 755 /srv/trim-cache", input=render("trim_cache.sh.j2")
    )
    module = MODULE.replace("PACKAGE", PACKAGE).replace("COMMAND", COMMAND)
    go_ground.run(module, user="ann", check=True)
    loop = LOOP.replace("PACKAGE", PACKAGE).replace("BOUND", str(BOUND))
    done = go_ground.run(loop, user="ann", timeout=900)
    assert "built 32 failed 0" in done.stdout, (
        done.stdout + go_ground.run("cat /home/ann/log").stdout
    )
    trimmed = go_ground.run("cat /home/ann/trimmed").stdout
    assert "trimmer failed" not in trimmed
    # It was at work meanwhile: how often depends on what else this machine does.
    assert sum(int(n) for n in re.findall(r"freed (\d+)", trimmed)) > BOUND
    assert int(done.stdout.split()[-1]) <= BOUND + 3_000_000  # directories, README, trim.txt
