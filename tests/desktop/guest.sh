#!/bin/sh
# Usage: guest.sh WORK
# A desktop of its own in fresh namespaces: a user with a home, a system bus with udisks, a session
# bus, an X server without a screen. Run by session.py under unshare. WORK is a folder for it:
# WORK/home becomes the user's home, WORK/log takes what all programs say.
#
# Nothing in here can reach the machine's buses, disks or displays: /run, /tmp and /dev are other
# ones, the network (and with it every abstract socket) is an empty one, / and /sys are read-only.
set -eu
work=$1
fail() { echo "guest: $*" >&2; exit 1; }

[ "$$" = 1 ] || fail "not the first process of a PID namespace"
[ "$(readlink /proc/self/ns/mnt)" != "$OUTER_MOUNT_NAMESPACE" ] || fail "the machine's own mounts"
mount --make-rprivate /
# Mounts whose end somebody outside waits for; a copy in here would keep them alive.
umount --all --lazy --internal-only --types fuse.isomount,fuse

# isomount for everyone, wherever it and its Python lie.
eval "$SHOW_ISOMOUNT"
mount -t tmpfs -o mode=755 guest /usr/local/sbin
cp "$work/isomount" /usr/local/sbin

# The user, and who the system bus knows besides.
cat >"$work/passwd" <<USERS
root:x:0:0:root:/root:/bin/sh
$USER:x:$USER_ID:$USER_ID:$USER:/home/$USER:/bin/sh
USERS
cat >"$work/group" <<GROUPS
root:x:0:
$USER:x:$USER_ID:
GROUPS
: >"$work/fstab"
for name in passwd group fstab; do
    mount --bind "$work/$name" "/etc/$name"
done

# No disk of the machine's is among the devices: udisks runs as root.
mkdir "$work/dev"
mount -t tmpfs -o mode=755 guest "$work/dev"
for device in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0 fuse:10:229; do
    rest=${device#*:}
    mknod -m 666 "$work/dev/${device%%:*}" c "${rest%:*}" "${rest#*:}"
done
mkdir "$work/dev/pts" "$work/dev/shm"
chmod 1777 "$work/dev/shm"
ln -s /proc/self/fd "$work/dev/fd"

mount -t tmpfs -o mode=755 guest /home
mkdir "/home/$USER"
mount --bind "$work/home" "/home/$USER"
mount -t tmpfs -o mode=755 guest /run
mount -t tmpfs -o mode=755 guest /media
mount -t tmpfs -o mode=755 guest /var/lib
mount --bind /sys /sys
mount -o remount,bind,ro /sys
mount --move "$work/dev" /dev
mount -t tmpfs -o mode=1777 guest /tmp
mkdir -m 1777 /tmp/.X11-unix
mount -o remount,bind,ro /
[ "$(stat -f -c %T /tmp /run /dev | sort -u)" = tmpfs ] || fail "/tmp, /run or /dev is not its own"

mkdir -p /run/dbus /run/udisks2 /run/mount /run/media /var/lib/udisks2 /var/lib/dbus
md5sum </proc/sys/kernel/random/uuid | cut -c1-32 >/var/lib/dbus/machine-id
mkdir /run/user
mkdir -m 700 "/run/user/$USER_ID" "/run/media/$USER"
chown "$USER_ID:$USER_ID" "/run/user/$USER_ID" "/run/media/$USER"
cat >/run/dbus/system.conf <<BUS
<busconfig>
  <type>system</type>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
  </policy>
</busconfig>
BUS
as_user() { setpriv --reuid="$USER_ID" --regid="$USER_ID" --clear-groups env -i "$@"; }

dbus-daemon --config-file=/run/dbus/system.conf --nofork --nopidfile &
until [ -S /run/dbus/system_bus_socket ]; do sleep 0.02; done
env -i PATH="$PATH" /usr/libexec/udisks2/udisksd &
as_user PATH="$PATH" Xvfb :0 -screen 0 1280x800x24 -ac -nolisten tcp &
# shellcheck disable=SC2086 # the environment, word by word
as_user $SESSION dbus-daemon --session --address="unix:path=/run/user/$USER_ID/bus" --nofork &
until [ -S "/run/user/$USER_ID/bus" ] && [ -S /tmp/.X11-unix/X0 ]; do sleep 0.02; done
echo ready >/run/ready
while :; do wait; sleep 1; done
