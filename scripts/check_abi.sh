#!/bin/sh
# Holds the shared library's interface against an earlier one, with abidiff (package abigail-tools): within a
# minor version a program that was built against one must run with the other.
#   scripts/check_abi.sh [REVISION]     a git revision; the last tag of this minor version if not given
# Only what the library shows is compiled, with debugging information: no stage is built. Exit status 1: a
# change that breaks programs; 77: there is nothing to compare, and why.
set -eu
cd "$(dirname "$0")/.."

command -v abidiff >/dev/null || { echo "check_abi.sh: skipped: abigail-tools is not installed"; exit 77; }
minor=$(sed -n 's/^project(tensorguard VERSION \([0-9]*\.[0-9]*\)\..*/\1/p' CMakeLists.txt)
earlier=${1:-$(git tag --list "v$minor.*" --sort=-version:refname | head -n 1)}
[ -n "$earlier" ] || { echo "check_abi.sh: skipped: no release of $minor yet"; exit 77; }

work=$(mktemp -d "${TMPDIR:-/tmp}/abi.XXXXXX")
trap 'rm -rf "$work"' EXIT

# The interface of the sources in folder $1 as the library $2.
build() {
  mkdir "$2.objects"
  find "$1/src/api/library" "$1/src/base/error.cc" "$1/src/comparison/verdict.cc" -name '*.cc' | while read -r source; do
    "${CXX:-c++}" -std=c++20 -g -O0 -fPIC -fvisibility=hidden -fvisibility-inlines-hidden -w \
      -DTENSORGUARD_VERSION='"0"' -DARMA_DONT_USE_WRAPPER -DARMA_WARN_LEVEL=0 -I"$1/src" -I"$1/include" \
      $(pkg-config --cflags cairo kissfft-float) -c "$source" -o "$2.objects/$(basename "$source").o"
  done
  "${CXX:-c++}" -shared -o "$2" "$2.objects"/*.o
}

mkdir "$work/earlier"
git archive "$earlier" src include | tar -x -C "$work/earlier"
echo "Compiling the interface of $earlier and of the working tree"
build "$work/earlier" "$work/earlier.so"
build . "$work/now.so"

# Templates of the standard library are every program's own.
cat >"$work/suppressed" <<'END'
[suppress_function]
  symbol_name_regexp = ^_ZNK?St
[suppress_variable]
  symbol_name_regexp = ^_ZT|^_ZSt
END
# abidiff's bits: 1 and 2 errors, 4 a change. What breaks programs is counted: a function that is gone, or one
# whose types are laid out otherwise.
status=0
abidiff --drop-private-types --suppressions "$work/suppressed" --headers-dir1 "$work/earlier/include" \
  --headers-dir2 include "$work/earlier.so" "$work/now.so" >"$work/report" || status=$?
if [ $((status & 3)) != 0 ]; then
  cat "$work/report" >&2
  echo "check_abi.sh: abidiff ended with $status" >&2
  exit 2
fi
breaking=$(sed -n 's/^\(Functions\|Variables\) changes summary: \([0-9]*\) Removed, \([0-9]*\) Changed\( (\([0-9]*\) filtered out)\)\{0,1\}.*/\2 + \3 - (\5+0) + /p' "$work/report")
if [ "$((${breaking:-0 +} 0))" != 0 ]; then
  cat "$work/report"
  echo "check_abi.sh: programs that were built against $earlier no longer run" >&2
  exit 1
fi
case "$status" in
  0) echo "The interface is that of $earlier." ;;
  *) echo "The interface of $earlier has grown; programs that were built against it still run." ;;
esac
