# Sets `layers` to the names in layers.txt, lowest first.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/layers.txt)
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/layers.txt layers REGEX "^[a-z]")
list(TRANSFORM layers REPLACE " .*" "")

# `cmake --build build/dev --target doc` draws which layer includes which, and prints the counts.
find_program(BGT_PYTHON python3)
if(BGT_PYTHON)
  add_custom_target(doc COMMAND ${BGT_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/layers.py ${CMAKE_SOURCE_DIR}
    ${CMAKE_BINARY_DIR}/layers.svg VERBATIM)
endif()
