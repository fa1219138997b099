#!/bin/sh
# Writes the table of docs/architectures.md: how far the network's outputs lie from those that each
# architecture's own library stored beside it.
#   bench/architectures.sh FOLDER...
# Each FOLDER holds config.json, model.safetensors and golden.safetensors.
set -eu

[ $# -gt 0 ] || { echo "usage: bench/architectures.sh FOLDER..." >&2; exit 2; }
cd "$(dirname "$0")/.."
document=docs/architectures.md
lines=$(mktemp)
trap 'rm -f "$lines" "$lines.new"' EXIT

cmake --preset release >&2
cmake --build --preset release --target golden_forward >&2
# An error names its tensor; the folder stands in front of the line already.
build/release/bin/golden_forward "$@" > "$lines" || true
[ -s "$lines" ] || { echo "golden_forward printed nothing" >&2; exit 1; }

table() {
  printf '| model | read as | difference, or why there is none |\n| --- | --- | --- |\n'
  sed -e 's#\t[^\t]*/[^\t ]*: #\t#' -e 's/|/\\|/g' -e 's/:   */: /g' -e 's/   */; /g' -e 's/\t/ | /g' \
    -e 's/^/| /' -e 's/$/ |/' "$lines"
}

awk -v begin='<!-- golden_forward -->' -v end='<!-- end -->' '
  NR == FNR { rows = rows $0 "\n"; next }
  $0 == begin { print; printf "%s", rows; inside = 1 }
  $0 == end { inside = 0 }
  !inside && $0 != begin { print }
' - "$document" > "$lines.new" <<TABLE
$(table)
TABLE
cat "$lines.new" > "$document"
