#!/bin/sh
# Usage: systemd_guest.sh WORK DESTDIR
# Becomes a systemd of its own in fresh namespaces, with what is in DESTDIR laid over the machine's
# own files. Run by systemd_guest.py under unshare. WORK is a folder for it.
#
# A booting systemd empties /tmp and writes to /run, /etc, /dev and /proc/sys. So all of those are
# other ones here or read-only, before it starts; where one step fails nothing is started.
set -eu
work=$1
destination=$2
fail() { echo "systemd_guest: $*" >&2; exit 1; }

[ "$$" = 1 ] || fail "not the first process of a PID namespace"
[ "$(readlink /proc/self/ns/mnt)" != "$OUTER_MOUNT_NAMESPACE" ] || fail "the machine's own mounts"
mount --make-rprivate /
# Mounts whose end somebody outside waits for; a copy in here would keep them alive.
umount --all --lazy --internal-only --types fuse.isomount,fuse

# /tmp: empty, but for the work folder at its old place.
mkdir -p "$work/tmp" "$work/dev" "$work/upper" "$work/overlay"
mount -t tmpfs -o mode=1777 guest "$work/tmp"
case $work in
    /tmp/*)
        mkdir -p "$work/tmp/${work#/tmp/}"
        mount --bind "$work" "$work/tmp/${work#/tmp/}"
        ;;
    *) mount --bind "$work" "$work" ;; # stays writable
esac
case $destination in
    "$work"/*) ;;
    *) fail "DESTDIR has to be in the work folder" ;;
esac

# What make install put there, over the machine's.
lay_over() {
    name=$(echo "$2" | tr / _)
    mkdir -p "$work/upper/$name" "$work/overlay/$name"
    mount -t overlay -o "lowerdir=$1:$2,upperdir=$work/upper/$name,workdir=$work/overlay/$name" \
        guest "$2"
}
lay_over "$destination/usr/local" /usr/local
lay_over "$destination/sbin" /usr/sbin
lay_over "$work/etc" /etc

# The devices that it needs, and none of the machine's.
mount -t tmpfs -o mode=755 guest "$work/dev"
for device in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0 fuse:10:229 autofs:10:235; do
    rest=${device#*:}
    mknod -m 666 "$work/dev/${device%%:*}" c "${rest%:*}" "${rest#*:}"
done
mkdir "$work/dev/pts" "$work/dev/shm"
ln -s /proc/self/fd "$work/dev/fd"
mount --move "$work/dev" /dev

# A tree of control groups that begins at our own.
umount -l /sys/fs/cgroup
mount --bind /sys /sys
mount -t cgroup2 guest /sys/fs/cgroup
mount -o remount,bind,ro /sys
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
mount -t tmpfs -o mode=755 guest /mnt
mount -t tmpfs -o mode=755 guest /run
mount --move "$work/tmp" /tmp
mount -o remount,bind,ro /
# As on a machine, where systemd does it: namespaces within see mounts that are made later.
mount --make-rshared /

for folder in /tmp /run /mnt; do
    [ "$(stat -f -c %T "$folder")" = tmpfs ] || fail "$folder is not the guest's own"
done
[ ! -e /dev/kmsg ] || fail "/dev is not the guest's own"
grep -q '^0::/$' /proc/self/cgroup || fail "not in a control group of its own"
! (: >>/proc/sys/kernel/core_pattern) 2>/dev/null || fail "/proc/sys can be written"

mkdir -p /run/units /run/generators
cp -a "$work/units/." /run/units/
ln -s /lib/systemd/system-generators/systemd-fstab-generator /run/generators/
echo ready >"$work/prepared"
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    container=isomount-test \
    SYSTEMD_UNIT_PATH=/run/systemd/generator:/run/units:/usr/local/lib/systemd/system \
    SYSTEMD_GENERATOR_PATH=/run/generators \
    /lib/systemd/systemd --system --unit=default.target --log-level=info --log-target=console \
    --show-status=no --default-standard-output=inherit
