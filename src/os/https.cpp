#include <bgt/os/probe.hpp>

#include <bgt/base/text.hpp>
#include <bgt/os/helper.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>
#include <unistd.h>

namespace bgt::os {

namespace {

/// Of one question. A body that never ends is waited for until then: its status is known.
constexpr Duration max_timeout = std::chrono::minutes(2);
/// For curl to say by itself that the time is over.
constexpr Duration last_words = std::chrono::milliseconds(500);

std::string_view trimmed(std::string_view text)
{
    const auto begin = std::min(text.find_first_not_of(" \n"), text.size());
    return text.substr(begin, text.find_last_not_of(" \n") + 1 - begin);
}

/// Its path; empty: there is none in $PATH.
std::string find_curl()
{
    const char* const path = std::getenv("PATH");
    std::string_view rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
    while (!rest.empty()) {
        const std::string_view folder = rest.substr(0, rest.find(':'));
        rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
        std::string file = std::string(folder) + "/curl";
        if (folder.starts_with('/') && access(file.c_str(), X_OK) == 0) return file;
    }
    return {};
}

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
                                       "%{http_code} %{errormsg}",
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
    const std::string curl = find_curl();
    if (curl.empty())
        return Error::failed("https is asked by curl, which is not installed (not in $PATH)");
    const std::string place = url.host + " port " + std::to_string(url.port);
    const Duration limit = std::clamp<Duration>(timeout, std::chrono::milliseconds(1), max_timeout);
    const auto ended = run_helper(curl, arguments_for(url, limit), true, limit + last_words);
    if (!ended) return ended.error();
    if (!ended->code) return Error::failed("no answer in time from " + place);
    int status = 0;
    const char* const end = ended->output.data() + ended->output.size();
    const auto read = std::from_chars(ended->output.data(), end, status);
    if (read.ec == std::errc() && status >= 100) return status;
    constexpr int timed_out = 28;
    if (*ended->code == timed_out) return Error::failed("no answer in time from " + place);
    std::string why(trimmed(std::string_view(read.ptr, static_cast<std::size_t>(end - read.ptr))));
    if (why.empty() || why == "%{errormsg}") why = fmt::format("curl ended with {}", *ended->code);
    return Error::failed("no HTTPS answer from " + place + ": " + printable(why));
}

} // namespace bgt::os
