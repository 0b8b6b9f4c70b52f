# snapcell_add_torture(NAME [MATRIX] [PLANNED] COMMAND COMMAND... SHORT n FULL n [DEPENDS FIXTURE...]): a program that
# tries a promise many times. COMMAND may begin with a target; `--count N` is added. It prints a line a promise on
# stdout, "promise<TAB>tries<TAB>failures", and ends with 0 when nothing failed, with 77 when it may not try. ctest runs
# it with the short count, unless it is only PLANNED; tests/torture/run with the full one, if it is of the MATRIX only
# when that or its name is requested.
function(snapcell_add_torture name)
  cmake_parse_arguments(PARSE_ARGV 1 torture "MATRIX;PLANNED" "SHORT;FULL" "COMMAND;DEPENDS")
  foreach(part IN ITEMS SHORT FULL COMMAND)
    if(NOT DEFINED torture_${part})
      message(FATAL_ERROR "snapcell_add_torture(${name}): ${part} is missing")
    endif()
  endforeach()
  if(NOT torture_PLANNED)
    add_test(NAME ${name} COMMAND ${torture_COMMAND} --count ${torture_SHORT})
    set_tests_properties(${name} PROPERTIES
      TIMEOUT 600
      SKIP_RETURN_CODE 77
      ENVIRONMENT "SNAPCELL_WORKER=$<TARGET_FILE:snapcell>")
    if(torture_DEPENDS)
      set_tests_properties(${name} PROPERTIES FIXTURES_REQUIRED "${torture_DEPENDS}")
    endif()
  endif()

  list(POP_FRONT torture_COMMAND program)
  if(TARGET ${program})
    set(program $<TARGET_FILE:${program}>)
  endif()
  set(group base)
  if(torture_MATRIX)
    set(group matrix)
  endif()
  set(line "${name}\t${group}\t${torture_SHORT}\t${torture_FULL}\t${program}")
  foreach(argument IN LISTS torture_COMMAND)
    string(APPEND line "\t${argument}")
  endforeach()
  set_property(GLOBAL APPEND_STRING PROPERTY snapcell_torture_plan "${line}\n")
endfunction()

# What tests/torture/run reads: a line a program, name, "base" or "matrix", short and full count, command, parted by tabs.
function(snapcell_write_torture_plan)
  get_property(plan GLOBAL PROPERTY snapcell_torture_plan)
  file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/torture.plan CONTENT "${plan}")
endfunction()
