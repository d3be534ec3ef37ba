"""Orphans as macOS's ps tells them: a stand-in answers in its formats. Not a Mac."""

from __future__ import annotations

from gostead.armour import decode, records
from gostead.facts.orphans import Process, parse_orphans
from gostead.operations.orphans import is_orphan
from gostead.templates import host_script
from tests.support.rendered import PROBES
from tests.support.sandbox import Sandbox

#: ps(1): etime is [[dd-]hh:]mm:ss, lstart five words, comm the program's path.
PS = r"""#!/bin/sh
case "$*" in
  *command=*) cat <<'LINES'
    1     0     0 10-00:00:00  9000 Wed Nov 11 11:00:00 2026     /sbin/launchd
  410     1   501    01:02:03 12000 Sat Nov 21 10:00:00 2026     /private/var/folders/x/T/go-build12/b001/exe/server -v
  411     1   501       59:59  3000 Sat Nov 21 10:00:01 2026     /Users/kim/go/bin/gopls serve -listen=unix;/tmp/d
  412   400   501    01:02:03  3000 Sat Nov 21 10:00:02 2026     /Users/kim/go/bin/gopls
  413     1   502    01:02:03  3000 Sat Nov 21 10:00:03 2026     /Users/lee/go/bin/gopls
  414     1   501 2-01:02:03  3000 Thu Nov 19 10:00:04 2026     /Users/kim/go/bin/gopls ** telemetry **
LINES
    ;;
  *'-p 410') echo /private/var/folders/x/T/go-build12/b001/exe/server ;;
  *) echo /Users/kim/go/bin/gopls ;;
esac
"""  # noqa: E501


def test_what_ps_tells_is_judged_by_the_same_rule(ground: Sandbox) -> None:
    for name, text in {"ps": PS}.items():
        path = ground.path / "usr/bin" / name
        path.unlink(missing_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    main = host_script("probe/main", **(PROBES[-1] | {"subjects": ("orphans",)}))
    known = "probe() {\n  system=Darwin uid=0 people_uids=' 501' STATE=/nowhere\n"
    done = ground.run(["sh", "-s"], input=main.replace("probe() {\n", known))
    found = [r for r in records(decode(done.stdout.encode(), "ab12")) if r[0] == "elsewhere"]
    processes = parse_orphans(found).processes
    assert [p.pid for p in processes] == [410, 411, 414]
    assert [p.pid for p in processes if is_orphan(p, 501, 1800)] == [410]
    assert processes[0] == Process(
        410, 1, "Sat_Nov_21_10_00_00_2026", 3723, (501,), "server", "",
        "/private/var/folders/x/T/go-build12/b001/exe/server", "go run child", 12000,
    )  # fmt: skip
    assert processes[2].age == 2 * 86400 + 3723
