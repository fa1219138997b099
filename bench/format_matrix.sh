#!/usr/bin/env bash
# The verdicts between one model's files in every format, for docs/formats/README.md.
#   bench/format_matrix.sh [--program FILE] FOLDER_FOR_WORK MODEL OTHER_MODEL...
# Every MODEL is written in each format by the writers beside this script; each file is compared with each other of
# its model, and with the first model where that is another. A writer that does not know an architecture is left out,
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

# "VERDICT SCORE" of two fingerprints.
verdict_of() {
  "$program" compare "$1" "$2" --json | /usr/bin/python3 -c '
import json, sys
result = json.load(sys.stdin)
score = result["score"]
print(result["verdict"], "-" if score is None else format(score, ".3f"))'
}

first=$(basename "$1")
for model_folder in "$@"; do
  model=$(basename "$model_folder")
  out=$work/$model
  rm -rf "$out"
  mkdir -p "$out/prints"
  write_formats "$model_folder" "$out"
  for format in "${formats[@]}"; do
    place=$out/$format
    [ -e "$place" ] || place=$place.gguf
    "$program" fingerprint "$place" -o "$out/prints/$format.fingerprint.safetensors" --quiet >/dev/null
  done
  echo
  echo "| $model | verdict on the original | score | verdicts between this and all others | on another model |"
  echo "| --- | --- | ---: | --- | --- |"
  for format in "${formats[@]}"; do
    print=$out/prints/$format.fingerprint.safetensors
    read -r verdict score < <(verdict_of "$out/prints/safetensors.fingerprint.safetensors" "$print")
    among=$(for other in "${formats[@]}"; do
      [ "$other" = "$format" ] || verdict_of "$print" "$out/prints/$other.fingerprint.safetensors" | cut -d' ' -f1
    done | sort | uniq -c | awk '{printf "%s%s %s", sep, $1, $2; sep=", "}')
    another=-
    [ "$model" = "$first" ] || another=$(verdict_of "$work/$first/prints/safetensors.fingerprint.safetensors" "$print")
    echo "| $format | $verdict | $score | $among | $another |"
  done
done
