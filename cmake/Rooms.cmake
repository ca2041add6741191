# ngff_room(<name> FILES a.c … [LINKS target …]): one room of src/, an object library whose files see
# `src/` and `include/` and nothing else. The layer law itself is checked by tools/layers.py.
function(ngff_room name)
  cmake_parse_arguments(ROOM "" "" "FILES;LINKS" ${ARGN})
  add_library(ngff_${name} OBJECT ${ROOM_FILES})
  target_include_directories(ngff_${name} PRIVATE
    ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(ngff_${name} PRIVATE ngff_flags ${ROOM_LINKS})
  set_property(GLOBAL APPEND PROPERTY NGFF_ROOMS ${name})
  set_property(GLOBAL APPEND PROPERTY NGFF_LINKS ${ROOM_LINKS})
endfunction()
