# V8 as v8::monolith: the pinned gem (cmake/v8.lock), or a build of the user's own in V8_ROOT, laid
# out as V8_ROOT/include/v8.h and V8_ROOT/lib/libv8_monolith.a.
set(V8_ROOT "" CACHE PATH "a V8 to use instead of the pinned one: include/, lib/libv8_monolith.a")

if(NOT V8_ROOT)
  set(lock ${CMAKE_CURRENT_LIST_DIR}/v8.lock)
  execute_process(COMMAND ${CMAKE_CURRENT_LIST_DIR}/fetch-v8 ${lock} ${CMAKE_SYSTEM_PROCESSOR}
                  OUTPUT_VARIABLE snapcell_v8_root OUTPUT_STRIP_TRAILING_WHITESPACE
                  RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "V8 could not be fetched; see the lines above, or give one with -DV8_ROOT=DIR")
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${lock})
else()
  set(snapcell_v8_root ${V8_ROOT})
endif()

set(snapcell_v8_archive ${snapcell_v8_root}/lib/libv8_monolith.a)
# What a program links: the archive, and what it expects of a newer system (engine/v8_system.cc).
set(snapcell_v8_libraries ${snapcell_v8_archive} snapcell_v8_system)
foreach(file IN ITEMS ${snapcell_v8_archive} ${snapcell_v8_root}/include/v8.h)
  if(NOT EXISTS ${file})
    message(FATAL_ERROR "no V8 in ${snapcell_v8_root}: ${file} is missing")
  endif()
endforeach()

file(STRINGS ${snapcell_v8_root}/include/v8-version.h lines REGEX "^#define V8_(MAJOR|MINOR|BUILD|PATCH)")
string(REGEX REPLACE "[^0-9;]*V8_[A-Z_]+ " "" snapcell_v8_version "${lines}")
string(REPLACE ";" "." snapcell_v8_version "${snapcell_v8_version}")
if(snapcell_v8_version VERSION_LESS 13.6)
  message(FATAL_ERROR "the V8 in ${snapcell_v8_root} is ${snapcell_v8_version}; snapcell's engine uses the API of 13.6")
endif()

# Artifacts are bound to the very build of V8, not to its version alone. The archive is large: it is
# hashed again only when it is another file, or was written since.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${snapcell_v8_archive})
file(TIMESTAMP ${snapcell_v8_archive} time)
file(SIZE ${snapcell_v8_archive} size)
set(identity "${snapcell_v8_archive} ${size} ${time}")
if(NOT snapcell_v8_archive_hashed STREQUAL identity)
  file(SHA256 ${snapcell_v8_archive} hash)
  set(snapcell_v8_sha256 ${hash} CACHE INTERNAL "")
  set(snapcell_v8_archive_hashed ${identity} CACHE INTERNAL "")
endif()

# ICU's functions have its version in their names.
if(NOT snapcell_icu_version_found STREQUAL identity)
  file(STRINGS ${snapcell_v8_archive} names REGEX "^uidna_openUTS46_[0-9]+$" LIMIT_COUNT 1)
  if(NOT names MATCHES "_([0-9]+)$")
    message(FATAL_ERROR "the V8 in ${snapcell_v8_root} is without ICU, which domain names take")
  endif()
  set(snapcell_icu_version ${CMAKE_MATCH_1} CACHE INTERNAL "")
  set(snapcell_icu_version_found ${identity} CACHE INTERNAL "")
endif()

add_library(snapcell_v8 INTERFACE)
add_library(v8::monolith ALIAS snapcell_v8)
target_include_directories(snapcell_v8 SYSTEM INTERFACE ${snapcell_v8_root}/include)
target_compile_definitions(snapcell_v8 INTERFACE SNAPCELL_V8_SHA256="${snapcell_v8_sha256}"
                                                 SNAPCELL_ICU_VERSION=${snapcell_icu_version})
