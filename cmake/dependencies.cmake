# Everything comes from the distribution; nothing is vendored, nothing downloaded.
find_package(Boost 1.81 REQUIRED COMPONENTS json filesystem)
find_package(fmt 9 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(Threads REQUIRED)
find_path(TOMLPLUSPLUS_INCLUDE_DIR toml++/toml.h REQUIRED)
find_library(RE2_LIBRARY NAMES libre2.a re2 REQUIRED)
