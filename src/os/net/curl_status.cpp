#include "net/curl_status.hpp"

#include <bgt/base/text.hpp>

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace bgt::os {
namespace {

std::string_view trimmed(std::string_view text)
{
    const auto begin = std::min(text.find_first_not_of(" \n"), text.size());
    return text.substr(begin, text.find_last_not_of(" \n") + 1 - begin);
}

} // namespace

CurlStatus curl_status(const HelperEnd& ended)
{
    CurlStatus status;
    if (!ended.code) {
        status.is_late = true;
        return status;
    }
    int code = 0;
    const char* const end = ended.output.data() + ended.output.size();
    const auto read = std::from_chars(ended.output.data(), end, code);
    if (read.ec == std::errc() && code >= 100) {
        status.code = code;
        return status;
    }
    constexpr int timed_out = 28;
    status.is_late = *ended.code == timed_out;
    const std::string why(
        trimmed(std::string_view(read.ptr, static_cast<std::size_t>(end - read.ptr))));
    const bool says_why = !why.empty() && why != "%{errormsg}"; // which older ones do not know
    status.why = says_why ? printable(why) : fmt::format("curl ended with {}", *ended.code);
    return status;
}

} // namespace bgt::os
