#!/bin/sh
# Demo and tests in a fresh Debian 13, below a folder: Python 3.13, pcscd 2.3, OpenSC 0.26 instead of Debian 12's.
#
#   scripts/debian13.sh [FOLDER] [-- COMMAND]...
#
# FOLDER (/var/tmp/vsc-debian13) gets a Debian of debootstrap, some 2 GB; one that is there is used again. What is
# committed here is cloned into it. Without a COMMAND, `make demo` runs as an ordinary user and `make test` as root, as
# in CI. Needs root, and debootstrap. Packages come from the mirror that apt has here for its own Debian.
set -eu
cd "$(dirname "$0")/.."

say() { echo "debian13: $*" >&2; }

root=/var/tmp/vsc-debian13
if [ $# -gt 0 ] && [ "$1" != -- ]; then
    root=$1
    shift
fi
[ "${1-}" != -- ] || shift

[ "$(id -u)" = 0 ] || { say "only root can make a Debian below a folder"; exit 1; }
command -v debootstrap >/dev/null || { say "debootstrap is missing: apt-get install -y debootstrap"; exit 1; }

if [ ! -e "$root/made" ]; then
    own=$(. /etc/os-release && echo "${VERSION_CODENAME-sid}")
    mirror=$(apt-get indextargets --format '$(SITE) $(CODENAME)' | awk -v own="$own" '$2 == own { print $1; exit }')
    [ -n "$mirror" ] || { say "apt has no mirror for $own here"; exit 1; }
    say "making a Debian 13 in $root"
    debootstrap --variant=minbase --include=ca-certificates,git,make trixie "$root" "$mirror" >"$root.log" 2>&1 ||
        { tail -n 3 "$root.log" >&2; exit 1; }
    chroot "$root" useradd --create-home tester
    touch "$root/made"
fi
# How pip finds the index on this machine.
for file in /etc/pip.conf "${PIP_CERT-}"; do
    [ ! -f "$file" ] || install -D -m 644 "$file" "$root$file"
done

# A .venv that is there stays.
[ -d "$root/checkout/.git" ] || git clone --quiet --no-hardlinks . "$root/checkout"
chown -R "$(id -u)" "$root/checkout"
git -C "$root/checkout" fetch --quiet "$PWD" HEAD
git -C "$root/checkout" reset --quiet --hard FETCH_HEAD
git -C "$root/checkout" clean --quiet -fd
chroot "$root" chown -R tester: /checkout
[ $# -gt 0 ] || set -- "scripts/setup.sh test" "setpriv --reuid tester --regid tester --init-groups env HOME=/home/tester CI= make demo" "make test"

# The mounts are those of this process alone, and go with it.
export CI=true LC_ALL=C.UTF-8
for command; do
    say "$command"
    unshare --mount --propagation private sh -euc '
        mount --rbind "$0" "$0"
        mount -t proc proc "$0/proc"
        mount --rbind /sys "$0/sys"
        mount --rbind /dev "$0/dev"
        mount -t tmpfs -o mode=1777 tmpfs "$0/tmp"
        cp /etc/resolv.conf /etc/hosts "$0/etc/"
        # Not chroot: below it no namespaces of mounts can be made, and the tests make some.
        cd "$0"
        pivot_root . .
        umount -l .
        cd /checkout
        exec /bin/sh -euc "$1"
    ' "$root" "$command"
done
