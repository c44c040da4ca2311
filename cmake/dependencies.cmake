# Everything comes from the distribution; nothing is vendored, nothing downloaded.
# Their archives, in every build: the static binary needs them, and so every preset links the same code.
set(Boost_USE_STATIC_LIBS ON)
find_package(Boost 1.81 REQUIRED CONFIG COMPONENTS json filesystem)
find_package(fmt 9 REQUIRED)
# Debian has no archive of it. Compiled into each file, it takes more than half of the time of a build with sanitizers.
option(BGT_STATIC "Link one static binary" OFF)
set(FMT_LIBRARY fmt::fmt)
if(BGT_STATIC)
  set(FMT_LIBRARY fmt::fmt-header-only)
endif()
find_package(CLI11 2.1 REQUIRED)
find_package(Threads REQUIRED)
find_path(TOMLPLUSPLUS_INCLUDE_DIR toml++/toml.h REQUIRED)
find_library(RE2_LIBRARY NAMES libre2.a re2 REQUIRED)
# RE2 of Debian 13 is made with Abseil, whose archives need each other; that of Debian 12 needs none of them.
get_filename_component(re2_folder ${RE2_LIBRARY} DIRECTORY)
file(GLOB ABSEIL_LIBRARIES ${re2_folder}/libabsl_*.a)
list(FILTER ABSEIL_LIBRARIES EXCLUDE REGEX "_test|_mock")
if(ABSEIL_LIBRARIES)
  set(ABSEIL_LIBRARIES -Wl,--start-group ${ABSEIL_LIBRARIES} -Wl,--end-group)
endif()
find_path(UTF8PROC_INCLUDE_DIR utf8proc.h REQUIRED)
find_library(UTF8PROC_LIBRARY NAMES libutf8proc.a utf8proc REQUIRED)
