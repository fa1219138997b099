#!/bin/sh
# Builds with the address and undefined-behaviour sanitizers and runs every test.
# Exit status 0: all passed. Ends with ctest's summary.
set -eu
cd "$(dirname "$0")"

scripts/install_dependencies.sh
export CMAKE_BUILD_PARALLEL_LEVEL="${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}"
export CTEST_PARALLEL_LEVEL="${CTEST_PARALLEL_LEVEL:-$(nproc)}"

cmake --workflow --preset check
