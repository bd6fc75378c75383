#!/usr/bin/env bash
# Runs the server in a memory control group, as its container would, and loads it until every bounded part is full: the cache
# by customers that are read by e-mail and by record, 2,000 watches that nobody takes from, 200 messages of 4 MiB of which the
# last byte never comes, and an import beside. The kernel must not kill it, and must not have been close to.
#
#   tests/scripts/memory.sh [postgres|sqlite] [LIMIT]      LIMIT: such as 512M; default: that of the overlay
#
# Run as root (control groups belong to root), after `cargo build --release` and `tests/run` (which installs Python with its
# gRPC packages). The settings are those that ship: k8s/base/customer-profile.toml and what the overlay adds. Exit code 0: it
# was not killed; 1: it was, or the load failed; 2: it cannot run here.
#
# Environment: PROGRAM (default target/release/customer-profile), CUSTOMERS (60000), SENDERS (200), WATCHERS (2000), SETTINGS
# (more of `--set`, for a look at other settings).
set -euo pipefail
cd "$(dirname "$0")/../.."

database="${1:-postgres}"
program="${PROGRAM:-target/release/customer-profile}"
tools="${CUSTOMER_PROFILE_TOOLS:-target/tools/bin}"
read -ra settings <<<"${SETTINGS:-}"

cannot() { printf 'cannot run: %s\n' "$1" >&2; exit 2; }

case "$database" in
  postgres) manifest=k8s/base/deployment.yaml ;;
  sqlite) manifest=k8s/overlays/sqlite/server.yaml ;;
  *) cannot "the database is postgres or sqlite, not $database" ;;
esac
# The last limit of the file is the server's; those before it are of what runs before it.
manifest_limit="$(grep -o 'limits: { memory: [0-9]*Mi }' "$manifest" | tail -1 | grep -o '[0-9]*Mi')"
limit="${2:-${manifest_limit%i}}"
limit_bytes="$(numfmt --from=iec "$limit")"

[ "$(id -u)" = 0 ] || cannot "control groups belong to root"
[ -x "$program" ] || cannot "$program is missing; run cargo build --release"
[ -x "$tools/python" ] || cannot "$tools/python is missing; run tests/run once, or set CUSTOMER_PROFILE_TOOLS"

name="customer-profile-memory-$$"
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  version=2 group="/sys/fs/cgroup/$name"
  grep -qw memory /sys/fs/cgroup/cgroup.controllers || cannot "the memory controller is not there"
  echo +memory >/sys/fs/cgroup/cgroup.subtree_control || cannot "the memory controller cannot be enabled"
elif [ -d /sys/fs/cgroup/memory ]; then
  version=1 group="/sys/fs/cgroup/memory/$name"
else
  cannot "there are no memory control groups at /sys/fs/cgroup"
fi
mkdir "$group" || cannot "no control group can be made at /sys/fs/cgroup"
if [ "$version" = 2 ]; then
  echo "$limit_bytes" >"$group/memory.max"
  echo 0 >"$group/memory.swap.max" 2>/dev/null || true
  killed() { awk '$1 == "oom_kill" { print $2 }' "$group/memory.events"; }
  # Without the page cache of files, which is given back when memory is short.
  used() { awk '$1 == "anon" { print $2 }' "$group/memory.stat"; }
else
  echo "$limit_bytes" >"$group/memory.limit_in_bytes"
  killed() { awk '$1 == "oom_kill" { print $2 }' "$group/memory.oom_control"; }
  used() { awk '$1 == "rss" { print $2 }' "$group/memory.stat"; }
fi

work="$(mktemp -d)"
chmod 755 "$work"
server="" pg_data="" sampler=""
finish() {
  [ -z "$sampler" ] || kill "$sampler" 2>/dev/null || true
  [ -z "$server" ] || { kill -KILL "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }
  [ -z "$pg_data" ] || setpriv --reuid=postgres --regid=postgres --clear-groups "$pg_bin/pg_ctl" -D "$pg_data" -m immediate stop >/dev/null || true
  for _ in 1 2 3 4 5; do rmdir "$group" 2>/dev/null && break; sleep 0.2; done
  rm -rf "$work"
}
trap finish EXIT

mkdir "$work/stubs"
"$tools/python" -m grpc_tools.protoc -Iproto --python_out="$work/stubs" --grpc_python_out="$work/stubs" \
  $(cd proto && find . -name '*.proto' -printf '%P\n')

if [ "$database" = postgres ]; then
  pg_bin="$(dirname "$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | tail -1)")" || cannot "PostgreSQL is not installed"
  mkdir "$work/pg" && chown postgres "$work/pg"
  pg_data="$work/pg/data"
  as_postgres() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
  as_postgres "$pg_bin/initdb" -D "$pg_data" -A trust >/dev/null
  # Nobody takes the power away here.
  as_postgres "$pg_bin/pg_ctl" -D "$pg_data" -w -l "$work/pg/log" \
    -o "-c listen_addresses='' -c unix_socket_directories=$work/pg -c max_connections=60" start >/dev/null
  export CUSTOMER_PROFILE_DATABASE__URL="postgres://postgres@localhost/postgres?host=${work//\//%2F}%2Fpg"
  "$program" migrate >/dev/null
else
  export CUSTOMER_PROFILE_DATABASE__URL="sqlite://$work/customer-profile.db"
fi

# What the overlay says of settings by the environment counts here too.
while IFS='=' read -r key value; do export "$key=$value"; done < <(
  awk '/name: (CUSTOMER_PROFILE_|MALLOC_)/ { name = $3 } /value:/ && name { print name "=" $2; name = "" }' "$manifest" |
    tr -d '"' | grep -v 'CUSTOMER_PROFILE_CONFIG=\|DATABASE__URL=' || true
)
port=$((20000 + $$ % 20000))
bash -c 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"' - "$group" "$program" serve --insecure --set auth.insecure_any_address=true --config k8s/base/customer-profile.toml \
  --set "grpc.address=127.0.0.1:$port" --set "operations.address=127.0.0.1:$((port + 1))" "${settings[@]}" 2>"$work/log" &
server=$!
for _ in $(seq 300); do
  kill -0 "$server" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
  [ "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$((port + 1))/readyz")" != 200 ] || break
  sleep 0.1
done

mebibytes() { echo $(($1 / 1048576)); }
metric() { curl -s "http://127.0.0.1:$((port + 1))/metrics" | awk -v name="$1" 'index($1, name) == 1 { print int($2) }'; }
printf '%s, limit %s MiB; after the start %s MiB\n' "$database" "$(mebibytes "$limit_bytes")" "$(mebibytes "$(used)")"
(
  most=0
  while sleep 0.2; do
    now="$(used 2>/dev/null)" || exit 0
    [ "$now" -le "$most" ] || { most="$now"; echo "$most" >"$work/most.new"; mv "$work/most.new" "$work/most"; }
  done
) &
sampler=$!

status=0
MEMORY_STAT="$group/memory.stat" "$tools/python" tests/scripts/memory.py "127.0.0.1:$port" "$work/stubs" "$program" \
  "${CUSTOMERS:-60000}" "${SENDERS:-200}" "${WATCHERS:-2000}" || status=1
printf 'cache %s MiB by weight; %s MiB now, at most %s MiB of %s MiB; killed %s times\n' \
  "$(mebibytes "$(metric customer_profile_cache_size_bytes || echo 0)")" "$(mebibytes "$(used)")" \
  "$(mebibytes "$(cat "$work/most")")" "$(mebibytes "$limit_bytes")" "$(killed)"
if [ "$(killed)" != 0 ] || ! kill -0 "$server" 2>/dev/null; then
  tail -3 "$work/log" >&2
  status=1
fi
exit "$status"
