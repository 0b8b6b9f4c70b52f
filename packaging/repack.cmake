# Run by CPack when it has made the packages, before it moves them to their folder.
foreach(package IN LISTS CPACK_PACKAGE_FILES)
  execute_process(COMMAND ${CMAKE_CURRENT_LIST_DIR}/debian/repack ${package} ${package}.unpacked
                  COMMAND_ERROR_IS_FATAL ANY)
endforeach()
