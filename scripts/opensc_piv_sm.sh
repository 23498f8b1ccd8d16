#!/bin/sh
# Debian 13's OpenSC, built with PIV's secure messaging, for tests/interop/test_piv_secure_messaging.py: no package has
# that switch on.
#
#   scripts/opensc_piv_sm.sh
#
# Leaves it in .venv/opensc-piv-sm, with its programs in bin; nothing is installed. What is there already is left alone.
# The source comes by apt from the mirror that this machine has, with the suite's name changed, by a configuration in a
# temporary folder; apt checks it with the machine's keys. Needs autoconf, automake, libtool, pkg-config, libssl-dev and
# libpcsclite-dev, and some minutes.
set -eu
cd "$(dirname "$0")/.."

say() { echo "opensc_piv_sm: $*" >&2; }

suite=trixie
keep=$PWD/.venv/opensc-piv-sm
[ ! -x "$keep/bin/opensc-tool" ] || exit 0
for command in apt-get autoconf automake libtoolize pkg-config gcc make; do
    command -v $command >/dev/null || { say "$command is missing"; exit 1; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$work/parts" "$work/lists/partial" "$work/cache/archives/partial" "$work/source"
chmod 755 "$work"
[ "$(id -u)" != 0 ] || chown _apt "$work/source" || true

own=$(. /etc/os-release && echo "${VERSION_CODENAME-sid}")
mirror=$(apt-get indextargets --format '$(SITE) $(CODENAME)' | awk -v own="$own" '$2 == own { print $1; exit }')
[ -n "$mirror" ] || { say "apt has no mirror for $own here"; exit 1; }
echo "deb-src $mirror $suite main" >"$work/parts/source.list"

apt() {
    (
        cd "$work/source"
        apt-get -qq -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/parts" \
            -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" -o Acquire::Languages=none \
            -o Acquire::AllowInsecureRepositories=false -o APT::Get::AllowUnauthenticated=false "$@"
    )
}

say "fetching the source of OpenSC of $suite"
apt update
# Of the three files only the first is wanted, and a mirror may have dropped the others for newer ones.
apt source --download-only opensc >"$work/log" 2>&1 || true
set -- "$work"/source/opensc_*.orig.tar.*
[ -f "$1" ] || { tail -n 3 "$work/log" >&2; say "there is no source"; exit 1; }
tar -xf "$1" -C "$work/source"
cd "$work/source"/[Oo]pen[Ss][Cc]-*/

say "building it"
{
    [ -x configure ] || ./bootstrap
    ./configure --prefix="$keep" --sysconfdir="$keep/etc" --enable-piv-sm --disable-man --disable-doc --disable-notify \
        --disable-cmocka --disable-strict --disable-static CFLAGS="-O1 -w"
    make -j "$(nproc)"
    make install
} >"$work/log" 2>&1 || { tail -n 5 "$work/log" >&2; say "it cannot be built"; exit 1; }
