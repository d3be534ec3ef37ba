"""A systemctl for throw-away roots, where no systemd runs: it answers what gostead asks, and keeps
limits where the kernel would. It serves the tests that kill scripts at each step; what systemd and
the kernel really do is shown on guests (tests/vm).

/run/stand-in/services: the services that are there; /run/stand-in/show-UNIT: what is shown of one
besides, and instead."""

from __future__ import annotations

from typing import Any

#: A declaration with every kind of file that budgets have.
BUDGET: dict[str, Any] = {
    "slices": {"builds": {"tasks_max": 99}, "users": ["ann"], "units": ["r.service"]}
}
SYSTEMCTL = r"""#!/bin/sh
units=/etc/systemd/system groups=/sys/fs/cgroup kept=/run/stand-in
mkdir -p "$kept"
group_of() { cat "$kept/group-$1" 2>/dev/null || echo "/system.slice/$1"; }
hold() {
  [ -f "$units/gobuilds.slice" ] || return 0
  mkdir -p "$groups/gobuilds.slice"
  sed -n 's/^TasksMax=//p' "$units/gobuilds.slice" >"$groups/gobuilds.slice/pids.max"
  cd "$groups/gobuilds.slice" || exit 1
  [ -e memory.events ] || echo oom_kill 0 >memory.events
}
show() {
  case $1 in
  actions.runner.*) # of one.service, and of those that a test makes in $kept
    if [ "$1" = 'actions.runner.*.service' ]; then
      for made in "$kept"/runner-*; do [ ! -e "$made" ] || show "${made##*/runner-}"; done
      return
    fi
    cat "$kept/runner-$1" && echo ActiveState=active && echo "InvocationID=$(cat "$kept/id-$1")" ;;
  esac
  echo "Id=$1" LoadState=loaded "ControlGroup=$(group_of "$1")" | tr ' ' '\n'
  echo "MainPID=$(cat "$kept/main-$1" 2>/dev/null || echo 0)"
  if [ "$1" = r.service ] || [ -e "$kept/active-$1" ]; then echo ActiveState=active; fi
  echo Slice=gobuilds.slice KillMode=control-group DropInPaths= | tr ' ' '\n'
  stale=no
  if [ "$units/$1" -nt "$kept/loaded" ]; then stale=yes; fi
  echo "NeedDaemonReload=$stale"
  cat "$kept/show-$1" 2>/dev/null
  echo
}
verb=$1
shift
case $verb in
show)
  case $* in
    '-p '*' --value '*) show "$4" | sed -n "s/^$2=//p"; exit ;;
  esac
  while [ $# -gt 0 ]; do
    case $1 in -p) shift ;; -*) ;; *) show "$1" ;; esac
    shift
  done
  ;;
list-unit-files)
  for pattern; do
    for unit in $(cat "$kept/services" 2>/dev/null || echo r.service); do
      case $unit in $pattern) echo "$unit enabled" ;; esac
    done
  done
  ;;
daemon-reload) hold; touch "$kept/loaded" ;;
start) hold; touch "$kept/active-$1" ;;
restart)
  case $1 in actions.runner.*) ;; *) echo "/gobuilds.slice/$1" >"$kept/group-$1" ;; esac
  touch "$kept/active-$1"; echo "$1" >>"$kept/restarted"; echo new >"$kept/id-$1" ;;
stop) for unit; do rm -f "$kept/active-$unit"; rm -rf "$groups/$unit"; done ;;
esac
"""

#: Makes a root look as if systemd ran there, with cgroup v2, git, and a service of a runner.
BOOTED = f"""
set -e
mkdir -p /run/systemd/system /sys/fs/cgroup
mount -t tmpfs tmpfs /sys/fs/cgroup
echo cpu io memory pids >/sys/fs/cgroup/cgroup.controllers
printf '#!/bin/sh\\necho git version 2.39.5\\n' >/usr/bin/git
printf '#!/bin/sh\\n' >/usr/bin/python3
chmod 755 /usr/bin/git /usr/bin/python3
cat >/usr/bin/systemctl <<'SYSTEMCTL'
{SYSTEMCTL}
SYSTEMCTL
chmod 755 /usr/bin/systemctl
"""

#: Then: ann's runner, with a service of which systemd tells.
RUNNER = """
set -e
mkdir -p /home/ann/runner /run/stand-in
echo /bin >/home/ann/runner/.path
chown -R ann: /home/ann/runner
cd /run/stand-in
printf 'WorkingDirectory=/home/ann/runner\\nUser=ann\\n' >runner-actions.runner.one.service
echo old >id-actions.runner.one.service
"""
