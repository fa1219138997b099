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

section "Machine" machine
section "Floor of the full profile" "$bin/profile_floor" "$model"
section "Paper profile" /usr/bin/python3 bench/paper_profile_measure.py --skip-autograd --runs "$runs" "$model"
section "Memory of inspect" bench/inspect_memory.sh
section "Cost against size" bench/cost_by_size.sh --up-to "$up_to" --runs 3
