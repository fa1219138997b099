#!/bin/sh
# Writes the program's manual page and its completion scripts: write_texts.sh PROGRAM FOLDER
set -eu
"$1" man | gzip -9n >"$2/tensorguard.1.gz"
"$1" completion bash >"$2/tensorguard"
"$1" completion zsh >"$2/_tensorguard"
"$1" completion fish >"$2/tensorguard.fish"
