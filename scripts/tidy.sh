#!/bin/sh
# Runs clang-tidy (Debian's 14) with the checks of .clang-tidy over the sources, or over the files given.
set -eu
cd "$(dirname "$0")/.."
command -v clang-tidy-14 >/dev/null || { echo "needs clang-tidy-14: apt-get install clang-tidy-14" >&2; exit 2; }
cmake --preset release >/dev/null
[ $# -gt 0 ] || set -- $(git ls-files 'src/*.cc' 'apps/*.cc' 'bench/*.cc')
printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 clang-tidy-14 --quiet -p build/release
