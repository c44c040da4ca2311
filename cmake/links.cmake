# Which layer needs which library; the headers of most are used in one or two files each.
set(BOOST_DEFINES BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_VISIBILITY BOOST_ERROR_CODE_HEADER_ONLY)
target_include_directories(bgt_config SYSTEM PRIVATE ${TOMLPLUSPLUS_INCLUDE_DIR})
foreach(layer IN LISTS layers)
  target_link_libraries(bgt_${layer} PRIVATE ${FMT_LIBRARY})
  if(NOT layer MATCHES "^(base|core|config)$")
    target_link_libraries(bgt_${layer} PRIVATE Boost::json)
  endif()
  if(NOT layer MATCHES "^(base|core|config|store|render)$")
    target_link_libraries(bgt_${layer} PRIVATE Boost::headers Boost::filesystem Threads::Threads)
    target_compile_definitions(bgt_${layer} PRIVATE ${BOOST_DEFINES})
  endif()
endforeach()
target_link_libraries(bgt_core PRIVATE ${RE2_LIBRARY} ${ABSEIL_LIBRARIES})
target_include_directories(bgt_base SYSTEM PRIVATE ${UTF8PROC_INCLUDE_DIR})
target_link_libraries(bgt_base PRIVATE ${UTF8PROC_LIBRARY})
target_link_libraries(bgt_cli PRIVATE CLI11::CLI11)
target_include_directories(bgt_cli PRIVATE src/cli) # its folders name its headers from there

# Reading the same headers again and again is a good half of a build. They are read once where nobody edits; in the debug build
# each file shows that it includes what it needs.
if((BGT_SANITIZE OR NOT CMAKE_BUILD_TYPE STREQUAL Debug) AND NOT BGT_FUZZ)
  foreach(layer IN LISTS layers)
    target_precompile_headers(bgt_${layer} PRIVATE <algorithm> <chrono> <functional> <map> <memory> <optional> <set> <string>
      <string_view> <variant> <vector> <fmt/format.h>)
  endforeach()
endif()
