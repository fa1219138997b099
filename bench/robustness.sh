#!/bin/sh
# Prints the tables of docs/robustness.md: for each sample model what is still found of it after each
# change, with the test on the weights, and against a second model of the same shapes.
#   bench/robustness.sh [--program FILE] [--seed N] [--threads N] [--quick]
# --quick leaves the test on the weights out. Needs python3. Takes some minutes on two processors.
set -eu

cd "$(dirname "$0")/.."
program=build/release/bin/tensorguard
seed=1
threads=$(nproc)
deep=--deep
while [ $# -gt 0 ]; do
  case $1 in
    --program) program=$2; shift 2 ;;
    --seed) seed=$2; shift 2 ;;
    --threads) threads=$2; shift 2 ;;
    --quick) deep=; shift ;;
    *) echo "unknown option $1" >&2; exit 2 ;;
  esac
done
command -v python3 > /dev/null || { echo "needs python3: apt-get install python3" >&2; exit 2; }
[ -x "$program" ] || { echo "$program is not there: cmake --build --preset release" >&2; exit 2; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Two by two of one shape, so that parts of one fit into the other where the layouts do.
for pair in alder:birch cedar:alder elm: hazel:alder; do
  model=${pair%%:*}
  other=${pair#*:}
  # shellcheck disable=SC2086  # $deep and the second model are words or nothing
  "$program" stress "examples/models/$model" ${other:+--against "examples/models/$other"} $deep \
    --search --seed "$seed" --threads "$threads" --quiet --json > "$scratch/$model.json"
done

python3 - "$scratch"/*.json << 'PYTHON'
import collections
import json
import sys

reports = [json.load(open(path)) for path in sys.argv[1:]]


def number(value, form):
    return "" if value is None else format(value, form)


def spread(values, form):
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, high = format(min(known), form), format(max(known), form)
    return low if low == high else f"{low} to {high}"


print("Copies against their own model, by change; the spread is over the models:\n")
print("| change | strength | models | logits moved | score | by fingerprints | with the test |")
print("| --- | --- | ---: | --- | --- | --- | --- |")
rows = collections.OrderedDict()
for report in reports:
    for cell in report["cells"]:
        if cell["against"] != report["name"]:
            continue
        with_other = " (second model)" if "with" in cell else ""
        key = (cell["change"].replace("+", " + ") + with_other, cell["strength"])
        rows.setdefault(key, {"full": [], "deep": []})[cell["profile"]].append(cell)


def verdicts(cells):
    counts = collections.Counter(cell["verdict"] for cell in cells)
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())


for (change, strength), cells in rows.items():
    full = cells["full"]
    print(f"| {change} | {strength} | {len(full)} | {spread([c['damage'] for c in full], '.1g')} "
          f"| {spread([c['score'] for c in full], '.2f')} | {verdicts(full)} "
          f"| {verdicts(cells['deep'])} |")

print("\nCopies against a second model:\n")
print("| model | second | change | strength | profile | score | verdict | outcome |")
print("| --- | --- | --- | --- | --- | ---: | --- | --- |")
quiet = 0
for report in reports:
    for cell in report["cells"]:
        if cell["against"] == report["name"]:
            continue
        if cell["outcome"] == "clear" and "with" not in cell:
            quiet += 1
            continue
        print(f"| {report['name']} | {cell['against']} | {cell['change']} | {cell['strength']} "
              f"| {cell['profile']} | {number(cell['score'], '.2f')} | {cell['verdict']} "
              f"| {cell['outcome']} |")
print(f"\n{quiet} more answers, on copies without a part of the second model, are clear.")

print("\nThe search for the best disguise:\n")
print("| model | copies tried | combination | logits moved | score | verdict |")
print("| --- | ---: | --- | ---: | ---: | --- |")
for report in reports:
    search = report.get("search", {"tries": 0, "steps": []})
    for step in search["steps"]:
        print(f"| {report['name']} | {search['tries']} | {step['change'].replace('+', ' + ')} "
              f"| {number(step['damage'], '.1g')} | {number(step['score'], '.2f')} "
              f"| {step['verdict']} |")
PYTHON
