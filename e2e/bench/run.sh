#!/usr/bin/env bash
# Measures headwater from outside and prints ratios as Markdown tables:
#
#   live    against rawfan, an epoll loop that does nothing but pass bytes on
#   static  against nginx with one worker and sendfile
#
# The two sides of a ratio run in turn, ROUNDS times, on this machine; a figure
# of one side alone says more about the machine than about the server.
#
#   BENCH_TOOLS=dir   the folder with lolbench/, rawfan/ and static (needed)
#   HEADWATER=file    the binary to measure (built from this tree if not given)
#   ROUNDS=3  VIEWERS="20 200 1000 5000"  SEGS=3  PARTS="live static"
#
# The kernel counts CPU in hundredths of a second, so fewer than 100 viewers get
# five times the segments.
#
# Needs go, gcc, and for the static part nginx, wrk and bc. Sends to loopback only.
set -euo pipefail

: "${BENCH_TOOLS:?the folder with lolbench/, rawfan/ and static must be named}"
rounds=${ROUNDS:-3}
viewers=${VIEWERS:-20 200 1000 5000}
segs=${SEGS:-3}
parts=${PARTS:-live static}
root=$(cd "$(dirname "$0")/../.." && pwd)
tools=$(cd "$BENCH_TOOLS" && pwd)
tmp=$(mktemp -d)
pid='' # the server that is running

fail() {
	echo "run.sh: $*" >&2
	exit 1
}

stop() { # end the server, if one runs
	[ -z "$pid" ] || { kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; } || true
	pid=''
}

trap 'stop; rm -rf "$tmp"' EXIT

need() { # package program
	command -v "$2" >/dev/null || fail "the program $2 is missing: apt-get install $1"
}

free_port() {
	local p
	while :; do
		p=$((20000 + RANDOM % 10000))
		(exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null || break
	done
	echo "$p"
}

wait_port() {
	local i
	for ((i = 0; i < 100; i++)); do
		(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
		sleep 0.1
	done
	return 1
}

start() { # command...: run a server that listens on $port, remember its pid
	"$@" >&2 2>"$tmp/server.log" &
	pid=$!
	wait_port "$port" || { cat "$tmp/server.log" >&2; fail "nothing listens on port $port: $*"; }
}

serve() { # flags...
	start "$tmp/headwater" serve --listen "127.0.0.1:$port" --admin off --log-level warn "$@"
}

median() { sort -g | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }

ratio() { awk -v a="$1" -v b="$2" 'BEGIN {if (b > 0) printf "%.2f", a / b; else print "-"}'; }

field() { # key file...: the key's value in each line of JSON
	local key=$1
	shift
	sed -n "s/.*\"$key\":\([-0-9.e+]*\).*/\1/p" "$@"
}

build() {
	(cd "$tools/lolbench" && go build -o "$tmp/lolbench" .)
	gcc -O2 -o "$tmp/rawfan" "$tools/rawfan/rawfan.c"
	if [ -n "${HEADWATER:-}" ]; then
		cp "$HEADWATER" "$tmp/headwater"
	else
		(cd "$root" && go build -trimpath -o "$tmp/headwater" ./cmd/headwater)
	fi
}

live_once() { # name viewers
	port=$(free_port)
	case $1 in
	floor) start "$tmp/rawfan" "$port" ;;
	headwater) serve ;;
	esac
	local count=$segs
	[ "$2" -ge 100 ] || count=$((segs * 5))
	"$tmp/lolbench" -base "http://127.0.0.1:$port" -pid "$pid" -name "$1" \
		-clients "$2" -segs "$count" -lead 100ms >>"$tmp/live-$1-$2"
	stop
	tail -n 1 "$tmp/live-$1-$2" >&2
}

live() {
	local n round
	for n in $viewers; do
		[ "$(ulimit -n)" -gt $((n + 100)) ] || fail "$n viewers need more open files than ulimit -n allows, $(ulimit -n)"
		for ((round = 0; round < rounds; round++)); do
			live_once floor "$n"
			live_once headwater "$n"
		done
	done
	live_table
}

live_table() {
	local n key row
	echo
	echo "Live, headwater : floor, ratios of the medians of $rounds rounds"
	echo
	echo '| viewers | CPU per chunk | delay p50 | delay p99 | chunks delivered | damaged | GETs failed |'
	echo '|---|---|---|---|---|---|---|'
	for n in $viewers; do
		row="| $n"
		for key in server_cpu_us_per_chunk p50_us p99_us; do
			row+=" | $(ratio "$(field $key "$tmp/live-headwater-$n" | median)" "$(field $key "$tmp/live-floor-$n" | median)")"
		done
		row+=" | $(field chunks_delivered "$tmp/live-headwater-$n" | total) of $(field chunks_expected "$tmp/live-headwater-$n" | total)"
		row+=" | $(field chunks_damaged "$tmp/live-headwater-$n" | total) | $(field gets_failed "$tmp/live-headwater-$n" | total) |"
		echo "$row"
	done
}

total() { awk '{n += $1} END {print n + 0}'; }

nginx_conf() {
	cat <<-EOF
		worker_processes 1;
		pid $tmp/nginx.pid;
		error_log $tmp/nginx.log;
		events { worker_connections 4096; }
		http {
			access_log off;
			sendfile on;
			tcp_nopush on;
			keepalive_timeout 60;
			keepalive_requests 100000000;
			types { video/iso.segment m4s; }
			client_body_temp_path $tmp/nginx-body;
			proxy_temp_path $tmp/nginx-proxy;
			fastcgi_temp_path $tmp/nginx-fastcgi;
			uwsgi_temp_path $tmp/nginx-uwsgi;
			scgi_temp_path $tmp/nginx-scgi;
			server { listen 127.0.0.1:$port; root $tmp/files; }
		}
	EOF
}

static_once() { # name
	local worker
	port=$(free_port)
	case $1 in
	nginx)
		nginx_conf >"$tmp/nginx.conf"
		start nginx -c "$tmp/nginx.conf" -g 'daemon off;'
		worker=$(pgrep -P "$pid") ;;
	disk)
		serve --rdirs "$tmp/files"
		worker=$pid ;;
	memory)
		serve
		worker=$pid
		local f
		for f in "$tmp"/files/*.m4s; do
			curl -q -sS -f --noproxy '*' -o "$tmp/put" -T "$f" "http://127.0.0.1:$port/$(basename "$f")"
		done ;;
	esac
	"$tools/static" "$1" "$port" "$worker" | tee -a "$tmp/static" >&2
	stop
}

static() {
	local round f side row
	need nginx nginx
	need wrk wrk
	need bc bc
	need curl curl
	mkdir "$tmp/files"
	chmod 755 "$tmp" "$tmp/files" # nginx's worker is another user
	head -c 3000 /dev/urandom >"$tmp/files/3k.m4s"
	head -c 100000 /dev/urandom >"$tmp/files/100k.m4s"
	head -c 1000000 /dev/urandom >"$tmp/files/1m.m4s"
	for ((round = 0; round < rounds; round++)); do
		for side in nginx disk memory; do static_once "$side"; done
	done
	echo
	echo "Static, headwater : nginx, CPU per request, ratios of the medians of $rounds rounds"
	echo
	echo '| mount | 3 kB | 100 kB | 1 MB | failed requests |'
	echo '|---|---|---|---|---|'
	for side in disk memory; do
		row="| $side"
		for f in 3k 100k 1m; do row+=" | $(ratio "$(cost "$side" $f)" "$(cost nginx $f)")"; done
		echo "$row | $(grep "^$side " "$tmp/static" | grep -c -E 'Non-2xx|Socket' || true) |"
	done
}

cost() { # side file: median CPU per request, in microseconds
	sed -n "s|^$1 $2\.m4s .*cpu_us/req=\([0-9.]*\).*|\1|p" "$tmp/static" | median
}

need golang go
need gcc gcc
build
for part in $parts; do
	case $part in
	live | static) "$part" ;;
	*) fail "there is no part $part" ;;
	esac
done
