#pragma once
#include <bgt/os/helper.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace bgt::os {

/// For `curl -w`.
inline constexpr std::string_view curl_status_format = "%{http_code} %{errormsg}";

struct CurlStatus {
    std::optional<int> code; ///< the status of HTTP
    bool is_late = false;    ///< its time was over
    std::string why;         ///< there is no code; safe to print
};
/// What curl, called with that format, has said.
CurlStatus curl_status(const HelperEnd&);

} // namespace bgt::os
