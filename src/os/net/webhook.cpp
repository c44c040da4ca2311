#include <bgt/os/webhook.hpp>

#include <bgt/base/text.hpp>
#include <bgt/os/helper.hpp>

#include "net/curl_status.hpp"

#include <fmt/format.h>

namespace bgt::os {
namespace {

/// For curl to say by itself that the time is over.
constexpr Duration last_words = std::chrono::milliseconds(500);

/// A value of a configuration file of curl's (man 1 curl, -K).
std::string config_value(std::string_view text)
{
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (c == '\n') out += "\\n"; // which would end the value, and begin another option
        else out += c;
    }
    return out + "\"";
}

} // namespace

Result<int> post_json(const std::string& url, std::string_view json, Duration timeout)
{
    const std::string curl = find_program("curl");
    if (curl.empty())
        return Error::failed("a webhook is called by curl, which is not installed (not in $PATH)");
    const std::string config =
        "url = " + config_value(url) + "\ndata-raw = " + config_value(json) + "\n";
    const double seconds = std::chrono::duration<double>(timeout).count();
    // -q comes first (man 1 curl): no file of the user's changes the question.
    const auto ended =
        run_helper(curl,
                   {"-q", "-s", "-g", "-o", "/dev/null", "-w", std::string(curl_status_format),
                    "--proto", "=http,https", "--max-time", fmt::format("{:.3f}", seconds), "-A",
                    "bgt", "-H", "Content-Type: application/json", "-K", "-"},
                   true, timeout + last_words, config);
    if (!ended) return ended.error();
    const CurlStatus answer = curl_status(*ended);
    if (answer.code) return *answer.code;
    return Error::failed(answer.is_late ? "no answer in time" : "no answer: " + answer.why);
}

} // namespace bgt::os
