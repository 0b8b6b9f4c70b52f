# libsnapcell.so and libsnapcell.a from the components' objects, and the installation.
include(CMakePackageConfigHelpers)

set(snapcell_components format process restore sandbox store engine net compiler loader workers)
set(snapcell_objects)
foreach(component IN LISTS snapcell_components)
  list(APPEND snapcell_objects $<TARGET_OBJECTS:snapcell_${component}>)
endforeach()
list(APPEND snapcell_objects $<TARGET_OBJECTS:snapcell_base_blob>)
set(snapcell_public_include_dirs
  ${PROJECT_SOURCE_DIR}/snapshot-format/include ${PROJECT_SOURCE_DIR}/sandbox/include
  ${PROJECT_SOURCE_DIR}/store/include
  ${PROJECT_SOURCE_DIR}/engine/include ${PROJECT_SOURCE_DIR}/net/include
  ${PROJECT_SOURCE_DIR}/compiler/include ${PROJECT_SOURCE_DIR}/loader/include
  ${PROJECT_SOURCE_DIR}/workers/include)

# An embedder may be a C project that has no C++ linker: the runtime is named like any library.
set(snapcell_system_libraries stdc++ Threads::Threads ${CMAKE_DL_LIBS} m)

# For the program and the tests, which use what is inside.
add_library(snapcell_static STATIC ${snapcell_objects})
set_target_properties(snapcell_static PROPERTIES OUTPUT_NAME snapcell_objects LINKER_LANGUAGE CXX)

# For hosts, libsnapcell.a: all of it in one object, in which nothing but the public functions is global. A host may
# have an error_set() of its own.
# Other linkers than this one keep groups. The compiler knows the one for its machine.
execute_process(COMMAND ${CMAKE_C_COMPILER} -print-prog-name=ld.bfd
                OUTPUT_VARIABLE snapcell_bfd_linker OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
set(snapcell_object ${PROJECT_BINARY_DIR}/snapcell.o)
set(snapcell_hide_symbols ${CMAKE_CURRENT_LIST_DIR}/hide-symbols)
add_custom_command(OUTPUT ${snapcell_object}
  COMMAND ${snapcell_hide_symbols} ${snapcell_bfd_linker} ${CMAKE_NM} ${CMAKE_OBJCOPY} ${snapcell_object}
          ${snapcell_objects}
  DEPENDS ${snapcell_objects} ${snapcell_hide_symbols}
  COMMAND_EXPAND_LISTS VERBATIM COMMENT "Making one object of libsnapcell.a")
add_library(snapcell_archive STATIC ${snapcell_object})
set_target_properties(snapcell_archive PROPERTIES
  OUTPUT_NAME snapcell EXPORT_NAME snapcell_static LINKER_LANGUAGE CXX)

foreach(target IN ITEMS snapcell_static snapcell_archive)
  target_link_libraries(${target} PUBLIC
    "$<BUILD_INTERFACE:${snapcell_v8_libraries};${snapcell_static_dependencies}>"
    "$<INSTALL_INTERFACE:snapcell::dependencies>" ${snapcell_system_libraries})
endforeach()

add_library(snapcell_shared SHARED ${snapcell_objects})
set_target_properties(snapcell_shared PROPERTIES
  OUTPUT_NAME snapcell EXPORT_NAME snapcell LINKER_LANGUAGE CXX
  SOVERSION ${PROJECT_VERSION_MAJOR} VERSION ${PROJECT_VERSION})
target_link_libraries(snapcell_shared PRIVATE
  "$<BUILD_INTERFACE:${snapcell_v8_libraries};${snapcell_shared_dependencies}>"
  Threads::Threads ${CMAKE_DL_LIBS} m)
target_link_options(snapcell_shared PRIVATE
  -Wl,-z,nodelete -Wl,--version-script=${CMAKE_CURRENT_LIST_DIR}/libsnapcell.map -Wl,-Bsymbolic)
if(NOT SNAPCELL_SANITIZE)
  # What V8 lacks on this system is missing here, not in each program that links the library.
  target_link_options(snapcell_shared PRIVATE -Wl,-z,defs)
endif()
set_property(TARGET snapcell_shared APPEND PROPERTY
  LINK_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/libsnapcell.map)

add_library(snapcell::snapcell ALIAS snapcell_shared)
add_library(snapcell::snapcell_static ALIAS snapcell_archive)
foreach(target IN ITEMS snapcell_static snapcell_archive snapcell_shared)
  target_include_directories(${target} INTERFACE
    "$<BUILD_INTERFACE:${snapcell_public_include_dirs}>"
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endforeach()

# --- Installation: headers, libraries and V8's archive, CMake and pkg-config files. Components are the packages:
# program, library and development.
foreach(dir IN LISTS snapcell_public_include_dirs)
  install(DIRECTORY ${dir}/snapcell DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)
endforeach()
install(FILES ${snapcell_v8_archive} $<TARGET_FILE:snapcell_v8_system>
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/snapcell COMPONENT development)
install(TARGETS snapcell_shared EXPORT snapcell-targets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library NAMELINK_COMPONENT development)
install(TARGETS snapcell_archive EXPORT snapcell-static-targets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)

set(snapcell_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/snapcell)
foreach(export IN ITEMS snapcell-targets snapcell-static-targets)
  install(EXPORT ${export} NAMESPACE snapcell:: DESTINATION ${snapcell_cmake_dir} COMPONENT development)
endforeach()
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/snapcell-config.cmake.in
  ${PROJECT_BINARY_DIR}/snapcell-config.cmake INSTALL_DESTINATION ${snapcell_cmake_dir}
  PATH_VARS CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/snapcell-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/snapcell-config.cmake
              ${PROJECT_BINARY_DIR}/snapcell-config-version.cmake
        DESTINATION ${snapcell_cmake_dir} COMPONENT development)

# The prefix is found from the file's own place, so that an installation can be moved.
file(RELATIVE_PATH snapcell_pc_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
list(TRANSFORM snapcell_dependency_names PREPEND "-l" OUTPUT_VARIABLE snapcell_pc_dependencies)
list(JOIN snapcell_pc_dependencies " " snapcell_pc_dependencies)
configure_file(${CMAKE_CURRENT_LIST_DIR}/snapcell.pc.in ${PROJECT_BINARY_DIR}/snapcell.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/snapcell.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
