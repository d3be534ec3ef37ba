"""What the real Go and the real gopls leave running: ended, and left where it serves."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support import real_go
from tests.support.go_binaries import installed
from tests.support.orphaned import age, alive, apply, declare, of, status_of
from tests.support.root import Mount
from tests.support.sandbox import Sandbox
from tests.support.site import Site

PROGRAM = """
mkdir -p ~/m; cd ~/m
printf 'module example.com/server\\n\\ngo 1.26\\n' >go.mod
printf 'package main\\n\\nimport "time"\\n\\nfunc main() { time.Sleep(time.Hour) }\\n' >main.go
export PATH=/opt/gostead/current/bin:/usr/bin:/bin GOTOOLCHAIN=local
go run . </dev/null >/dev/null 2>&1 &
go=$!
for _ in $(seq 600); do
  child=$(cat /proc/$go/task/*/children)
  for one in $child; do
    case $(readlink /proc/$one/exe) in */server) break 2 ;; esac
  done
  sleep 0.1
done
kill -9 $go
echo $one
"""


@pytest.mark.slow
def test_what_a_killed_go_run_leaves_is_found_and_ended(go_ground: Sandbox) -> None:
    """The real Go: the first run starts from its scratch directory, the next from the cache."""
    for place in ("/go-build", "/.cache/go-build/"):
        pid = int(go_ground.run(PROGRAM, user="ann", timeout=120, check=True).stdout)
        exe = go_ground.run(["readlink", f"/proc/{pid}/exe"]).stdout
        assert place in exe
        age()
        orphans = {"action": "terminate", "min_age": "1s"}
        real_go.declare(go_ground, users=["ann"], orphans=orphans)
        report = real_go.gostead(go_ground, "apply", "-y", "--subject", "orphans")
        assert report["exit"] == 0, report
        (change,) = of(report, "changes")
        assert (change["item"], change["user"]) == (f"process {pid} (go run child server)", "ann")
        assert not alive(go_ground, pid)


#: first_child PID WORDS: the child of that process that has these words among its arguments.
FIND = r"""
first_child() {
  for _ in $(seq 300); do
    for one in $(cat /proc/$1/task/*/children); do
      case $(tr '\0' ' ' <"/proc/$one/cmdline") in *" $2 "*) echo "$one"; return ;; esac
    done
    sleep 0.1
  done
  return 1
}
cd; mkfifo "$$"
"""
#: An editor is killed, with its half of gopls.
EDITOR = f"""{FIND}
~/bin/gopls -remote=auto <>"$$" >/dev/null 2>&1 &
first_child "$!" "serve -listen"
kill -9 "$!"
"""
#: gopls is killed, and its child is kept from seeing that: it would end too.
WATCHED = f"""{FIND}
~/bin/gopls serve <>"$$" >/dev/null 2>&1 &
child=$(first_child "$!" "** telemetry **") && kill -STOP "$child" && kill -9 "$!" && echo "$child"
"""
#: Its editor is gone, and it does not see that.
ALONE = f"""{FIND}
~/bin/gopls serve <>"$$" >/dev/null 2>&1 &
echo "$!"
"""


@pytest.mark.slow
@pytest.mark.network
def test_a_real_gopls_stays_while_it_serves_and_goes_without_its_editor(
    site: Site, make_sandbox: Callable[..., Sandbox]
) -> None:
    gopls = installed("golang.org/x/tools/gopls", "v0.21.0")
    ground = make_sandbox(mounts=[Mount(site.directory), Mount(gopls, "/home/ann/bin/gopls")])
    telemetry = int(ground.run(WATCHED, user="ann", check=True).stdout)
    alone = int(ground.run(ALONE, user="ann", check=True).stdout)
    # The last: a minute after its last editor it leaves by itself.
    daemon = int(ground.run(EDITOR, user="ann", check=True).stdout)
    age()
    for pid in (daemon, telemetry, alone):
        assert "PPid:\t1\n" in status_of(ground, pid)
        assert ground.run(["readlink", f"/proc/{pid}/exe"]).stdout == "/home/ann/bin/gopls\n"
    declare(site)
    report = apply(site, ground)
    assert report["exit"] == 0, report
    assert [c["item"] for c in of(report, "changes")] == [f"process {alone} (gopls)"]
    assert of(report) == []
    assert [alive(ground, pid) for pid in (daemon, telemetry, alone)] == [True, True, False]
