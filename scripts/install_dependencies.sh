#!/bin/sh
# Installs with apt what Debian 12 lacks of the packages below, and only that. Safe to repeat.
set -eu

# package, then what it is for
packages() {
  cat <<'END'
g++                   C++20 compiler (12.2), with the sanitizers' libraries
cmake                 build (3.25)
ninja-build           build
pkgconf               finds kissfft and cairo
libfmt-dev            text formatting
zlib1g-dev            packed NumPy arrays
libdeflate-dev        checksums of zip archives
nlohmann-json3-dev    JSON
libcli11-dev          command line
libre2-dev            regular expressions in adapters' configs, in linear time
libhwy-dev            SIMD kernels chosen at run time
libkissfft-dev        Fourier transforms of the paper profile
libarmadillo-dev      clustering, decompositions
libopenblas-openmp-dev decompositions, from several threads at once
libdnnl-dev           matrix products, in bfloat16 where the processor can
libcairo2-dev         plots
libcurl4-openssl-dev  models on the Hub and on web servers
libssl-dev            SHA-256 of files
libsqlite3-dev        registries in a file
libpq-dev             registries on a PostgreSQL server
fonts-dejavu-core     letters in plots
libgtest-dev          tests
libgmock-dev          tests
python3-dev           the Python package
pybind11-dev          the Python package
python3-numpy         the Python package
python3-setuptools    its wheel
python3-wheel         its wheel
python3-mypy          a test of its types
b3sum                 a test of digests
nginx                 a web server for tests
postgresql-15         a database server for tests
openssl               a certificate for that server
END
}

is_installed() {
  [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

if ! command -v apt-get >/dev/null; then
  echo "No apt here: expecting the equivalents of these Debian packages to be installed."
  packages
  exit 0
fi

missing=
for package in $(packages | cut -d' ' -f1); do
  is_installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
  as_root=
elif command -v sudo >/dev/null; then
  as_root=sudo
else
  echo "Missing packages, and neither root nor sudo here. As root: apt-get install$missing" >&2
  exit 1
fi

apt() {
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@" </dev/null
}
echo "Installing with apt:$missing"
apt update
# shellcheck disable=SC2086  # one word per package
apt install --yes --no-install-recommends $missing >/dev/null
