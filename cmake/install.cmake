# What `cmake --install` puts where: the program, the shared library with its public headers, and what
# find_package(TensorGuard) and pkg-config read.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# One library of all stages. It shows what include/tensorguard/ marks, nothing else.
file(GLOB library_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/api/library/*.cc)
add_library(tensorguard_shared SHARED ${library_sources})
set_target_properties(tensorguard_shared PROPERTIES
                      OUTPUT_NAME tensorguard EXPORT_NAME tensorguard
                      VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
target_include_directories(tensorguard_shared INTERFACE
                           $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                           $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_compile_features(tensorguard_shared INTERFACE cxx_std_20)
target_compile_definitions(tensorguard_shared PRIVATE TENSORGUARD_VERSION="${PROJECT_VERSION}")
target_link_libraries(tensorguard_shared PRIVATE ${TENSORGUARD_STAGES} tensorguard_commit)
target_link_options(tensorguard_shared PRIVATE -Wl,--no-undefined)
add_library(TensorGuard::tensorguard ALIAS tensorguard_shared)

# Of OpenBLAS's builds only this one may be called from several threads at once; which one lies in the
# system's folder is the machine's choice.
get_filename_component(openblas_folder ${OPENBLAS_OPENMP_LIBRARY} DIRECTORY)
set_target_properties(tensorguard tensorguard_shared PROPERTIES INSTALL_RPATH ${openblas_folder})

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/TensorGuard)
install(TARGETS tensorguard RUNTIME COMPONENT program)
install(TARGETS tensorguard_shared EXPORT TensorGuardTargets
        LIBRARY COMPONENT runtime NAMELINK_COMPONENT development)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/tensorguard TYPE INCLUDE COMPONENT development)
install(EXPORT TensorGuardTargets NAMESPACE TensorGuard:: DESTINATION ${package_folder} COMPONENT development)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/TensorGuardConfig.cmake.in
                              TensorGuardConfig.cmake INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(TensorGuardConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/TensorGuardConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/TensorGuardConfigVersion.cmake
        DESTINATION ${package_folder} COMPONENT development)
configure_file(${PROJECT_SOURCE_DIR}/cmake/tensorguard.pc.in tensorguard.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tensorguard.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
        COMPONENT development)

# What the program says of itself: its manual page, and completion for three shells.
set(texts ${PROJECT_BINARY_DIR}/generated)
install(FILES ${texts}/tensorguard.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT program)
install(FILES ${texts}/tensorguard DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
        COMPONENT program)
install(FILES ${texts}/_tensorguard DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions
        COMPONENT program)
install(FILES ${texts}/tensorguard.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d
        COMPONENT program)
