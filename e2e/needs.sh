#!/bin/sh
# Installs the Debian packages of the programs the tests drive, where they are
# missing: ffmpeg (with ffprobe and ffplay), curl, nginx, mpv and iproute2 for e2e, a C
# compiler for go test -race.
# It prints nothing when all is there. Where it cannot install, it fails with
# one line that names the packages and the programs.
set -eu

programs='' # what is missing
packages=''

need() { # package program
	command -v "$2" >/dev/null 2>&1 || miss "$1" "$2"
}

miss() {
	programs="$programs${programs:+, }$2"
	case " $packages " in
	*" $1 "*) ;;
	*) packages="$packages${packages:+ }$1" ;;
	esac
}

compiles() { # the race detector needs cgo: a compiler and the C headers
	printf '#include <stdlib.h>\n' | "${CC:-gcc}" -x c -fsyntax-only - >/dev/null 2>&1
}

missing() {
	programs='' packages=''
	need ffmpeg ffmpeg
	need ffmpeg ffprobe
	need curl curl
	need nginx-light nginx
	need mpv mpv
	need iproute2 ip
	if ! compiles; then
		miss gcc "${CC:-gcc}"
		miss libc6-dev stdlib.h
	fi
	[ -n "$packages" ]
}

fail() {
	echo "e2e/needs.sh: missing: $programs; $1 apt-get install $packages" >&2
	exit 1
}

missing || exit 0

command -v apt-get >/dev/null 2>&1 || fail 'there is no apt-get here to run:'

if [ "$(id -u)" = 0 ]; then
	as_root=''
elif sudo -n true >/dev/null 2>&1; then
	as_root='sudo -n'
else
	fail 'as root, run:'
fi

echo "e2e/needs.sh: installing $packages (for $programs)"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# An update that fails in part may still have left lists that will do.
# shellcheck disable=SC2086 # both are lists of words
if ! { $as_root apt-get update || true; $as_root env DEBIAN_FRONTEND=noninteractive \
	apt-get install -y --no-install-recommends $packages; } >"$log" 2>&1 </dev/null; then
	fail "this failed ($(grep '^E:' "$log" | head -n 1)):"
fi
if missing; then
	fail 'still, after'
fi
