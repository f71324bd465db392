# topv_add_kernels(<target> <sources>...): compiles the sources once per instruction set level and links them into
# <target>. Each level is linked into one relocatable object in which every symbol but its table of kernels is made
# local. So an inline function or template (std::vector, std::sort, ...) that the compiler emitted with AVX-512 in one
# file can never be chosen by the linker for code that has to run without it.

set(TOPV_LEVELS avx2 avx512 avx512_bf16 amx)
set(TOPV_FLAGS_avx2 -mavx2 -mfma -mf16c -mbmi2)
set(TOPV_FLAGS_avx512 ${TOPV_FLAGS_avx2} -mavx512f -mavx512bw -mavx512dq -mavx512vl -mprefer-vector-width=512)
set(TOPV_FLAGS_avx512_bf16 ${TOPV_FLAGS_avx512} -mavx512bf16)
set(TOPV_FLAGS_amx ${TOPV_FLAGS_avx512_bf16} -mamx-tile -mamx-bf16)

# GCC before 13 takes the deliberately undefined operands in its own AVX-512 headers for mistakes (bug 105593).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  set(TOPV_KERNEL_WARNINGS -Wno-uninitialized -Wno-maybe-uninitialized)
endif()

function(topv_add_kernels target)
  foreach(level ${TOPV_LEVELS})
    set(objects "${target}_${level}")
    set(linked "${CMAKE_CURRENT_BINARY_DIR}/${objects}.o")
    add_library(${objects} OBJECT ${ARGN})
    target_compile_definitions(${objects} PRIVATE TOPV_ISA=${level})
    target_compile_options(${objects} PRIVATE ${TOPV_FLAGS_${level}} ${TOPV_KERNEL_WARNINGS} -fopenmp -fno-gnu-unique)
    target_include_directories(${objects} PRIVATE $<TARGET_PROPERTY:${target},INCLUDE_DIRECTORIES>)
    target_link_libraries(${objects} PRIVATE topv_defaults)
    add_custom_command(OUTPUT "${linked}"
      COMMAND "${CMAKE_LINKER}" -r --force-group-allocation -o "${linked}" "$<TARGET_OBJECTS:${objects}>"
      COMMAND "${CMAKE_OBJCOPY}" --keep-global-symbol=topv_kernels_${level} "${linked}"
      DEPENDS ${objects} "$<TARGET_OBJECTS:${objects}>" COMMAND_EXPAND_LISTS VERBATIM
      COMMENT "Linking kernels for ${level}")
    set_source_files_properties("${linked}" PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
    target_sources(${target} PRIVATE "${linked}")
  endforeach()
endfunction()
