# What every target of topv is compiled and linked with: target_link_libraries(<target> PRIVATE topv_defaults).

set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_CXX_FLAGS_RELEASE "-O3 -DNDEBUG")
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
# Plug-ins are looked up beside libtopv.so, in the build tree as well as installed.
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
set(CMAKE_INSTALL_RPATH "$ORIGIN")
set(CMAKE_INSTALL_LIBDIR lib)

set(TOPV_SANITIZE OFF CACHE STRING "address: AddressSanitizer and UndefinedBehaviorSanitizer; thread: ThreadSanitizer; OFF")
set_property(CACHE TOPV_SANITIZE PROPERTY STRINGS OFF address thread)

add_library(topv_defaults INTERFACE)
# No -march: code outside the instruction set specific files must run on any x86-64.
# -ffp-contract=off: a fused multiply-add is written where it is meant.
target_compile_options(topv_defaults INTERFACE -Wall -Wextra -Werror -Wshadow -ffp-contract=off)
target_link_options(topv_defaults INTERFACE -Wl,--no-undefined -Wl,--exclude-libs,ALL)
if(TOPV_SANITIZE STREQUAL "address")
  # vptr would need type information that hidden visibility keeps inside each library; the others that are left out cost
  # most of the compile time, and AddressSanitizer finds what they would.
  set(sanitizers -fsanitize=address,undefined -fno-sanitize=vptr,null,object-size,pointer-overflow
    -fno-sanitize-recover=all -fno-omit-frame-pointer)
elseif(TOPV_SANITIZE STREQUAL "thread")
  set(sanitizers -fsanitize=thread)
elseif(TOPV_SANITIZE)
  message(FATAL_ERROR "TOPV_SANITIZE is address, thread or OFF, not ${TOPV_SANITIZE}")
endif()
if(sanitizers)
  target_compile_options(topv_defaults INTERFACE ${sanitizers})
  target_link_options(topv_defaults INTERFACE ${sanitizers})
else()
  target_link_options(topv_defaults INTERFACE -static-libstdc++ -static-libgcc)
endif()
