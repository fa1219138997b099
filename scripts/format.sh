#!/bin/sh
# Formats all C++ sources in place with clang-format 14.
set -eu
cd "$(dirname "$0")/.."
git ls-files '*.h' '*.cc' | xargs clang-format-14 -i
