# oneDNN as IMPORTED targets topv::dnnl and topv::gomp, out of the unpacked native jar of Bytedeco's preset. Its own
# CMake package is broken: it points at a libdnnl.so that the jar does not hold.

set(TOPV_DNNL_DIR "" CACHE PATH "Directory that holds oneDNN: include/, libdnnl.so.3 and libgomp.so.1")
foreach(file include/oneapi/dnnl/dnnl.hpp libdnnl.so.3 libgomp.so.1)
  if(NOT EXISTS "${TOPV_DNNL_DIR}/${file}")
    message(FATAL_ERROR
      "TOPV_DNNL_DIR = '${TOPV_DNNL_DIR}' does not hold ${file}. The Maven build sets it. By hand: unpack the jar\n"
      "  mvn dependency:copy -Dartifact=org.bytedeco:dnnl:3.11-1.5.13:jar:linux-x86_64 -DoutputDirectory=dnnl\n"
      "  unzip -q -d dnnl dnnl/*.jar 'org/bytedeco/dnnl/linux-x86_64/*'\n"
      "and set the environment variable TOPV_DNNL_DIR=$PWD/dnnl/org/bytedeco/dnnl/linux-x86_64")
  endif()
endforeach()

add_library(topv::gomp SHARED IMPORTED)
set_target_properties(topv::gomp PROPERTIES IMPORTED_LOCATION "${TOPV_DNNL_DIR}/libgomp.so.1")
add_library(topv::dnnl SHARED IMPORTED)
set_target_properties(topv::dnnl PROPERTIES
  IMPORTED_LOCATION "${TOPV_DNNL_DIR}/libdnnl.so.3"
  INTERFACE_INCLUDE_DIRECTORIES "${TOPV_DNNL_DIR}/include"
  INTERFACE_LINK_LIBRARIES topv::gomp)
