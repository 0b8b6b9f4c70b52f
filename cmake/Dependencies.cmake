# Debian's packages. Each becomes a target snapcell::dep::NAME with its static archive, which the program and the
# static library use, or its shared library, which libsnapcell.so uses.

# LIBRARY is a name, or several of which the system has one.
function(snapcell_find_dependency name header library package)
  find_path(${name}_INCLUDE_DIR ${header})
  list(TRANSFORM library REPLACE "(.+)" "lib\\1.a" OUTPUT_VARIABLE archive)
  find_library(${name}_STATIC NAMES ${archive})
  find_library(${name}_SHARED NAMES ${library})
  if(NOT ${name}_INCLUDE_DIR OR NOT ${name}_STATIC OR NOT ${name}_SHARED)
    message(FATAL_ERROR "${name} is missing: install ${package} (Debian), or set CMAKE_PREFIX_PATH")
  endif()
  mark_as_advanced(${name}_INCLUDE_DIR ${name}_STATIC ${name}_SHARED)
  add_library(snapcell_dep_${name} INTERFACE)
  target_include_directories(snapcell_dep_${name} SYSTEM INTERFACE ${${name}_INCLUDE_DIR})
  set(snapcell_dependency_packages ${snapcell_dependency_packages} ${package} PARENT_SCOPE)
endfunction()

snapcell_find_dependency(zstd zstd.h zstd libzstd-dev)
snapcell_find_dependency(xxhash xxhash.h xxhash libxxhash-dev)
snapcell_find_dependency(lmdb lmdb.h lmdb liblmdb-dev)
snapcell_find_dependency(sodium sodium.h sodium libsodium-dev)
snapcell_find_dependency(jansson jansson.h jansson libjansson-dev)
snapcell_find_dependency(unistring unistr.h unistring libunistring-dev)
snapcell_find_dependency(z zlib.h z zlib1g-dev)
snapcell_find_dependency(brotlidec brotli/decode.h brotlidec libbrotli-dev)
snapcell_find_dependency(brotlienc brotli/encode.h brotlienc libbrotli-dev)
snapcell_find_dependency(brotlicommon brotli/types.h brotlicommon libbrotli-dev)
snapcell_find_dependency(crypto openssl/evp.h crypto libssl-dev)

# In the order in which they are linked: Debian 13's crypto needs z.
set(snapcell_dependency_names crypto zstd xxhash lmdb sodium jansson unistring z brotlidec brotlienc brotlicommon)
set(snapcell_static_dependencies)
set(snapcell_shared_dependencies)
foreach(name IN LISTS snapcell_dependency_names)
  list(APPEND snapcell_static_dependencies ${${name}_STATIC})
  list(APPEND snapcell_shared_dependencies ${${name}_SHARED})
endforeach()
find_package(Threads REQUIRED)
