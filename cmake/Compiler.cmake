# Standards, warnings, hardening and sanitizers, for our own code only.

set(CMAKE_POSITION_INDEPENDENT_CODE ON)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(snapcell_flags INTERFACE)
target_compile_definitions(snapcell_flags INTERFACE _GNU_SOURCE)
target_compile_options(snapcell_flags INTERFACE
  -fvisibility=hidden
  -fno-strict-aliasing
  $<$<COMPILE_LANGUAGE:C>:-std=gnu17 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wvla
                          -Wstrict-prototypes -Wmissing-prototypes -Werror>
  # V8's headers are not clean under -Wconversion, and the engine has no RTTI because V8 has none.
  $<$<COMPILE_LANGUAGE:CXX>:-std=c++20 -fno-rtti -fno-exceptions -Wall -Wextra -Werror>)

if(SNAPCELL_FUZZ)
  if(NOT CMAKE_C_COMPILER_ID STREQUAL Clang OR NOT SNAPCELL_SANITIZE)
    message(FATAL_ERROR "SNAPCELL_FUZZ needs clang and SNAPCELL_SANITIZE: use `cmake --preset fuzz`")
  endif()
  # Code that a sanitizer needs is enabled by GCC's macro, which clang does not define.
  target_compile_definitions(snapcell_flags INTERFACE __SANITIZE_ADDRESS__=1)
  # All code tells the engine which ways it went. GCC is what keeps warnings out.
  target_compile_options(snapcell_flags INTERFACE -fsanitize=fuzzer-no-link -Wno-error)
endif()

if(SNAPCELL_SANITIZE)
  # V8 has no RTTI, so that UBSan's vptr check cannot link with it.
  target_compile_options(snapcell_flags INTERFACE
    -fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=undefined
    -fno-omit-frame-pointer
    # With sanitizers GCC 12 sees uninitialized values in V8's empty Maybe, which is never read.
    $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-error=uninitialized>
    $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-error=maybe-uninitialized>)
  add_link_options(-fsanitize=address,undefined -fno-sanitize=vptr)
else()
  target_compile_options(snapcell_flags INTERFACE -fstack-protector-strong -fstack-clash-protection)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    target_compile_options(snapcell_flags INTERFACE -fcf-protection)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    target_compile_options(snapcell_flags INTERFACE -mbranch-protection=standard)
  endif()
  target_compile_definitions(snapcell_flags INTERFACE $<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2>)
  add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
endif()
add_link_options(-Wl,--gc-sections)
if(SNAPCELL_PACKAGING)
  # The same sources give the same bytes, wherever they are: of what is linked only debug information has paths, and the
  # build-id is a hash of all that is written.
  add_link_options(-s)
endif()

# snapcell_add_component(NAME SOURCES... ): an object library `snapcell_NAME` with public headers in include/.
# Components see each other through `snapcell_NAME_headers`; objects are put together in Library.cmake.
function(snapcell_add_component name)
  add_library(snapcell_${name}_headers INTERFACE)
  target_include_directories(snapcell_${name}_headers INTERFACE ${CMAKE_CURRENT_SOURCE_DIR}
                                                                ${CMAKE_CURRENT_SOURCE_DIR}/include)
  add_library(snapcell_${name} OBJECT ${ARGN})
  target_link_libraries(snapcell_${name} PRIVATE snapcell_flags snapcell_${name}_headers)
endfunction()
