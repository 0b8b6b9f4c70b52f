# Writes down what was linked, for packaging/provenance/build.mjs, which looks up versions, hashes and licences.
# `shared` is what libsnapcell.so uses in place of the program's `file`; what has none is part of the program alone.
function(snapcell_json_item out)
  cmake_parse_arguments(item "" "name;file;shared;how" "" ${ARGN})
  set(item "{ \"name\": \"${item_name}\", \"file\": \"${item_file}\", ")
  string(APPEND item "\"shared\": \"${item_shared}\", \"how\": \"${item_how}\" }")
  set(${out} ${${out}} "${item}" PARENT_SCOPE)
endfunction()

set(items)
foreach(name IN LISTS snapcell_dependency_names)
  snapcell_json_item(items name ${name} file ${${name}_STATIC} shared ${${name}_SHARED} how static)
endforeach()
snapcell_json_item(items name uv file ${uv_STATIC} how static)
if(llhttp_STATIC)
  snapcell_json_item(items name llhttp file ${llhttp_STATIC} how static)
else()
  snapcell_json_item(items name llhttp file ${llhttp_SOURCE_DIR}/llhttp.c how compiled)
endif()
snapcell_json_item(items name curl file ${curl_SHARED} how dynamic)
foreach(name IN ITEMS c stdc++)
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=lib${name}.a
                  OUTPUT_VARIABLE file OUTPUT_STRIP_TRAILING_WHITESPACE)
  snapcell_json_item(items name ${name} file ${file} how static)
endforeach()
list(JOIN items ",\n        " snapcell_plan_debian)

configure_file(${CMAKE_CURRENT_LIST_DIR}/provenance/plan.json.in provenance.json @ONLY)
set(snapcell_plan ${CMAKE_CURRENT_BINARY_DIR}/provenance.json)
