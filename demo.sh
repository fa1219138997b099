#!/bin/sh
# Builds the program and tells from weights alone which of some models belong together.
#   ./demo.sh            on the sample models of examples/
#   ./demo.sh MODEL...   on your own: weight files or folders. Two are compared; of three and more, the
#                        first two are the centres of two families among which the rest is divided.
# Results: build/demo/
set -eu

# Makes the paths of the command line absolute before the folder changes.
for model in "$@"; do
  shift
  set -- "$@" "$(realpath --canonicalize-missing "$model")"
done
cd "$(dirname "$0")"

scripts/install_dependencies.sh
export CMAKE_BUILD_PARALLEL_LEVEL="${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}"
mkdir -p build
echo "Building build/release/bin/tensorguard; the log is build/demo-build.log"
{ cmake --preset release && cmake --build --preset release --target tensorguard; } \
  >build/demo-build.log 2>&1 || { cat build/demo-build.log >&2; exit 1; }

PATH="$PWD/build/release/bin:$PATH"
results=build/demo
rm -rf "$results"
mkdir -p "$results/fingerprints"

# Prints a heading and a command that can be copied; then runs the command.
show() {
  printf '\n== %s\n$' "$1"
  shift
  for word in "$@"; do
    case "$word" in *[!A-Za-z0-9_.,/=+-]*) printf " '%s'" "$word" ;; *) printf ' %s' "$word" ;; esac
  done
  printf '\n'
  "$@"
}

sample_models() {
  show "Fingerprint eight known models with the published method" \
    tensorguard fingerprint examples/models/alder examples/models/alder--lora \
    examples/models/birch examples/models/cedar examples/models/cedar--prune-depth \
    examples/models/elm examples/models/elm--sft1 examples/models/hazel \
    --profile paper -o "$results/fingerprints"
  show "Divide them among four base models and draw the map" \
    tensorguard cluster "$results/fingerprints" --centers alder,cedar,elm,hazel \
    --plot "$results/families.png"
  tensorguard cluster "$results/fingerprints" --centers alder,cedar,elm,hazel \
    --plot "$results/families.svg" >/dev/null
  echo "The map: $results/families.png and $results/families.svg"
  show "Where does an unknown model belong?" \
    tensorguard classify examples/models/hazel--sft1 --known "$results/fingerprints" --profile paper
  show "Compare a model with one made from it" \
    tensorguard compare examples/models/alder examples/models/alder--lora \
    --known "$results/fingerprints"
  show "Compare two independent models of the same shapes" \
    tensorguard compare examples/models/alder examples/models/birch --known "$results/fingerprints"
  printf '\nThe truth about these models: examples/README.md\n'
}

own_models() {
  show "Fingerprint the models with the published method" \
    tensorguard fingerprint "$@" --profile paper -o "$results/fingerprints"
  if [ $# = 2 ]; then
    show "Compare them" tensorguard compare "$1" "$2"
  elif [ $# -gt 2 ]; then
    show "Divide them among the first two and draw the map" \
      tensorguard cluster "$results/fingerprints" --centers "$(name_of "$1"),$(name_of "$2")" \
      --plot "$results/families.svg"
    echo "The map: $results/families.svg"
  fi
}

# A model's name: its folder's, or its file's without the suffix.
name_of() {
  if [ -d "$1" ]; then basename "$1"; else basename "${1%.*}"; fi
}

if [ $# = 0 ]; then sample_models; else own_models "$@"; fi
printf '\nResults: %s\n' "$results"
