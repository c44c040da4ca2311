# What every target is compiled with. (-Wrestrict of g++ 12 cries wolf over operator+ of std::string, GCC bug 105329.)
add_library(bgt_settings INTERFACE)
target_include_directories(bgt_settings INTERFACE ${CMAKE_SOURCE_DIR}/include)
target_compile_options(bgt_settings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wswitch-enum
  -Wnon-virtual-dtor -Wno-restrict -ffunction-sections -fdata-sections)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 13)
  # It takes a function's result for a reference into any temporary among the arguments, a key for instance.
  target_compile_options(bgt_settings INTERFACE -Wno-dangling-reference)
endif()
target_compile_definitions(bgt_settings INTERFACE _GNU_SOURCE BGT_VERSION="${PROJECT_VERSION}")
target_link_options(bgt_settings INTERFACE -Wl,--gc-sections)

if(BGT_STATIC)
  # Not position-independent: no relocations at start, so no page of the binary is dirtied by them.
  target_compile_options(bgt_settings INTERFACE -fno-pie)
  target_link_options(bgt_settings INTERFACE -static -no-pie)
  # The code of a start side by side (start_order.py). Not every linker reads such a script.
  include(CheckLinkerFlag)
  set(start_order ${CMAKE_CURRENT_LIST_DIR}/start_order.ld)
  check_linker_flag(CXX -Wl,-T,${start_order} BGT_ORDERS_START)
endif()

set(BGT_SANITIZE "" CACHE STRING "address;undefined or thread")
if(BGT_SANITIZE)
  string(REPLACE ";" "," joined "${BGT_SANITIZE}")
  add_compile_options(-fsanitize=${joined} -fno-omit-frame-pointer -fno-sanitize-recover=all) # which tests/ takes back
  target_link_options(bgt_settings INTERFACE -fsanitize=${joined})
  if("thread" IN_LIST BGT_SANITIZE)
    add_compile_options(-Wno-tsan) # Asio's fences
  endif()
endif()
option(BGT_COVERAGE "Count executed lines (gcov)" OFF)
if(BGT_COVERAGE)
  target_compile_options(bgt_settings INTERFACE --coverage)
  target_link_options(bgt_settings INTERFACE --coverage)
endif()

if(BGT_SANITIZE OR BGT_COVERAGE)
  target_compile_definitions(bgt_settings INTERFACE BGT_REPORTS_AT_EXIT) # leaks, and lines
endif()

# Every byte of output that is shown goes through these, and every record that is read: fast rather than small.
set_source_files_properties(src/store/status.cpp src/base/text.cpp src/base/terminal_text.cpp src/store/log_lines.cpp src/ops/log_printer.cpp
  src/store/status_file.cpp src/store/files.cpp src/render/table.cpp src/render/words.cpp src/supervise/snapshot.cpp
  src/store/queue_file.cpp src/store/queue_records.cpp src/store/queue_view.cpp src/core/queue.cpp src/core/queue_kinds.cpp
  PROPERTIES COMPILE_OPTIONS $<$<CONFIG:Release>:-O2> SKIP_PRECOMPILE_HEADERS ON) # which are compiled for the size

# Reading the same headers again and again is a good half of a build. They are read once where nobody edits; in the debug build
# each file shows that it includes what it needs.
function(read_headers_once target)
  if((BGT_SANITIZE OR NOT CMAKE_BUILD_TYPE STREQUAL Debug) AND NOT BGT_FUZZ)
    target_precompile_headers(${target} PRIVATE <algorithm> <chrono> <functional> <map> <memory> <optional> <set> <string>
      <string_view> <variant> <vector> <fmt/format.h> ${ARGN})
  endif()
endfunction()
