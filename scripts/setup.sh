#!/bin/sh
# Brings a machine to where `make demo` or `make test` can run. Newcomers need not call it: make does, every time.
#
#   scripts/setup.sh demo|test
#
# 1. System packages. Installs those that are missing if it may (root, or sudo without a password);
#    otherwise prints the one line that installs them and ends with 1.
# 2. The virtual environment .venv with this project (editable: changes in the source count at once) and its tools.
#
# Where nothing is to be done it says nothing, is done in a moment and needs no network.
set -eu
cd "$(dirname "$0")/.."

say() { echo "setup: $*" >&2; }

# --- 1. system packages

# The demo needs no pcscd and no compiler. The tests do: pyscard has no wheel for Linux. OpenSC loads libpcsclite when
# it runs, so its package only recommends it.
packages="libpcsclite1 opensc opensc-pkcs11 openssl python3 python3-venv"
extras=""
case "${1-}" in
demo) ;;
test)
    packages="$packages pcscd vsmartcard-vpcd pcsc-tools yubico-piv-tool ykcs11 make gcc libc6-dev python3-dev libpcsclite-dev"
    packages="$packages gpg gpg-agent gpgconf scdaemon openssh-client default-jdk-headless pinentry-curses pinentry-tty"
    packages="$packages chromium chromium-driver node-typescript tidy"
    packages="$packages gnutls-bin libengine-pkcs11-openssl curl tshark"
    packages="$packages vsmartcard-vpicc python3-virtualsmartcard python3-pycryptodome"
    packages="$packages libnss3-tools krb5-user krb5-pkinit"
    # These packages start servers at once and at every boot: not on somebody's own machine. There the tests that need
    # them are skipped, by name.
    if [ -n "${CI-}" ] || [ ! -d /run/systemd/system ]; then
        packages="$packages openssh-server krb5-kdc krb5-admin-server"
    fi
    extras="[dev]"
    ;;
*) say "usage: scripts/setup.sh demo|test" && exit 2 ;;
esac

missing_packages() {
    installed=$(dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' $packages 2>/dev/null || true)
    for package in $packages; do
        echo "$installed" | grep -qx "installed $package" || echo "$package"
    done
}

apt() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" >&2; }

if command -v dpkg-query >/dev/null; then
    missing=$(missing_packages | xargs)
    if [ -n "$missing" ]; then
        if [ "$(id -u)" = 0 ]; then
            as_root=""
        elif sudo -n true 2>/dev/null; then
            as_root="sudo -n"
        else
            say "these system packages are missing; install them and try again:"
            echo "sudo apt-get install -y $missing"
            exit 1
        fi
        say "installing system packages: $missing"
        apt update
        apt install -y --no-install-recommends $missing
    fi
else
    for command in opensc-tool pkcs11-tool openssl; do
        PATH="$PATH:/usr/sbin" command -v $command >/dev/null || say "not Debian, and no $command: expect skipped tests"
    done
fi

# --- 2. the virtual environment

# Some tests start our programs as an ordinary user, so root's private Python (pyenv, say) will not do.
usable() {
    ask='import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))'
    if [ "$(id -u)" = 0 ] && setpriv --reuid=65534 --regid=65534 --clear-groups true 2>/dev/null; then
        setpriv --reuid=65534 --regid=65534 --clear-groups -- "$1" -Ic "$ask" 2>/dev/null
    else
        "$1" -Ic "$ask" 2>/dev/null
    fi
}

find_python() {
    for name in /usr/bin/python3 /usr/local/bin/python3 python3 python3.14 python3.13 python3.12 python3.11; do
        python=$(command -v $name) && usable "$python" && echo "$python" && return
    done
    say "no Python 3.11 or newer that ordinary users can execute"
    return 1
}

# What .venv was made from and for. A copied or moved tree counts as changed: a venv holds absolute paths.
# What the tests need is more than what the demo needs.
wanted="$PWD $(cksum <pyproject.toml)"
stamp=.venv/made-for
made_for=$(cat $stamp 2>/dev/null || true)

if { [ "$wanted$extras" != "$made_for" ] && [ "$wanted[dev]" != "$made_for" ]; } || ! .venv/bin/python -c '' 2>/dev/null || [ ! -x .venv/bin/vsc ]; then
    python=$(find_python)
    # An older .venv of this very tree and Python is brought up to date, any other is made anew.
    if ! grep -qsx "command = $python -m venv.* $PWD/.venv" .venv/pyvenv.cfg || ! .venv/bin/python -m pip -V >/dev/null 2>&1
    then
        say "making .venv with $python"
        rm -rf .venv
        "$python" -m venv .venv
    fi
    say "installing the project and its tools into .venv (a minute the first time)"
    rm -f $stamp
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --editable ".$extras"
    echo "$wanted$extras" >$stamp
fi

# --- 3. newer client libraries for PC/SC, which the tests run beside Debian 12's own

[ "$1" != test ] || scripts/newer_libpcsclite.sh
