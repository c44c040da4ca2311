#pragma once
#include <cstdint>
#include <string>

namespace bgt {

/// A limit of a process by its name without RLIMIT_ in small letters ("nofile"; man 2 setrlimit).
struct ResourceLimit {
    std::string name;
    std::uint64_t value = 0;
};

} // namespace bgt
