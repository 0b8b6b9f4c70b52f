# Debian's packages. Each becomes a target snapcell::dep::NAME with its static archive, which the program and the
# static library use, or its shared library, which libsnapcell.so uses.

function(snapcell_find_dependency name header library package)
  find_path(${name}_INCLUDE_DIR ${header})
  find_library(${name}_STATIC lib${library}.a)
  find_library(${name}_SHARED ${library})
  if(NOT ${name}_INCLUDE_DIR OR NOT ${name}_STATIC OR NOT ${name}_SHARED)
    message(FATAL_ERROR "${name} is missing: install ${package} (Debian), or set CMAKE_PREFIX_PATH")
  endif()
  mark_as_advanced(${name}_INCLUDE_DIR ${name}_STATIC ${name}_SHARED)
  add_library(snapcell_dep_${name} INTERFACE)
  target_include_directories(snapcell_dep_${name} SYSTEM INTERFACE ${${name}_INCLUDE_DIR})
endfunction()

snapcell_find_dependency(zstd zstd.h zstd libzstd-dev)
snapcell_find_dependency(xxhash xxhash.h xxhash libxxhash-dev)
snapcell_find_dependency(lmdb lmdb.h lmdb liblmdb-dev)
snapcell_find_dependency(sodium sodium.h sodium libsodium-dev)
snapcell_find_dependency(jansson jansson.h jansson libjansson-dev)
snapcell_find_dependency(idn2 idn2.h idn2 libidn2-dev)
snapcell_find_dependency(unistring unistr.h unistring libunistring-dev)
snapcell_find_dependency(z zlib.h z zlib1g-dev)
snapcell_find_dependency(crypto openssl/evp.h crypto libssl-dev)

# In link order: libidn2 needs libunistring.
set(snapcell_dependency_names zstd xxhash lmdb sodium jansson idn2 unistring z crypto)
set(snapcell_static_dependencies)
set(snapcell_shared_dependencies)
foreach(name IN LISTS snapcell_dependency_names)
  list(APPEND snapcell_static_dependencies ${${name}_STATIC})
  list(APPEND snapcell_shared_dependencies ${${name}_SHARED})
endforeach()
find_package(Threads REQUIRED)
