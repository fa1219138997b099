#!/bin/sh
# Cost of fingerprints against the size of the model. Prints a markdown table.
#   bench/cost_by_size.sh [--up-to SIZE] [--threads N] [--runs N]
# SIZE: 15M, 50M, 150M, 500M, 1.2B, 3B, 7B or 13B (the default, which needs 27 GB of disk). The models are made one by
# one in ${TMPDIR:-/tmp}, in Llama's layout and bfloat16, and deleted afterwards. What fits memory is in the page cache.
set -eu
cd "$(dirname "$0")/.."
bin=build/release/bin
up_to=13B
threads=$(nproc)
runs=3
while [ $# -gt 0 ]; do
  case $1 in
    --up-to) up_to=$2 ;;
    --threads) threads=$2 ;;
    --runs) runs=$2 ;;
    *) echo "no such option: $1" >&2; exit 2 ;;
  esac
  shift 2
done
scratch=$(mktemp -d "${TMPDIR:-/tmp}/tensorguard-sizes.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

# name, vocabulary, hidden, layers, heads, kv heads, head dim, ffn, own head. The larger ones are Llama's shapes.
shapes() {
  cat <<'END'
15M 8192 384 6 6 6 64 1024 -
50M 16384 640 8 10 10 64 1728 -
150M 32000 1024 10 16 8 64 2816 -
500M 32000 1536 16 24 8 64 4096 own
1.2B 128256 2048 16 32 8 64 8192 -
3B 128256 3072 28 24 8 128 8192 -
7B 32000 4096 32 32 32 128 11008 own
13B 32000 5120 40 40 40 128 13824 own
END
}

# median FIELD FILE
median() {
  cut -d' ' -f"$1" "$2" | sort -n | sed -n "$(((runs + 1) / 2))p"
}

# one_run PROFILE OUTPUT: appends "seconds processor-seconds peak-KiB" to $scratch/PROFILE.
one_run() {
  /usr/bin/time --format='%e %U %S %M' -o "$scratch/usage" \
    "$bin/tensorguard" fingerprint "$scratch/model" --profile "$1" --threads "$threads" --quiet -o "$2" >/dev/null
  awk '{ printf "%s %.2f %d\n", $1, $2 + $3, $4 }' "$scratch/usage" >>"$scratch/$1"
}

echo "| size | parameters | GB | profile | seconds | processor s | s per GB | peak MiB | fingerprint kB |"
echo "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
shapes | while read -r name vocabulary hidden layers heads kv_heads head_dim ffn head; do
  [ "$head" = own ] && own_head=--own-head || own_head=
  # shellcheck disable=SC2086  # no word if there is no head
  "$bin/generate_model" --vocabulary "$vocabulary" --hidden "$hidden" --layers "$layers" --heads "$heads" \
    --kv-heads "$kv_heads" --head-dim "$head_dim" --ffn "$ffn" $own_head "$scratch/model" >&2
  bytes=$(cat "$scratch"/model/*.safetensors | wc -c) # also brings it into the page cache
  parameters=$("$bin/tensorguard" inspect "$scratch/model" | awk '$1 == "parameters" { print $2 }')
  rm -f "$scratch/full" "$scratch/paper"
  run=0
  while [ "$run" -lt "$runs" ]; do
    one_run full "$scratch/$run.fingerprint.safetensors"
    one_run paper "$scratch/${run}_features.json"
    cmp "$scratch/0.fingerprint.safetensors" "$scratch/$run.fingerprint.safetensors"
    cmp "$scratch/0_features.json" "$scratch/${run}_features.json"
    run=$((run + 1))
  done
  for profile in full paper; do
    case $profile in
      full) output="$scratch/0.fingerprint.safetensors" ;;
      paper) output="$scratch/0_features.json" ;;
    esac
    awk -v name="$name" -v parameters="$parameters" -v bytes="$bytes" -v profile="$profile" \
      -v seconds="$(median 1 "$scratch/$profile")" -v cpu="$(median 2 "$scratch/$profile")" \
      -v kib="$(median 3 "$scratch/$profile")" -v size="$(wc -c <"$output")" \
      'BEGIN { printf "| %s | %s | %.2f | %s | %.2f | %.2f | %.2f | %.0f | %.0f |\n", name, parameters, bytes / 1e9,
               profile, seconds, cpu, seconds * 1e9 / bytes, kib / 1024, size / 1000 }'
  done
  rm -rf "$scratch/model" "$scratch"/*.fingerprint.safetensors "$scratch"/*_features.json
  [ "$name" != "$up_to" ] || break
done
