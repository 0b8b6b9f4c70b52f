# V8 as v8::monolith: the pinned gem (cmake/v8.lock), or a build of the user's own in V8_ROOT, laid out as
# V8_ROOT/include/v8.h and V8_ROOT/lib/libv8_monolith.a.
set(V8_ROOT "" CACHE PATH "a V8 to use instead of the pinned one: include/ and lib/libv8_monolith.a")

if(NOT V8_ROOT)
  execute_process(COMMAND ${CMAKE_CURRENT_LIST_DIR}/fetch-v8 ${CMAKE_CURRENT_LIST_DIR}/v8.lock
                  OUTPUT_VARIABLE snapcell_v8_root OUTPUT_STRIP_TRAILING_WHITESPACE
                  RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "V8 could not be fetched; see the lines above, or give one with -DV8_ROOT=DIR")
  endif()
else()
  set(snapcell_v8_root ${V8_ROOT})
endif()

set(snapcell_v8_archive ${snapcell_v8_root}/lib/libv8_monolith.a)
foreach(file IN ITEMS ${snapcell_v8_archive} ${snapcell_v8_root}/include/v8.h)
  if(NOT EXISTS ${file})
    message(FATAL_ERROR "no V8 in ${snapcell_v8_root}: ${file} is missing")
  endif()
endforeach()

# Artifacts are bound to the very build of V8, not to its version alone.
if(NOT snapcell_v8_archive_hashed STREQUAL snapcell_v8_archive)
  file(SHA256 ${snapcell_v8_archive} hash)
  set(snapcell_v8_sha256 ${hash} CACHE INTERNAL "")
  set(snapcell_v8_archive_hashed ${snapcell_v8_archive} CACHE INTERNAL "")
endif()

add_library(snapcell_v8 INTERFACE)
add_library(v8::monolith ALIAS snapcell_v8)
target_include_directories(snapcell_v8 SYSTEM INTERFACE ${snapcell_v8_root}/include)
target_compile_definitions(snapcell_v8 INTERFACE SNAPCELL_V8_SHA256="${snapcell_v8_sha256}")
