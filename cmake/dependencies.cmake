# Everything comes from the distribution; nothing is vendored, nothing downloaded.
# Their archives, in every build: the static binary needs them, and so every preset links the same code.
set(Boost_USE_STATIC_LIBS ON)
find_package(Boost 1.81 REQUIRED COMPONENTS json filesystem)
find_package(fmt 9 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(Threads REQUIRED)
find_path(TOMLPLUSPLUS_INCLUDE_DIR toml++/toml.h REQUIRED)
find_library(RE2_LIBRARY NAMES libre2.a re2 REQUIRED)
