# libsnapcell.so and libsnapcell.a from the components' objects.
set(snapcell_components format store engine compiler loader)
set(snapcell_objects)
foreach(component IN LISTS snapcell_components)
  list(APPEND snapcell_objects $<TARGET_OBJECTS:snapcell_${component}>)
endforeach()

add_library(snapcell_static STATIC ${snapcell_objects})
set_target_properties(snapcell_static PROPERTIES OUTPUT_NAME snapcell)
target_link_libraries(snapcell_static PUBLIC ${snapcell_v8_archive} ${snapcell_static_dependencies}
                                             Threads::Threads ${CMAKE_DL_LIBS} m)

add_library(snapcell_shared SHARED ${snapcell_objects})
set_target_properties(snapcell_shared PROPERTIES OUTPUT_NAME snapcell SOVERSION 0 VERSION ${PROJECT_VERSION})
target_link_libraries(snapcell_shared PRIVATE ${snapcell_v8_archive} ${snapcell_shared_dependencies}
                                              Threads::Threads ${CMAKE_DL_LIBS} m)
target_link_options(snapcell_shared PRIVATE
                    -Wl,--version-script=${CMAKE_CURRENT_LIST_DIR}/libsnapcell.map -Wl,-Bsymbolic)
set_property(TARGET snapcell_shared APPEND PROPERTY LINK_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/libsnapcell.map)
