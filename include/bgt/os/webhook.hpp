#pragma once
#include <bgt/base/result.hpp>
#include <bgt/base/time.hpp>
#include <string>
#include <string_view>

namespace bgt::os {

/// POSTs the JSON text to the URL (http or https), by curl(1) with no configuration of the user's
/// and no shell, and returns the status of the answer. Neither URL nor text is in the arguments of
/// a process, where others could read them. Redirects are not followed. Error: curl is not
/// installed, no answer in time, no answer of HTTP.
Result<int> post_json(const std::string& url, std::string_view json, Duration timeout);

} // namespace bgt::os
