#!/bin/sh
# Holds what the program reads against what other loaders make of it, in large: about an hour.
#
#     bench/loader_differences.sh [SEED [FILE_OR_FOLDER...]]
#
# Needs Debian's python3-torch, python3-numpy and python3-onnx, and Node.js with npm's @huggingface/gguf, which this
# fetches into a temporary folder unless NODE_PATH is set. Each loader that is not there is named and left out.
set -eu
cd "$(dirname "$0")/.."
seed=${1:-1}
[ $# -eq 0 ] || shift

if [ -z "${NODE_PATH:-}" ] && command -v npm >/dev/null; then
  packages=$(mktemp -d)
  trap 'rm -rf "$packages"' EXIT
  npm install --silent --no-audit --no-fund --prefix "$packages" @huggingface/gguf && export NODE_PATH="$packages/node_modules"
fi
/usr/bin/python3 -B bench/loader_differences.py build/release/bin/tensorguard --made 1500 --mutations 6 --seed "$seed" \
  fuzz/corpus/torch fuzz/corpus/numpy fuzz/corpus/gguf "$@"
