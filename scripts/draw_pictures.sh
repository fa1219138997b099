#!/bin/sh
# Draws the pictures of the README as the program draws them, once for light pages and once for dark ones.
#   scripts/draw_pictures.sh [PROGRAM [FOLDER]]      build/release/bin/tensorguard and docs/pictures if not given
set -eu
cd "$(dirname "$0")/.."
program=${1:-build/release/bin/tensorguard}
folder=${2:-docs/pictures}
drawn=$(mktemp "${TMPDIR:-/tmp}/families.XXXXXX")
trap 'rm -f "$drawn"' EXIT

mkdir -p "$folder"
"$program" lineage examples/models/* --format svg --output "$drawn" --quiet
# The program's picture follows the reader's scheme; a page that knows its scheme wants one of the two.
tr '\n' '\r' <"$drawn" >"$drawn.line"
sed 's/@media (prefers-color-scheme:dark){\(\.lineage{[^}]*}\)}/\1/' "$drawn.line" | tr '\r' '\n' >"$folder/families-dark.svg"
sed 's/@media (prefers-color-scheme:dark){\(\.lineage{[^}]*}\)}//' "$drawn.line" | tr '\r' '\n' >"$folder/families-light.svg"
rm -f "$drawn.line"
