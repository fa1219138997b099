#!/bin/sh
# Times `tensorguard compare A B --deep` as a whole process on models of true size that it makes: independent,
# with noise added, and with noise and another order of the residual stream and of the hidden units.
# Prints a markdown table.
#   bench/independence_bench.sh [--program FILE] [--threads N] [-- OPTIONS OF generate_model]
# Without options in the shapes of Llama-3.2-1B (2.5 GB each). The models lie in
# ${TMPDIR:-/tmp}/tensorguard-independence-bench and are removed at the end. Needs Debian's python3 and time.
set -eu

cd "$(dirname "$0")/.."
program=build/release/bin/tensorguard
threads=$(nproc)
while [ $# -gt 0 ]; do
  case $1 in
    --program) program=$2; shift 2 ;;
    --threads) threads=$2; shift 2 ;;
    --) shift; break ;;
    *) echo "unknown option $1" >&2; exit 2 ;;
  esac
done
for needed in /usr/bin/time /usr/bin/python3; do
  [ -x "$needed" ] || { echo "needs $needed: apt-get install $(basename "$needed")" >&2; exit 2; }
done
cmake --preset release >&2
cmake --build --preset release --target tensorguard generate_model >&2

scratch=${TMPDIR:-/tmp}/tensorguard-independence-bench
rm -rf "$scratch"
mkdir -p "$scratch"
trap 'rm -rf "$scratch"' EXIT
generate=build/release/bin/generate_model
$generate "$@" "$scratch/model" >&2

echo "| second model | seconds | processor seconds | peak MiB | log10 p | verdict |"
echo "| --- | ---: | ---: | ---: | ---: | --- |"
measure() {  # NAME OPTIONS...: those that make the second model
  name=$1
  shift
  $generate "$@" "$scratch/other" >&2
  /usr/bin/time --format="%e %U %S %M" -o "$scratch/usage" "$program" compare "$scratch/model" "$scratch/other" \
    --deep --threads "$threads" --json --quiet > "$scratch/answer.json"
  /usr/bin/python3 - "$name" "$scratch/usage" "$scratch/answer.json" << 'END'
import json
import sys

name, usage, answer = sys.argv[1:]
seconds, user, system, peak_kib = map(float, open(usage).read().split()[-4:])
answer = json.load(open(answer))
p = answer["evidence"]["test"]["log10_p"]
print(f"| {name} | {seconds:.1f} | {user + system:.1f} | {peak_kib / 1024:.0f} | {p:.1f} | {answer['verdict']} |", flush=True)
END
  rm -rf "$scratch/other"
}
measure "independent" "$@" --seed 1
measure "noise of a third" "$@" --noise 0.33
measure "noise of a third, permuted" "$@" --noise 0.33 --permute
