#!/bin/sh
# Newer client libraries than Debian 12's libpcsclite 1.9.9, for tests/interop/pcsc/test_newer_clients.py.
#
#   scripts/newer_libpcsclite.sh [SUITE]...        (trixie and forky, if none is named)
#
# Leaves in .venv/libpcsclite/SUITE/: the libraries of the suite's libpcsclite1; a file `version` with the package's
# version; and where this machine's glibc is too old for them, the suite's own, to be started by its own ld.so.
# Nothing is installed. What is there already is left alone, so a second run needs no network and says nothing.
#
# Packages come by apt from the mirrors this machine has configured, with the suite's name changed, by a configuration
# in a temporary folder; apt's own state stays as it is, and apt checks the signatures with the machine's keys. Where
# that fails it says why and ends with 0: the tests then skip, or in CI fail.
set -eu
cd "$(dirname "$0")/.."

say() { echo "newer_libpcsclite: $*" >&2; }

keep=$PWD/.venv/libpcsclite

# The machine's Debian sources with the suite's name in place of its own. Backports, security and others are left out.
sources_for() {
    own=$(. /etc/os-release && echo "${VERSION_CODENAME-sid}")
    names="$own|oldoldstable|oldstable|stable|testing|unstable|sid"
    for file in /etc/apt/sources.list.d/*.sources; do
        [ -f "$file" ] || continue
        awk -v suite="$1" -v names="^($names)\$" 'BEGIN { RS = ""; FS = "\n" }
            {
                found = 0; out = ""
                for (i = 1; i <= NF; i++) {
                    line = $i
                    if (line ~ /^Types:/) line = "Types: deb"
                    if (line ~ /^Suites:/) {
                        n = split(line, word, /[ \t]+/)
                        for (j = 2; j <= n; j++) if (word[j] ~ names) found = 1
                        line = "Suites: " suite
                    }
                    out = out line "\n"
                }
                if (found) print out
            }' "$file" >"$work/parts/$(basename "$file")"
    done
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -f "$file" ] || continue
        sed -nE "s/^deb +((\[[^]]*\] +)?[^ ]+ +)($names)( .*)\$/deb \1$1\4/p" "$file" >"$work/parts/$(basename "$file")"
    done
    find "$work/parts" -type f -size 0 -delete
    [ -n "$(ls "$work/parts")" ]
}

apt() {
    (
        cd "$work/debs"
        apt-get -qq -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work/parts" \
            -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" \
            -o Acquire::AllowInsecureRepositories=false -o APT::Get::AllowUnauthenticated=false \
            -o Acquire::Languages=none -o Acquire::Retries=1 \
            -o Acquire::http::Timeout=15 -o Acquire::https::Timeout=15 "$@"
    )
}

# Downloads the package and puts the libraries in it into $work/new.
take() {
    apt download "$1" && dpkg-deb -x "$work/debs/$1"_*.deb "$work/$1" || return 1
    find "$work/$1" ! -type d -path '*/lib/*' \( -name '*.so' -o -name '*.so.*' \) ! -path '*/gconv/*' \
        ! -path '*/audit/*' -exec cp -P -t "$work/new" {} +
}

fetch() {
    mkdir -p "$work/parts" "$work/lists/partial" "$work/cache/archives/partial" "$work/debs" "$work/new" || return 1
    # apt downloads as this user if it may write here.
    [ "$(id -u)" != 0 ] || chown _apt "$work/debs" || true
    sources_for "$1" || { echo "no Debian mirror in apt's sources"; return 1; }
    # Another repository of the machine's may lack the suite: what counts is whether the package can be had.
    apt update || true
    take libpcsclite1 || return 1
    if needs_newer_glibc "$work/new"; then
        take libc6 || return 1
    fi
    dpkg-deb -f "$work"/debs/libpcsclite1_*.deb Version >"$work/new/version" || return 1
    mkdir -p "$keep" && new=$(mktemp -d "$keep/.new-XXXXXX") || return 1
    # All or nothing; who fetches at the same time may be first.
    chmod 755 "$new" && cp -P "$work"/new/* "$new/" && mv -T "$new" "$keep/$1" && return 0
    rm -rf "$new"
    [ -f "$keep/$1/version" ]
}

needs_newer_glibc() {
    LC_ALL=C LD_LIBRARY_PATH="$1" ldd "$1/libpcsclite_real.so.1" 2>&1 | grep -q 'version .GLIBC.* not found'
}

[ $# -gt 0 ] || set -- trixie forky
work=""
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
for suite; do
    [ ! -f "$keep/$suite/version" ] || continue
    if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
        say "not Debian: no libpcsclite1 of $suite, expect skipped tests"
        continue
    fi
    say "fetching libpcsclite1 of $suite into .venv/libpcsclite"
    work=$(mktemp -d)
    chmod 755 "$work"
    if said=$(fetch "$suite" 2>&1); then
        say "$suite: $(cat "$keep/$suite/version")"
    else
        echo "$said" | tail -n 5 >&2
        say "no libpcsclite1 of $suite: expect skipped tests (in CI: failed ones)"
    fi
    rm -rf "$work"
    work=""
done
