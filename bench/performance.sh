#!/bin/sh
# Everything that docs/performance.md shows, in one command: builds the release, describes the machine, and runs each
# measurement. Prints markdown; progress goes to standard error.
#   bench/performance.sh [--model FOLDER] [--runs N] [--up-to SIZE]
# FOLDER is made if absent, in the shapes of Llama-3.2-1B (2.5 GB); without --model it lies in ${TMPDIR:-/tmp}.
# SIZE, the largest of bench/cost_by_size.sh: 13B needs 27 GB of disk more, and is the default.
# Needs Debian's python3 and time. On a machine that others use, ratios within a table hold better than seconds.
set -eu

model="${TMPDIR:-/tmp}/tensorguard-bench/llama-3.2-1b"
runs=5
up_to=13B
while [ $# -gt 0 ]; do
  case $1 in
    --model) model=$(realpath --canonicalize-missing "$2") ;;
    --runs) runs=$2 ;;
    --up-to) up_to=$2 ;;
    *) echo "no such option: $1" >&2; exit 2 ;;
  esac
  shift 2
done
cd "$(dirname "$0")/.."
bin=build/release/bin

for program in /usr/bin/time /usr/bin/python3; do
  [ -x "$program" ] || { echo "needs $program: apt-get install $(basename "$program")" >&2; exit 2; }
done
scripts/install_dependencies.sh >&2
cmake --preset release >&2
cmake --build --preset release >&2
[ -d "$model" ] || "$bin/generate_model" "$model" >&2

# section TITLE COMMAND...
section() {
  echo "measuring: $1" >&2
  printf '\n## %s\n\n' "$1"
  shift
  "$@"
}

machine() {
  lscpu | awk -F': *' '/^(Model name|CPU\(s\)|Thread\(s\) per core|L1d cache|L2 cache|L3 cache):/ { print "- " $1 ": " $2 }'
  awk '$1 == "MemTotal:" { printf "- Memory: %.0f GiB\n", $2 / 2^20 }' /proc/meminfo
  echo "- Instructions: $(grep -m1 '^flags' /proc/cpuinfo | tr ' ' '\n' | grep -E '^(avx2|fma|avx512f|avx512_bf16|amx_bf16)$' | tr '\n' ' ')"
  echo "- Kernel: Linux $(uname -r), load $(cut -d' ' -f1-3 /proc/loadavg) when it began"
  echo "- Program: $("$bin/tensorguard" --version), commit $(git describe --always --dirty 2>/dev/null || echo unknown)"
}

# Two unrelated models of Llama-2-7B's shapes; the median whole process.
compare_fingerprints() {
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/tensorguard-compare.XXXXXX")
  for seed in 1 2; do
    "$bin/generate_fingerprint" --layers 32 --hidden 4096 --ffn 11008 --vocabulary 32000 --seed "$seed" \
      "$scratch/$seed.fingerprint.safetensors" >&2
  done
  run=0
  while [ "$run" -lt "$runs" ]; do
    /usr/bin/time --format='%e %M' -a -o "$scratch/times" "$bin/tensorguard" compare \
      "$scratch/1.fingerprint.safetensors" "$scratch/2.fingerprint.safetensors" --json --quiet >"$scratch/answer"
    grep -q '"verdict":"independent"' "$scratch/answer"
    run=$((run + 1))
  done
  sort -n "$scratch/times" | sed -n "$(((runs + 1) / 2))p" | awk '{ printf "%s s, %.0f MiB\n", $1, $2 / 1024 }'
  rm -rf "$scratch"
}

section "Machine" machine
section "Full profile" /usr/bin/python3 bench/full_profile_measure.py --runs "$runs" "$model"
section "Paper profile" /usr/bin/python3 bench/paper_profile_measure.py --skip-autograd --runs "$runs" "$model"
section "Compare two fingerprints of 7B models" compare_fingerprints
section "Classify" "$bin/classify_benchmark"
section "Test on the weights of two models" bench/independence_bench.sh
section "Memory of inspect" bench/inspect_memory.sh
section "Cost against size" bench/cost_by_size.sh --up-to "$up_to" --runs 3
