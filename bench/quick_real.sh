#!/usr/bin/env bash
# What a quick answer on large models loses, by the bytes that it reads, for docs/calibration.md.
#   bench/quick_real.sh [--program FILE] A B [A B]...
# Each pair is compared whole, then within budgets from 8 MB to 256 MB. Prints a row for each.
set -euo pipefail
program=tensorguard
[ "$1" = --program ] && { program=$2; shift 2; }
budgets=(8 16 32 64 128 256)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "| pair | budget | read | kernels, matrices | score | stated error | error | verdict |"
echo "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |"
while [ $# -ge 2 ]; do
  "$program" compare "$1" "$2" --json --quiet >"$work/whole"
  for budget in "${budgets[@]}"; do
    "$program" compare "$1" "$2" --quick --budget "${budget}MB" --json --quiet >"$work/$budget"
  done
  /usr/bin/python3 - "$work" "$1" "$2" "${budgets[@]}" <<'END'
import json
import os
import sys

work, a, b = sys.argv[1:4]
pair = f"{os.path.basename(a.rstrip('/'))}, {os.path.basename(b.rstrip('/'))}"
whole = json.load(open(f"{work}/whole"))
number = lambda value: "-" if value is None else f"{value:.3f}"
for budget in sys.argv[4:]:
    answer = json.load(open(f"{work}/{budget}"))
    quick = answer.get("quick")
    error = None if None in (answer["score"], whole["score"]) else abs(answer["score"] - whole["score"])
    if quick is None:
        print(f"| {pair} | {budget} MB | both whole | - | {number(answer['score'])} | - | {number(error)} | {answer['verdict']} |")
        continue
    read = " + ".join([f"{model['read_bytes'] / 1e6:.0f} MB" for model in quick["models"]] + ["whole"] * (2 - len(quick["models"])))
    print(f"| {pair} | {budget} MB | {read} | {quick['kernels']}, {quick['matrices']} | {number(answer['score'])} | "
          f"{number(quick['score_error'])} | {number(error)} | {answer['verdict']} |")
print(f"| {pair} | none | all | - | {number(whole['score'])} | - | - | {whole['verdict']} |")
END
  shift 2
done
