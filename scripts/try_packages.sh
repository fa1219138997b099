#!/bin/sh
# Installs the packages in a fresh minimal Debian 12 without a compiler, uses them, removes them, and fails
# if anything is left.
#   scripts/try_packages.sh [FOLDER]      the packages of scripts/release.sh; build/release/packages if not given
# Needs root. Lintian must find no error first.
set -eu
cd "$(dirname "$0")/.."
folder=$(realpath "${1:-build/release/packages}")

[ "$(id -u)" = 0 ] || { echo "try_packages.sh: needs root, for mmdebstrap and chroot" >&2; exit 1; }
for tool in lintian mmdebstrap; do
  command -v "$tool" >/dev/null || apt-get install --yes --no-install-recommends "$tool" </dev/null
done

echo "lintian"
lintian --fail-on error --suppress-tags bad-distribution-in-changes-file "$folder"/*.deb

root=$(mktemp -d "${TMPDIR:-/tmp}/packages.XXXXXX")
trap 'rm -rf --one-file-system "$root" "$root.before" "$root.after"' EXIT
trap 'exit 1' INT TERM
echo "Making a minimal Debian 12"
# The packages were built on this machine, with the updates that it has.
mmdebstrap --quiet --variant=minbase bookworm "$root" \
  "deb http://deb.debian.org/debian bookworm main" \
  "deb http://deb.debian.org/debian bookworm-updates main" \
  "deb http://deb.debian.org/debian-security bookworm-security main"
mkdir "$root/packages" "$root/models"
cp "$folder"/*.deb "$root/packages"
cp -r examples/models/alder examples/models/alder--lora examples/models/birch "$root/models"
cp -r examples/library "$root/models/library"

# Mounts made in a namespace of their own end with the command.
in_root() {
  # shellcheck disable=SC2016  # expanded by the inner shell
  unshare --mount sh -eu -c '
    mount -t proc proc "$0/proc"
    mount --rbind /dev "$0/dev"
    exec chroot "$0" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive sh -eu -c "$@"
  ' "$root" "$1" </dev/null
}
# Every file and folder of the system; not what apt and dpkg keep for themselves.
files_in() {
  (cd "$root" && find . -xdev \( -path ./proc -o -path ./dev -o -path ./sys -o -path ./var/cache -o -path ./var/log \
    -o -path ./var/lib/apt -o -path ./var/lib/dpkg -o -path ./packages -o -path ./tmp -o -path ./run \) -prune -o -print) | sort
}

echo "Installing what the packages need"
needed=$(for package in "$folder"/*.deb; do dpkg-deb --field "$package" Depends; done |
  tr ',' '\n' | grep -v -e tensorguard -e '^ *$' | sort -u | paste -sd ,)
in_root "apt-get -qq update; apt-get -qq satisfy --yes --no-install-recommends '$needed' >/dev/null"
files_in >"$root.before"
echo "Installing, using and removing the packages"
in_root 'apt-get -qq install --yes --no-install-recommends /packages/*.deb >/dev/null
  ! command -v c++ && ! command -v cmake
  tensorguard --version --json
  cd /models
  tensorguard compare alder alder--lora | head -n 1
  python3 -c "import tensorguard as tg; print(tg.compare(\"/models/alder\", \"/models/birch\"))"
  apt-get -qq purge --yes tensorguard libtensorguard0 libtensorguard-dev python3-tensorguard tensorguard-doc >/dev/null'
files_in >"$root.after"
if ! diff "$root.before" "$root.after"; then
  echo "try_packages.sh: removing the packages left the files above" >&2
  exit 1
fi
echo "Nothing is left."
