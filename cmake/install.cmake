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
target_link_libraries(tensorguard_shared PRIVATE ${TENSORGUARD_STAGES})
target_link_options(tensorguard_shared PRIVATE -Wl,--no-undefined)
add_library(TensorGuard::tensorguard ALIAS tensorguard_shared)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/TensorGuard)
install(TARGETS tensorguard RUNTIME)
install(TARGETS tensorguard_shared EXPORT TensorGuardTargets LIBRARY)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/tensorguard TYPE INCLUDE)
install(EXPORT TensorGuardTargets NAMESPACE TensorGuard:: DESTINATION ${package_folder})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/TensorGuardConfig.cmake.in
                              TensorGuardConfig.cmake INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(TensorGuardConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/TensorGuardConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/TensorGuardConfigVersion.cmake
        DESTINATION ${package_folder})
configure_file(${PROJECT_SOURCE_DIR}/cmake/tensorguard.pc.in tensorguard.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tensorguard.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
