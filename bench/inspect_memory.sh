#!/bin/sh
# Peak memory and time of `tensorguard inspect` on models of 1,000 shards. Prints a markdown table.
#   bench/inspect_memory.sh
# The models, small tensors in Llama's layout, are made in ${TMPDIR:-/tmp} and deleted afterwards.
set -eu
cd "$(dirname "$0")/.."
bin=build/release/bin
scratch=$(mktemp -d "${TMPDIR:-/tmp}/tensorguard-inspect.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

echo "| model | command | seconds | peak MiB | tensors listed |"
echo "| --- | --- | --- | --- | --- |"
for layers in 2222 11111; do
  "$bin/generate_model" --vocabulary 32 --hidden 8 --layers "$layers" --heads 2 --kv-heads 1 --head-dim 4 --ffn 16 \
    --shards 1000 "$scratch/model" >&2
  tensors=$((9 * layers + 2))
  for option in --quiet --tensors --json; do
    /usr/bin/time --format='%e %M' -o "$scratch/usage" "$bin/tensorguard" inspect "$option" "$scratch/model" >"$scratch/out"
    read -r seconds kib <"$scratch/usage"
    case $option in
      --tensors) listed=$(grep -c 'BF16 .*model\.' "$scratch/out") ;;
      --json) listed=$(grep -o '"dtype":"BF16"' "$scratch/out" | wc -l) ;;
      *) listed= ;;
    esac
    [ -z "$listed" ] || [ "$listed" = "$tensors" ] || { echo "listed $listed of $tensors tensors" >&2; exit 1; }
    echo "| $tensors tensors in 1,000 shards | inspect ${option#--quiet} | $seconds | $((kib / 1024)) | $listed |"
  done
  rm -rf "$scratch/model"
done
