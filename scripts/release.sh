#!/bin/sh
# Builds what is given out: packages of Debian, a wheel, the sources; and prints their checksums.
#   scripts/release.sh [FOLDER]      build/release/packages if not given
# The last commit is built, from a clean tree. Fetches nothing but missing packages of Debian.
set -eu
cd "$(dirname "$0")/.."
folder=${1:-build/release/packages}

scripts/install_dependencies.sh
if [ -n "$(git status --porcelain)" ]; then
  echo "release.sh: files were changed since the last commit; commit or remove them" >&2
  exit 1
fi
version=$(sed -n 's/^project(tensorguard VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
if ! head -n 1 packaging/changelog | grep -qF "($version)"; then
  echo "release.sh: packaging/changelog does not begin with version $version" >&2
  exit 1
fi

rm -rf "$folder"
mkdir -p "$folder"
folder=$(realpath "$folder")
echo "Building; the log is $folder/build.log"
{
  cmake --preset release
  cmake --build --preset release --target tensorguard tensorguard_shared tensorguard_python \
    tensorguard_wheel package_changes
  cpack --config build/release/CPackConfig.cmake -B "$folder"
} >"$folder/build.log" 2>&1 || { tail -n 30 "$folder/build.log" >&2; exit 1; }
rm -rf "$folder/_CPack_Packages"

# The wheel, from a copy, so that nothing is left beside the sources.
copy=$(mktemp -d "${TMPDIR:-/tmp}/wheel.XXXXXX")
trap 'rm -rf "$copy"' EXIT
git archive HEAD python CMakeLists.txt | tar -x -C "$copy"
(cd "$copy/python" && TENSORGUARD_BUILD_DIR="$OLDPWD/build/release" /usr/bin/python3 -c \
  "import setuptools.build_meta as b; b.build_wheel('$folder')") >>"$folder/build.log" 2>&1 ||
  { tail -n 30 "$folder/build.log" >&2; exit 1; }

git archive --prefix="tensorguard-$version/" --output "$folder/tensorguard-$version.tar.gz" HEAD
rm "$folder/build.log"
cd "$folder"
sha256sum -- * | tee SHA256SUMS
