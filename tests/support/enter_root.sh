#!/bin/sh
# Process 1 of a throw-away root, until it hands over: runs in fresh mount, pid, uts, ipc (and
# network) namespaces, puts the root together, says so, and executes what is to live in there.
# All that it mounts goes when the namespace's last process ends, whatever ends it.
#
# usage: enter_root.sh BASE LOWER NAME UPPER_OPTIONS COMMAND...
#   BASE           directory with upper/ and work/ (or tmp/ for a tmpfs) and root/, the mount point
#   LOWER          lower directories, joined with colons
#   UPPER_OPTIONS  mount options of a tmpfs for the upper layer, or "" for BASE itself
#   standard input: lines "ip COMMAND", "bind SOURCE", "bind-rw SOURCE", "overlay OWNER SOURCE", all
#   but the first followed by a line with the target relative to the root; then "go"
set -eu
umask 022
base=$1 lower=$2 name=$3 upper_options=$4
shift 4
upper=$base
if [ -n "$upper_options" ]; then
  mount -t tmpfs -o "$upper_options" gostead-test "$base/tmp"
  upper=$base/tmp
  mkdir "$upper/upper" "$upper/work"
fi
# volatile: no sync to the disk when it is unmounted, which takes seconds on a busy machine.
mount -t overlay -o "volatile,lowerdir=$lower,upperdir=$upper/upper,workdir=$upper/work" \
  gostead-test "$base/root"
cd "$base/root"

# The stand-in of a Mac (tests/hosts/darwin) has these, and busybox, where nobody finds them.
hidden='' busybox=/bin/busybox
if [ -d .stand-in ]; then hidden=.stand-in/ busybox=/.stand-in/bin/busybox; fi
mount -t proc -o nosuid,nodev,noexec proc "${hidden}proc"
mount --bind "${hidden}proc/sys" "${hidden}proc/sys"
mount -o remount,ro,bind "${hidden}proc/sys"
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "${hidden}sys"
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs run
mkdir -m 0755 run/sshd run/lock
mount -t tmpfs -o mode=755,nosuid,noexec tmpfs dev
for node in null zero full random urandom tty; do
  : >"dev/$node"
  mount --bind "/dev/$node" "dev/$node"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s "/${hidden}proc/self/fd" dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
hostname "$name"
# A layer below may have it already.
grep -qx "127.0.1.1 $name" etc/hosts || printf '127.0.1.1 %s\n' "$name" >>etc/hosts

make_target() { # $1: what is to be mounted, $2: where
  mkdir -p "$(dirname "$2")"
  if [ -d "$1" ]; then mkdir -p "$2"; elif [ ! -e "$2" ]; then : >"$2"; fi
  above=$(dirname "$2")
  while [ "$above" != . ]; do # every user can get there, also where it stands below /root
    chmod a+x "$above"
    above=$(dirname "$above")
  done
}
while IFS= read -r line && [ "$line" != go ]; do
  word=${line%% *} rest=${line#* }
  case $word in
  ip)
    # shellcheck disable=SC2086 # words of an ip command
    ip $rest
    ;;
  bind | bind-rw)
    IFS= read -r target
    make_target "$rest" "$target"
    mount --bind "$rest" "$target"
    [ "$word" = bind-rw ] || mount -o remount,ro,bind "$target"
    ;;
  overlay) # a tree of the machine; what is written goes to BASE/over-N, unseen by the tree
    owner=${rest%% *} rest=${rest#* }
    IFS= read -r target
    make_target "$rest" "$target"
    data=$(mktemp -d "$base/over-XXXXXX")
    mkdir "$data/upper" "$data/work"
    # metacopy: to change an owner copies no content.
    options="volatile,metacopy=on,redirect_dir=on,lowerdir=$rest"
    options="$options,upperdir=$data/upper,workdir=$data/work"
    if ! mount -t overlay -o "$options" gostead-test "$target" 2>/dev/null; then
      # BASE is on an overlay itself, as in a container: there nothing can be an upper layer.
      mount -t tmpfs -o mode=755 gostead-test "$data"
      mkdir "$data/upper" "$data/work"
      mount -t overlay -o "$options" gostead-test "$target"
    fi
    if [ "$owner" != root ]; then
      chroot . /bin/chown "$owner:$owner" "/${target%/*}"
      chroot . /bin/chown -R "$owner:$owner" "/$target"
    fi
    ;;
  *) echo "enter_root.sh: $line?" >&2 && exit 64 ;;
  esac
done

pivot_root . .
# From here on only the root's own programs are reachable; busybox is static and in every root.
# shellcheck disable=SC2016 # the inner shell expands it
exec "$busybox" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  "$busybox" sh -euc 'cd / && "$0" umount -l / && cd / && echo ready && exec "$@" </dev/null >/dev/null' \
  "$busybox" "$@"
