#!/bin/sh
# libvirt_room.sh ROOT RELEASE DIRECTORY: runs in namespaces of its own (script/prove-vagrant): a
# libvirt that only they see, and the commands of docs/guide/vagrant.md in it.
set -eu
root=$1 release=$2 work=$3

# libvirt's own directories, empty, and its settings without what only a whole machine has.
ip link set lo up
mkdir -p "$work/lib"
for place in /run/libvirt /var/log/libvirt /var/cache/libvirt; do
  mount -t tmpfs libvirt "$place"
done
mount --bind "$work/lib" /var/lib/libvirt
mount -t tmpfs cgroups /sys/fs/cgroup
mkdir "$work/etc"
cp -R /etc/libvirt/. "$work/etc" 2>/dev/null || :
mount --bind "$work/etc" /etc/libvirt
cat >/etc/libvirt/qemu.conf <<'CONF'
security_driver = "none"
user = "root"
group = "root"
dynamic_ownership = 0
cgroup_controllers = [ ]
namespaces = [ ]
max_core = 0
CONF
mkdir -p /var/lib/libvirt/images
# Debian's libvirtd wants to know these, even where it runs everything as root.
for base in passwd group; do cp "/etc/$base" "$work/$base"; done
grep -q '^libvirt-qemu:' "$work/passwd" || echo 'libvirt-qemu:x:64055:64055::/var/lib/libvirt:/usr/sbin/nologin' >>"$work/passwd"
for name in libvirt-qemu:64055 kvm:64056; do
  grep -q "^${name%:*}:" "$work/group" || echo "${name%:*}:x:${name#*:}:" >>"$work/group"
done
for base in passwd group; do mount --bind "$work/$base" "/etc/$base"; done
virtlogd -d -p "$work/virtlogd.pid"
libvirtd -d -p "$work/libvirtd.pid" >"$work/libvirtd" 2>&1
waited=0
until [ -S /run/libvirt/libvirt-sock ]; do
  waited=$((waited + 1))
  [ "$waited" -le 100 ] || { cat "$work/libvirtd" && exit 1; }
  sleep 0.2
done

# What is written to the home (ssh's known_hosts) stays in here as well.
mkdir "$work/written" "$work/overlay"
mount -t overlay -o "lowerdir=$HOME,upperdir=$work/written,workdir=$work/overlay" overlay "$HOME"
export VAGRANT_HOME="$work/vagrant.d" VAGRANT_DOTFILE_PATH="$work/dot"
export VAGRANT_CWD="$root" VAGRANT_CHECKPOINT_DISABLE=1 VAGRANT_DEFAULT_PROVIDER=libvirt VAGRANT_NO_COLOR=1
export GOSTEAD_BOX="gostead/$release" GOSTEAD_MACHINES=1 GOSTEAD_NO_KVM=1
export PATH="$root/.venv/bin:$PATH" XDG_CACHE_HOME="${GOSTEAD_TEST_CACHE:-$root/.cache/tests}"
# There is no Internet in here: the toolchain is in the controller's cache.
mkdir -p -m 700 "$HOME/.ssh"
mkdir -p "$work/site/group_data"
cd "$work/site"
ln -s "$root/deploy.py" "$root/inventories" "$root/operations" .
printf 'go:\n  toolchains: {default: "1.27.3", fetch: controller}\n' >group_data/all.yaml
failed=no
show() { # COMMAND…: as a person would type it; what Vagrant draws over and over is left out
  printf '\n$ %s\n' "$*"
  if "$@" >"$work/said" 2>&1; then code=0; else code=$?; fi
  tr '\r' '\n' <"$work/said" | grep -Ev 'Progress: |^ *$' || :
  [ "$code" = 0 ] || { echo "exit $code" && failed=yes; }
}
vagrant box add --force --name "$GOSTEAD_BOX" "$work/gostead.box" >"$work/said" 2>&1
show vagrant up
show pyinfra -y @vagrant deploy.py
show vagrant ssh -c 'bash -lc "go version"'
show gostead remove -y @vagrant
show gostead apply -y inventories/vagrant.py
show gostead apply -y inventories/vagrant.py
# Emulated, the 30 s that an audit has by itself may be over.
show gostead audit --timeout 300 inventories/vagrant.py
show vagrant destroy -f
[ "$failed" = no ]
