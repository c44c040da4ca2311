#include <bgt/os/probe.hpp>

#include <bgt/os/helper.hpp>

#include "net/curl_status.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bgt::os {

namespace {

/// Of one question. A body that never ends is waited for until then: its status is known.
constexpr Duration max_timeout = std::chrono::minutes(2);
/// For curl to say by itself that the time is over.
constexpr Duration last_words = std::chrono::milliseconds(500);

std::vector<std::string> arguments_for(const core::HttpUrl& url, Duration timeout)
{
    const double seconds = std::chrono::duration<double>(timeout).count();
    // -q comes first (man 1 curl): no file of the user's changes the question. --max-filesize: of
    // the body nothing is wanted.
    std::vector<std::string> arguments{"-q",
                                       "-s",
                                       "-g",
                                       "-o",
                                       "/dev/null",
                                       "-w",
                                       std::string(curl_status_format),
                                       "--max-time",
                                       fmt::format("{:.3f}", seconds),
                                       "--max-filesize",
                                       "1",
                                       "-A",
                                       "bgt"};
    if (core::is_loopback(url)) arguments.insert(arguments.end(), {"-k", "--noproxy", "*"});
    arguments.push_back(
        fmt::format("https://{}:{}{}", core::bracketed_host(url), url.port, url.target));
    return arguments;
}

} // namespace

Result<int> https_get_status(const core::HttpUrl& url, Duration timeout)
{
    const std::string curl = find_program("curl");
    if (curl.empty())
        return Error::failed("https is asked by curl, which is not installed (not in $PATH)");
    const std::string place = url.host + " port " + std::to_string(url.port);
    const Duration limit = std::clamp<Duration>(timeout, std::chrono::milliseconds(1), max_timeout);
    const auto ended = run_helper(curl, arguments_for(url, limit), true, limit + last_words);
    if (!ended) return ended.error();
    const CurlStatus answer = curl_status(*ended);
    if (answer.code) return *answer.code;
    if (answer.is_late) return Error::failed("no answer in time from " + place);
    return Error::failed("no HTTPS answer from " + place + ": " + answer.why);
}

} // namespace bgt::os
