#!/usr/bin/env bash
# SQLite on file systems that really say no: a full tmpfs, an ext4 that becomes read-only under the server, and files that are
# mounted twice. Needs root (mounts, a loop device), mkfs.ext4, python3 and a built program:
#
#   cargo build --release && sudo tests/scripts/disks.sh target/release/customer-profile
#
# Prints what it does; ends with "passed", or with the first thing that is not as promised.
set -euo pipefail
program="$(realpath "${1:-target/release/customer-profile}")"
sample="$(dirname "$(realpath "$0")")/../../examples/retail/web.csv"
rows="$(($(wc -l <"$sample") - 1))"
work="$(mktemp -d)"
disk="$work/disk"
server=

fail() {
  printf 'FAILED: %s\n' "$1" >&2
  tail -n 20 "$work/log" >&2
  exit 1
}

stop() {
  if [ -n "$server" ]; then
    kill "-${1:-TERM}" "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=
  fi
}

clean() {
  stop KILL
  umount "$work/twice.db" 2>/dev/null || true
  umount "$disk" 2>/dev/null || true
  rm -rf "$work"
}
trap clean EXIT

start() {
  : >"$work/log"
  "$program" serve --insecure --database-url "sqlite://$disk/a.db" --grpc-address 127.0.0.1:0 --operations-address 127.0.0.1:0 \
    --set grpc.lame_duck=0s --log-format json 2>"$work/log" &
  server=$!
  for _ in $(seq 600); do
    if grep -q '"message":"ready"' "$work/log"; then break; fi
    kill -0 "$server" 2>/dev/null || fail 'the server ended'
    sleep 0.1
  done
  address="http://$(sed -n 's/.*"grpc":"\([^"]*\)".*/\1/p' "$work/log" | head -n 1)"
}

import() {
  "$program" import "$sample" --source web --kind customers --batch-rows 50 --server "$address" "$@"
}

stored() {
  python3 -c 'import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute("SELECT COUNT(*) FROM record").fetchone()[0])' \
    "$disk/a.db"
}

mkdir "$disk"

printf '== a full disk: %s rows onto 4 MiB\n' "$rows"
mount -t tmpfs -o size=4m tmpfs "$disk"
start
if import >"$work/out" 2>&1; then fail 'the import says that all was stored'; fi
cat "$work/out"
[ "$(grep 'began to fail' "$work/log" | grep -c 'writes to the database')" = 1 ] || fail 'not exactly one line says that writes fail'
grep -q 'the disk is full' "$work/log" || fail 'the log does not say that the disk is full'
mount -o remount,size=200m "$disk"
import --resume || fail 'the import does not go on when there is room'
stop KILL
[ "$(stored)" = "$rows" ] || fail "$(stored) of $rows rows are there"

printf '== a file system that gives up and becomes read-only, as ext4 does after errors of its disk\n'
umount "$disk"
truncate -s 64m "$work/image"
mkfs.ext4 -q "$work/image"
mount -o loop "$work/image" "$disk"
start
head -n 1001 "$sample" >"$work/some.csv"
"$program" import "$work/some.csv" --source web --kind customers --server "$address"
mount -o remount,abort "$disk"
if import >"$work/out" 2>&1; then fail 'the import says that all was stored'; fi
[ "$(grep 'began to fail' "$work/log" | grep -c 'writes to the database')" = 1 ] || fail 'not exactly one line says that writes fail'
stop KILL
umount "$disk"
e2fsck -fp "$work/image" >/dev/null || [ $? -lt 4 ] || fail 'the file system cannot be mended'
mount -o loop "$work/image" "$disk"
start
import || fail 'the import does not go on when the disk works again'
stop
[ "$(stored)" = "$rows" ] || fail "$(stored) of $rows rows are there"

printf '== one file by a mount of its own\n'
touch "$work/twice.db"
mount --bind "$disk/a.db" "$work/twice.db"
if "$program" serve --insecure --database-url "sqlite://$work/twice.db" --grpc-address 127.0.0.1:0 --operations-address 127.0.0.1:0 \
  2>"$work/log"; then fail 'a server started'; fi
grep -q 'is a mount of its own' "$work/log" || fail 'another reason than the mount'
umount "$work/twice.db"

printf '== the same directory by two mounts\n'
mkdir "$work/second"
mount --bind "$disk" "$work/second"
start
if "$program" serve --insecure --database-url "sqlite://$work/second/a.db" --grpc-address 127.0.0.1:0 \
  --operations-address 127.0.0.1:0 2>"$work/second.log"; then fail 'a second server started'; fi
grep -q 'another process is using this database' "$work/second.log" || fail 'another reason than the lock'
stop
umount "$work/second"
printf 'passed\n'
