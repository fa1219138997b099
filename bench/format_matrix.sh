#!/usr/bin/env bash
# The verdicts between one model's files in every format, for docs/formats/README.md.
#   bench/format_matrix.sh [--program FILE] FOLDER_FOR_WORK MODEL...
# Every MODEL is written in each format by the writers beside this script; each file is compared with each other of
# its model, and with the models before it. A writer that does not know an architecture is left out,
# and said so. Needs python3-numpy, python3-torch and python3-onnx.
set -euo pipefail
here=$(dirname "$0")
program=tensorguard
[ "$1" = --program ] && { program=$2; shift 2; }
work=$1
shift
mkdir -p "$work"

# usage: written NAME COMMAND...: runs a writer for one format.
written() {
  local name=$1
  shift
  if "$@" >"$work/writer.log" 2>&1; then formats+=("$name"); else echo "$model: no $name ($(tail -n 1 "$work/writer.log"))" >&2; fi
}

write_formats() {
  local model_folder=$1 out=$2 python=/usr/bin/python3 form
  formats=(safetensors)
  ln -sfn "$(realpath "$model_folder")" "$out/safetensors"
  for form in zip legacy shards npz npz-packed; do
    written "pytorch-$form" "$python" "$here/write_pytorch.py" --form $form "$model_folder" "$out/pytorch-$form"
  done
  for form in F32 F16 BF16 Q8_0 Q4_0 Q4_K; do
    written "gguf-$form" "$python" "$here/write_gguf.py" --type $form "$model_folder" "$out/gguf-$form.gguf"
  done
  written onnx "$python" "$here/write_onnx.py" "$model_folder" "$out/onnx"
  written onnx-int8 "$python" "$here/write_onnx.py" --quantise int8 "$model_folder" "$out/onnx-int8"
  written onnx-4bit "$python" "$here/write_onnx.py" --quantise nbits "$model_folder" "$out/onnx-4bit"
  for form in "gptq --group 32" "gptq --group 32 --act-order --version 2" "awq --group 32" "nf4 --double" fp4 int8 fp8 \
    fp8-channel "compressed-tensors --group 32" nvfp4 "mlx --group 32" "hqq --group 32"; do
    name=${form// --/-} name=${name// /-}
    # shellcheck disable=SC2086
    written "$name" "$python" "$here/write_format.py" --format $form "$model_folder" "$out/$name"
  done
}

# usage: compare_prints KIND MODEL FORMAT PRINT PRINT: adds "KIND MODEL FORMAT VERDICT SCORE" to the results.
compare_prints() {
  "$program" compare "$4" "$5" --json | /usr/bin/python3 -c '
import json, sys
result = json.load(sys.stdin)
print(*sys.argv[1:], result["verdict"], result["score"])' "$1" "$2" "$3" >>"$work/results"
}

models=()
: >"$work/results"
for model_folder in "$@"; do
  model=$(basename "$model_folder")
  models+=("$model")
  out=$work/$model
  rm -rf "$out"
  mkdir -p "$out/prints"
  write_formats "$model_folder" "$out"
  for format in "${formats[@]}"; do
    place=$out/$format
    [ -e "$place" ] || place=$place.gguf
    "$program" fingerprint "$place" -o "$out/prints/$format.fingerprint.safetensors" --quiet >/dev/null
  done
  for format in "${formats[@]}"; do
    print=$out/prints/$format.fingerprint.safetensors
    for other in "${formats[@]}"; do
      kind=among
      [ "$other" = safetensors ] && kind=original
      compare_prints $kind "$model" "$format" "$print" "$out/prints/$other.fingerprint.safetensors"
    done
    for other in "${models[@]}"; do
      [ "$other" = "$model" ] ||
        compare_prints "$other" "$model" "$format" "$print" "$work/$other/prints/safetensors.fingerprint.safetensors"
    done
  done
done

/usr/bin/python3 - "$work/results" "${models[@]}" <<'END'
import collections
import sys

results = [line.split() for line in open(sys.argv[1])]
models = sys.argv[2:]
cells = {(model, format): f"{verdict} {float(score):.3f}" for kind, model, format, verdict, score in results if kind == "original"}
print("| on the original | " + " | ".join(models) + " |")
print("| --- |" + " --- |" * len(models))
for format in dict.fromkeys(row[2] for row in results):
    print(f"| {format} | " + " | ".join(cells.get((model, format), "-") for model in models) + " |")
print()
print("| the files of | compared with | verdicts | scores |")
print("| --- | --- | --- | --- |")
groups = collections.defaultdict(list)
for kind, model, format, verdict, score in results:
    groups[model, "each other" if kind in ("original", "among") else kind].append((verdict, float(score)))
for (model, other), found in groups.items():
    counts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(collections.Counter(v for v, _ in found).items()))
    scores = [score for _, score in found]
    print(f"| {model} | {other} | {counts} | {min(scores):.3f} to {max(scores):.3f} |")
END
