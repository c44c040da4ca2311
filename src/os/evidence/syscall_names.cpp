#include "evidence.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace bgt::os::detail {

namespace {

using Row = std::pair<long, std::string_view>;

constexpr Row rows[] = {
#include "syscall_names.inc"
};

} // namespace

std::string_view system_call_name(long number)
{
    const auto row = std::lower_bound(std::begin(rows), std::end(rows), number,
                                      [](const Row& a, long b) { return a.first < b; });
    return row != std::end(rows) && row->first == number ? row->second : std::string_view();
}

} // namespace bgt::os::detail
