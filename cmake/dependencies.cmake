# Everything comes from Debian 12 by package name; scripts/install_dependencies.sh lists the packages.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(hwy REQUIRED)
find_package(GTest REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(kissfft REQUIRED IMPORTED_TARGET kissfft-float)
pkg_check_modules(cairo REQUIRED IMPORTED_TARGET cairo cairo-png cairo-svg)

# Armadillo without its wrapper library, linked straight to OpenBLAS without threads: its thread pool
# would spin on every start of the program, and its bits change with the number of threads.
find_library(OPENBLAS_SERIAL openblas
             PATHS /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/openblas-serial NO_DEFAULT_PATH REQUIRED)
find_path(OPENBLAS_SERIAL_INCLUDE_DIR cblas.h
          PATHS /usr/include/${CMAKE_LIBRARY_ARCHITECTURE}/openblas-serial NO_DEFAULT_PATH REQUIRED)
find_path(ARMADILLO_INCLUDE_DIR armadillo REQUIRED)
add_library(Armadillo INTERFACE)
target_include_directories(Armadillo SYSTEM INTERFACE ${ARMADILLO_INCLUDE_DIR}
                                                  ${OPENBLAS_SERIAL_INCLUDE_DIR})
target_compile_definitions(Armadillo INTERFACE ARMA_DONT_USE_WRAPPER ARMA_WARN_LEVEL=0
                                               ARMA_DONT_USE_OPENMP)
target_link_libraries(Armadillo INTERFACE ${OPENBLAS_SERIAL})
