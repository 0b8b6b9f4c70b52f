# Debian packages and a tarball, by CPack: `cpack` in the build folder, or packaging/build. Packages are built for one
# release of Debian, whose libraries libsnapcell0 then depends on.
set(version ${PROJECT_VERSION})
file(STRINGS /etc/os-release os_version REGEX "^VERSION_ID=")
string(REGEX REPLACE "[^0-9.]" "" os_version "${os_version}")
set(debian_revision 1+deb${os_version})
set(SNAPCELL_MAINTAINER "snapcell developers <snapcell@packages.debian.org>" CACHE STRING
    "the packages' maintainer: NAME <ADDRESS>")

# --- What Debian wants of each package: changelog, licences, overrides of lintian's; the time is SOURCE_DATE_EPOCH.
string(TIMESTAMP changelog_date "%a, %d %b %Y %H:%M:%S +0000" UTC)
set(folder ${CMAKE_CURRENT_BINARY_DIR}/debian)
configure_file(debian/changelog.in ${folder}/changelog.Debian @ONLY)
add_custom_command(OUTPUT ${folder}/changelog.Debian.gz
  COMMAND gzip -9nc ${folder}/changelog.Debian > ${folder}/changelog.Debian.gz
  DEPENDS ${folder}/changelog.Debian VERBATIM)
# The ABI: each public function, and the version since which it is there; the test packages_symbols compares it with the
# library. Control files are taken by their name.
configure_file(debian/libsnapcell0.symbols ${folder}/symbols COPYONLY)
add_custom_target(snapcell_debian ALL DEPENDS ${folder}/changelog.Debian.gz)

function(snapcell_debian_package component kind package)
  set(doc ${CMAKE_INSTALL_DATADIR}/doc/${package})
  install(FILES ${folder}/changelog.Debian.gz DESTINATION ${doc} COMPONENT ${component})
  install(FILES debian/${package}.overrides RENAME ${package}
          DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides COMPONENT ${component})
  # Of the files as they are installed, which are stripped.
  set(files ${ARGN})
  install(CODE "
    set(root \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}\")
    set(files ${files})
    list(TRANSFORM files PREPEND \"\${root}/\")
    execute_process(COMMAND \"${SNAPCELL_NODE}\" \"${CMAKE_CURRENT_SOURCE_DIR}/provenance/build.mjs\"
      \"${snapcell_plan}\" \"\${root}/${doc}\" ${kind} ${package} \${files} COMMAND_ERROR_IS_FATAL ANY)"
    COMPONENT ${component})
endfunction()

# CMake strips no archives. V8's has no debug information.
set(archive ${CMAKE_INSTALL_LIBDIR}/libsnapcell.a)
foreach(file IN ITEMS ${archive} ${CMAKE_INSTALL_LIBDIR}/snapcell/libv8_system.a)
  install(CODE "
    execute_process(COMMAND \"${CMAKE_STRIP}\" --strip-debug --enable-deterministic-archives
      \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${file}\" COMMAND_ERROR_IS_FATAL ANY)" COMPONENT development)
endforeach()

# libv8_system.a has what V8 needs of newer C and C++ libraries than Debian 12's. Where the system has that, as
# Debian 13, there is no code in it, which lintian is told; where there is some, an override would match nothing.
install(CODE "
  set(root \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}\")
  execute_process(
    COMMAND \"${CMAKE_NM}\" --defined-only \"\${root}/${CMAKE_INSTALL_LIBDIR}/snapcell/libv8_system.a\"
    OUTPUT_VARIABLE symbols ERROR_VARIABLE ignored COMMAND_ERROR_IS_FATAL ANY)
  if(NOT symbols MATCHES \" [TW] \")
    file(APPEND \"\${root}/${CMAKE_INSTALL_DATADIR}/lintian/overrides/libsnapcell-dev\"
      \"# V8 needs nothing that this release's C and C++ libraries do not have.\\n\"
      \"libsnapcell-dev: no-code-sections [usr/lib/*/snapcell/libv8_system.a]\\n\")
  endif()" COMPONENT development)

# A conffile, which dpkg removes when the package is purged. Only packages have it: outside of them its path would be
# this machine's own.
install(CODE "
  if(NOT \"\$ENV{DESTDIR}\" STREQUAL \"\")
    file(INSTALL DESTINATION /etc/default TYPE FILE RENAME snapcell
         FILES \"${CMAKE_CURRENT_SOURCE_DIR}/systemd/snapcell.default\")
  endif()" COMPONENT program)

set(libexec ${CMAKE_INSTALL_LIBEXECDIR}/snapcell)
snapcell_debian_package(program program snapcell
  ${CMAKE_INSTALL_BINDIR}/snapcell ${libexec}/snapcell-net ${libexec}/snapcell-launch)
snapcell_debian_package(library shared libsnapcell0 ${CMAKE_INSTALL_LIBDIR}/libsnapcell.so.${version})
snapcell_debian_package(development archive libsnapcell-dev ${archive})

# --- CPack.
set(CPACK_PACKAGE_NAME snapcell)
set(CPACK_PACKAGE_VERSION ${version})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # each package has its own
set(CPACK_PACKAGE_CONTACT ${SNAPCELL_MAINTAINER})
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_ALL program library development)
set(CPACK_THREADS 0)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE ${debian_revision})
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE none) # repack.cmake compresses
set(CPACK_POST_BUILD_SCRIPTS ${CMAKE_CURRENT_SOURCE_DIR}/repack.cmake)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)

set(same_version "(= ${version}-${debian_revision})")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME snapcell)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION web)
set(CPACK_DEBIAN_PROGRAM_DESCRIPTION "JavaScript functions as V8 startup snapshots
Compiles bundled JavaScript functions ahead of time into V8 startup snapshots,
keeps them in a store, and runs them from it: on the command line, or over
HTTP with a server that gives each request a fresh instance in a sandbox.")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_CONTROL_EXTRA conffiles postinst prerm postrm)
list(TRANSFORM CPACK_DEBIAN_PROGRAM_PACKAGE_CONTROL_EXTRA PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/debian/)

set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libsnapcell0)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_DESCRIPTION "JavaScript functions as V8 startup snapshots, C library
Compiles bundled JavaScript functions into V8 startup snapshots, and loads
and calls them from a C program, in its own process or in sandboxed ones.
.
The processes are those of the program in the package snapcell.")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_DEPENDS "snapcell ${same_version}")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA
    "${folder}/symbols;${CMAKE_CURRENT_SOURCE_DIR}/debian/triggers")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libsnapcell-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION "JavaScript functions as V8 startup snapshots, development files
Headers, the static library with the V8 it needs, and files of pkg-config and
CMake, for C programs that compile, load and call functions.")
# `pkg-config --static` names archives of these packages, and the runtime of this C++ compiler.
string(REGEX MATCH "^[0-9]+" cxx_version "${CMAKE_CXX_COMPILER_VERSION}")
set(development_packages ${snapcell_dependency_packages} libc6-dev libstdc++-${cxx_version}-dev)
list(REMOVE_DUPLICATES development_packages)
list(JOIN development_packages ", " development_packages)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libsnapcell0 ${same_version}, ${development_packages}")

include(CPack)
