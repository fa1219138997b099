#!/bin/sh
# What a registry holds after the program that adds to it was killed, its disk was full, or two
# programs wrote at once.
#   bench/registry_crash.sh [ROUNDS [PROGRAM]]    40 rounds with build/release/bin/tensorguard if not given
# Prints a line for each part; status 1 if any is not clean.
set -eu
cd "$(dirname "$0")/.."
rounds=${1:-40}
program=${2:-$PWD/build/release/bin/tensorguard}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

"$program" fingerprint examples/models/alder examples/models/birch examples/models/cedar \
  examples/models/elm examples/models/hazel examples/models/alder--lora -o "$work/prints" --quiet >/dev/null

models_in() {
  "$program" registry status "$1" --json | tr ',' '\n' | sed -n 's/^"models"://p'
}

verify() {
  "$program" registry verify "$1" >"$work/verified" 2>&1 && return 0
  echo "NOT CLEAN: $2"
  cat "$work/verified"
  status=1
}

# Killed at random moments of adding; every model that was told to be added is there.
for blobs in "" "--blobs prints.blobs"; do
  registry=$work/killed${blobs:+-folder}.tgr
  # shellcheck disable=SC2086  # none, or two words
  "$program" registry init "$registry" $blobs >/dev/null
  killed=0
  told=0
  round=0
  while [ "$round" -lt "$rounds" ]; do
    round=$((round + 1))
    for print in "$work"/prints/*.safetensors; do
      "$program" registry add "$print" --registry "$registry" --source "hf://$round/$(basename "$print")" \
        >"$work/one" 2>/dev/null &
      adding=$!
      sleep "$(awk -v seed="$round$adding" 'BEGIN { srand(seed); printf "%.3f", 0.4 * rand() }')"
      if kill -9 "$adding" 2>/dev/null; then killed=$((killed + 1)); fi
      wait "$adding" 2>/dev/null || true
      told=$((told + $(grep -c '^1 added' "$work/one" || true)))
    done
  done
  verify "$registry" "after kills"
  there=$(models_in "$registry")
  echo "killed $killed of $((rounds * 6)) times while adding${blobs:+ to a folder}: $told told, $there there"
  if [ "$there" -lt "$told" ]; then
    echo "LOST: $((told - there))"
    status=1
  fi
done

# Two programs at once.
registry=$work/two.tgr
"$program" registry init "$registry" >/dev/null
for writer in 1 2; do
  (for print in "$work"/prints/*.safetensors; do
    "$program" registry add "$print" --registry "$registry" --source "hf://$writer/$(basename "$print")" >/dev/null
  done) &
done
wait
verify "$registry" "after two writers"
echo "two programs at once: $(models_in "$registry") of 12 models there"
[ "$(models_in "$registry")" = 12 ] || status=1

# A full disk, where this user may mount one.
mkdir "$work/small"
if mount -t tmpfs -o size=2500k none "$work/small" 2>/dev/null; then
  registry=$work/small/full.tgr
  "$program" registry init "$registry" >/dev/null
  "$program" registry add "$work/prints" --registry "$registry" >/dev/null 2>"$work/error" || true
  there=$(models_in "$registry")
  verify "$registry" "after a full disk"
  umount "$work/small"
  grep -q "no space left" "$work/error" || { echo "NO ERROR on a full disk"; cat "$work/error"; status=1; }
  echo "full disk: $there of 6 models there, and the error says so"
else
  echo "full disk: skipped, no right to mount one"
fi
exit "$status"
