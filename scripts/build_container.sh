#!/bin/sh
# Builds the container from the packages of scripts/release.sh, and runs it as its user, who may write nothing.
#   scripts/build_container.sh [FOLDER]      build/release/packages if not given
# Its base is Debian's image, or, where no registry can be reached, one that mmdebstrap makes. Exit status 77:
# this machine cannot build containers; the reason is printed.
set -eu
cd "$(dirname "$0")/.."
folder=$(realpath "${1:-build/release/packages}")
image=localhost/tensorguard

cannot() {
  echo "build_container.sh: skipped: $1"
  exit 77
}
command -v buildah >/dev/null || cannot "buildah is not installed"
[ "$(id -u)" = 0 ] || cannot "needs root here, for chroot isolation"
ls "$folder"/tensorguard_*.deb >/dev/null 2>&1 || { echo "build_container.sh: no packages in $folder" >&2; exit 1; }
export STORAGE_DRIVER="${STORAGE_DRIVER:-vfs}" BUILDAH_ISOLATION="${BUILDAH_ISOLATION:-chroot}"

base=docker.io/library/debian:12-slim
if ! buildah pull --quiet "$base" >/dev/null 2>&1; then
  command -v mmdebstrap >/dev/null || cannot "no registry is reached, and mmdebstrap is not installed"
  echo "No registry is reached: making the base with mmdebstrap"
  base=localhost/debian:12
  files=$(mktemp "${TMPDIR:-/tmp}/base.XXXXXX.tar")
  trap 'rm -f "$files"' EXIT
  mmdebstrap --quiet --variant=minbase bookworm "$files" \
    "deb http://deb.debian.org/debian bookworm main" \
    "deb http://deb.debian.org/debian bookworm-updates main" \
    "deb http://deb.debian.org/debian-security bookworm-security main"
  container=$(buildah from scratch) || cannot "buildah cannot make a container here"
  buildah add --quiet "$container" "$files" / >/dev/null
  buildah commit --quiet --rm "$container" "$base" >/dev/null
fi

buildah build --quiet --build-arg BASE="$base" --tag "$image" --file packaging/Containerfile "$folder"
container=$(buildah from "$image")
trap 'buildah rm "$container" >/dev/null; rm -f "${files:-}"' EXIT
buildah run --user tensorguard -v "$PWD/examples/models:/models:ro" "$container" -- tensorguard --version
buildah run --user tensorguard -v "$PWD/examples/models:/models:ro" "$container" -- \
  tensorguard compare /models/alder /models/alder--lora | head -n 1
if buildah run --user tensorguard "$container" -- sh -c 'command -v c++ || command -v cc || touch /usr/x' >/dev/null 2>&1; then
  echo "build_container.sh: a compiler is in the image, or its user may write to it" >&2
  exit 1
fi
echo "$image is built."
