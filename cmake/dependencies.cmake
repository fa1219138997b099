# Everything comes from Debian 12 by package name; scripts/install_dependencies.sh lists the packages.
find_package(Threads REQUIRED)
# Of the libraries that Debian built with it; base/parallel.cc keeps them from starting threads.
find_library(GNU_OPENMP_LIBRARY NAMES libgomp.so.1 REQUIRED)
find_package(fmt REQUIRED)
find_package(ZLIB REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(hwy REQUIRED)
find_package(GTest REQUIRED)
find_package(CURL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(PostgreSQL REQUIRED)
find_library(RE2_LIBRARY re2 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(libdeflate REQUIRED IMPORTED_TARGET libdeflate)
pkg_check_modules(kissfft REQUIRED IMPORTED_TARGET kissfft-float)
pkg_check_modules(cairo REQUIRED IMPORTED_TARGET cairo cairo-png cairo-svg)

# Armadillo without its wrapper library, linked straight to the OpenBLAS that several threads may call at
# once: Debian's serial one shares its buffers between threads without a lock and gives wrong numbers then,
# the one with threads of its own lets them spin whenever a program starts.
find_library(OPENBLAS_OPENMP_LIBRARY openblas
             PATHS /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/openblas-openmp NO_DEFAULT_PATH REQUIRED)
find_path(OPENBLAS_OPENMP_INCLUDE_DIR cblas.h
          PATHS /usr/include/${CMAKE_LIBRARY_ARCHITECTURE}/openblas-openmp NO_DEFAULT_PATH REQUIRED)
find_path(ARMADILLO_INCLUDE_DIR armadillo REQUIRED)
add_library(Armadillo INTERFACE)
target_include_directories(Armadillo SYSTEM INTERFACE ${ARMADILLO_INCLUDE_DIR}
                                                  ${OPENBLAS_OPENMP_INCLUDE_DIR})
target_compile_definitions(Armadillo INTERFACE ARMA_DONT_USE_WRAPPER ARMA_WARN_LEVEL=0
                                               ARMA_DONT_USE_OPENMP)
target_link_libraries(Armadillo INTERFACE ${OPENBLAS_OPENMP_LIBRARY})

# oneDNN by its files: its package configuration wants OpenCL's headers, which serve GPUs alone. Debian
# built it with GNU's OpenMP, whatever compiler is used here.
find_library(ONEDNN_LIBRARY dnnl REQUIRED)
find_path(ONEDNN_INCLUDE_DIR oneapi/dnnl/dnnl.hpp REQUIRED)
add_library(OneDnn INTERFACE)
target_include_directories(OneDnn SYSTEM INTERFACE ${ONEDNN_INCLUDE_DIR})
target_link_libraries(OneDnn INTERFACE ${ONEDNN_LIBRARY} ${GNU_OPENMP_LIBRARY})

# For bench/ alone; without it those programs are left out.
find_package(benchmark QUIET)
