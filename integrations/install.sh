#!/usr/bin/env bash
# Installs the program where it is not: from the package $TENSORGUARD_PACKAGE (a file or an address), or, where
# that is empty, from the source around this script.
set -euo pipefail
command -v tensorguard >/dev/null && exit 0
as_root=$([ "$(id -u)" = 0 ] || echo sudo)
if [ -n "${TENSORGUARD_PACKAGE:-}" ]; then
  file=$TENSORGUARD_PACKAGE
  case "$file" in
    https://*)
      file=$(mktemp --suffix .deb)
      curl --fail --silent --show-error --location --output "$file" "$TENSORGUARD_PACKAGE"
      ;;
  esac
  $as_root apt-get update
  $as_root apt-get install --yes --no-install-recommends "$(realpath "$file")"
else
  cd "$(dirname "$0")/.."
  scripts/install_dependencies.sh
  cmake --preset release
  cmake --build --preset release --target tensorguard
  $as_root cmake --install build/release --component program --prefix /usr/local
fi
tensorguard --version
