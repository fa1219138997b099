#!/bin/sh
# Builds the program and tells from weights alone which of some models belong together.
#   ./demo.sh            on the sample models of examples/
#   ./demo.sh MODEL...   on your own: weight files or folders. Two are compared; three and more are
#                        sorted into families.
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
  samples=examples/models
  show "Fingerprint seven known models" \
    tensorguard fingerprint "$samples/alder" "$samples/birch" "$samples/cedar" \
    "$samples/cedar--prune-depth" "$samples/elm" "$samples/elm--sft1" "$samples/hazel" \
    -o "$results/fingerprints"
  show "Which families are there? Nobody says how many" \
    tensorguard cluster "$results/fingerprints" --plot "$results/families.png"
  show "Where does an unknown model come from?" \
    tensorguard classify "$samples/hazel--sft1" --known "$results/fingerprints"
  show "The same for a GGUF file of 4 bits" \
    tensorguard classify "$samples/birch--sft1.Q4_0.gguf" --known "$results/fingerprints"
  show "And for a PyTorch pickle, from a fifth of its bytes" \
    tensorguard classify "$samples/cedar--sft1" --known "$results/fingerprints" --quick --budget 280KB
  show "Keep the known models in a registry, with their licences" \
    tensorguard registry init "$results/known.tgr"
  show "Add their fingerprints" \
    tensorguard registry add "$results/fingerprints" --registry "$results/known.tgr" \
    --license apache-2.0 --collection samples
  show "What is in it?" tensorguard registry list "$results/known.tgr"
  show "Search it for the relatives of an upload" \
    tensorguard classify "$samples/birch--sft1.Q4_0.gguf" --known "$results/known.tgr"
  show "Whose matrices does a model hold, number for number?" \
    tensorguard registry shared "$samples/alder--lora" --registry "$results/known.tgr"
  show "Who came from whom? A tree where it is shown, neighbours where it is not" \
    tensorguard lineage "$samples/alder" "$samples/alder--lora" "$samples/cedar" \
    "$samples/cedar--prune-depth" "$samples/cedar--sft1" "$samples/elm" --format html \
    -o "$results/lineage.html"
  show "Compare a model with one made from it, and test the weights themselves" \
    tensorguard compare "$samples/alder" "$samples/alder--lora" --deep \
    --html "$results/alder-and-its-lora.html"
  show "Compare two independent models of the same shapes" \
    tensorguard compare "$samples/alder" "$samples/birch" --deep
  show "The published method on the same models, which sees mostly their shapes" \
    tensorguard fingerprint "$samples/alder" "$samples/birch" "$samples/cedar" "$samples/elm" \
    "$samples/hazel" --profile paper -o "$results/paper"
  show "It puts birch into the family of alder" \
    tensorguard cluster "$results/paper" --centers alder,cedar,elm,hazel
  printf '\nThe truth about these models: examples/README.md\n'
  echo "The map: $results/families.png; the tree: $results/lineage.html; the evidence as a page: $results/alder-and-its-lora.html"
}

own_models() {
  show "Fingerprint the models" tensorguard fingerprint "$@" -o "$results/fingerprints"
  if [ $# = 2 ]; then
    show "Compare them" tensorguard compare "$1" "$2" --deep --html "$results/comparison.html"
    echo "The evidence as a page: $results/comparison.html"
  elif [ $# -gt 2 ]; then
    show "Which families are there?" \
      tensorguard cluster "$results/fingerprints" --plot "$results/families.svg"
    echo "The map: $results/families.svg"
  fi
}

if [ $# = 0 ]; then sample_models; else own_models "$@"; fi
printf '\nResults: %s\n' "$results"
