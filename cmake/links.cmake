# Which layer needs which library; the headers of most are used in one or two files each.
set(BOOST_DEFINES BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_VISIBILITY BOOST_ERROR_CODE_HEADER_ONLY)
target_include_directories(bgt_config SYSTEM PRIVATE ${TOMLPLUSPLUS_INCLUDE_DIR})
foreach(layer IN ITEMS base core config)
  target_link_libraries(bgt_${layer} PRIVATE ${FMT_LIBRARY})
endforeach()
foreach(layer IN ITEMS store os supervise render cli)
  target_link_libraries(bgt_${layer} PRIVATE Boost::json ${FMT_LIBRARY})
endforeach()
foreach(layer IN ITEMS os supervise cli)
  target_link_libraries(bgt_${layer} PRIVATE Boost::headers Boost::filesystem Threads::Threads)
  target_compile_definitions(bgt_${layer} PRIVATE ${BOOST_DEFINES})
endforeach()
target_link_libraries(bgt_core PRIVATE ${RE2_LIBRARY})
target_link_libraries(bgt_cli PRIVATE CLI11::CLI11)

# Reading the same headers again and again is a good half of a build. Where the sanitizers make it longer they are read once; in
# the other builds each file shows that it includes what it needs.
if(BGT_SANITIZE AND NOT BGT_FUZZ)
  foreach(layer IN ITEMS base core config store os supervise render cli)
    target_precompile_headers(bgt_${layer} PRIVATE <algorithm> <chrono> <functional> <map> <memory> <optional> <set> <string>
      <string_view> <variant> <vector> <fmt/format.h>)
  endforeach()
endif()
