#!/bin/sh
# Runs the tests and the demonstration in a fresh minimal Debian 12, to find hidden steps of installation.
# Takes the last commit, not the working tree. Needs root; leaves nothing behind but its exit status.
set -eu
cd "$(dirname "$0")/.."

[ "$(id -u)" = 0 ] || { echo "try_clean_root.sh: needs root, for debootstrap and chroot" >&2; exit 1; }
command -v debootstrap >/dev/null || apt-get install --yes debootstrap </dev/null

clean_root=$(mktemp -d "${TMPDIR:-/tmp}/clean-root.XXXXXX")
trap 'rm -rf --one-file-system "$clean_root"' EXIT
trap 'exit 1' INT TERM
chmod 755 "$clean_root"

echo "Installing a minimal Debian 12"
debootstrap --variant=minbase bookworm "$clean_root" >/dev/null
if [ -f /etc/apt/sources.list.d/debian.sources ]; then
  rm "$clean_root/etc/apt/sources.list"
  cp /etc/apt/sources.list.d/debian.sources "$clean_root/etc/apt/sources.list.d/"
fi
git clone --quiet . "$clean_root/tensorguard"

# Mounts made in a namespace of their own end with the command. No HOME, no locale, no input.
in_clean_root() {
  # shellcheck disable=SC2016  # expanded by the inner shell
  unshare --mount sh -eu -c '
    mount -t proc proc "$0/proc"
    mount --rbind /dev "$0/dev"
    exec chroot "$0" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin CI=true \
      CMAKE_BUILD_PARALLEL_LEVEL="${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}" "$@"
  ' "$clean_root" "$@" </dev/null
}

for command in .ci/run ./demo.sh; do
  printf '\n=== %s ===\n' "$command"
  in_clean_root "/tensorguard/$command"
done
printf '\nBoth commands work in a fresh Debian 12.\n'
