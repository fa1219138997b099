#!/bin/sh
# Times `tensorguard fingerprint --profile paper` as a whole process on a model of true size, beside reading
# the same bytes once and beside the plain autograd version. Prints a markdown table.
#   bench/paper_profile_bench.sh [--model FOLDER] [--runs N] [--threads N] [--skip-autograd]
# FOLDER is made if absent, in the shapes of Llama-3.2-1B (2.5 GB); without --model it lies in ${TMPDIR:-/tmp}.
# Needs Debian's python3 and time; for the autograd version also python3-torch, python3-numpy, 6 GiB and minutes.
set -eu

model="${TMPDIR:-/tmp}/tensorguard-bench/llama-3.2-1b"
if [ "${1:-}" = --model ]; then
  model=$(realpath --canonicalize-missing "$2")
  shift 2
fi
cd "$(dirname "$0")/.."

for program in /usr/bin/time /usr/bin/python3; do
  [ -x "$program" ] || { echo "needs $program: apt-get install $(basename "$program")" >&2; exit 2; }
done
scripts/install_dependencies.sh
cmake --preset release >&2
cmake --build --preset release --target tensorguard generate_model read_bytes >&2
[ -d "$model" ] || build/release/bin/generate_model "$model" >&2

exec /usr/bin/python3 bench/paper_profile_measure.py "$@" "$model"
