# Tests on the emulated device (cuda-kernels/simt).

# The orders in which threads run (SIMT_ORDER), each a run of every test, and in which of them shapes are kept small. Other
# orders than the first find what depends on the order, for which small shapes will do; ThreadSanitizer is slow anyway.
set(TOPV_SIMT_ORDERS fwd)
set(TOPV_SIMT_SMALL rev rand:1)
if(TOPV_SANITIZE STREQUAL "thread")
  set(TOPV_SIMT_ORDERS rand:1)
elseif(NOT TOPV_SANITIZE)
  list(APPEND TOPV_SIMT_ORDERS rev rand:1)
endif()

# topv_add_simt_test(<name> COMMAND <command>... [ENVIRONMENT <name=value>...] [PROPERTIES <name> <value>...] [SKIP <order>...]):
# runs in each order but those to skip, as <name>.simt, <name>.simt_rev, ...
function(topv_add_simt_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "COMMAND;ENVIRONMENT;PROPERTIES;SKIP")
  foreach(order ${TOPV_SIMT_ORDERS})
    if(order IN_LIST arg_SKIP AND NOT TOPV_SANITIZE)
      continue()
    endif()
    string(REGEX REPLACE "[^a-z]" "" suffix "_${order}")
    set(test ${name}.simt_${suffix})
    set(environment "TOPV_TEST_BACKEND=simt;SIMT_ORDER=${order}" ${arg_ENVIRONMENT})
    if(order STREQUAL "fwd")
      set(test ${name}.simt)
    endif()
    if(order IN_LIST TOPV_SIMT_SMALL)
      list(APPEND environment TOPV_TEST_SMALL=1)
    endif()
    add_test(NAME ${test} COMMAND ${arg_COMMAND})
    set_tests_properties(${test} PROPERTIES TIMEOUT 600 ENVIRONMENT "${environment}" ${arg_PROPERTIES})
  endforeach()
endfunction()
