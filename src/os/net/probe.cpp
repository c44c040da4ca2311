#include <bgt/os/probe.hpp>

#include <bgt/base/text.hpp>
#include <bgt/core/http_url.hpp>
#include <bgt/os/helper.hpp>

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <string_view>

namespace bgt::os {

namespace {

bool is_address(const std::string& text)
{
    boost::system::error_code error;
    boost::asio::ip::make_address(text, error);
    return !error;
}

/// First words of `getent ahosts` lines: "127.0.0.1  STREAM localhost", three lines an address.
std::vector<std::string> addresses_in(std::string_view output)
{
    std::vector<std::string> found;
    while (!output.empty()) {
        const std::string_view line = output.substr(0, output.find('\n'));
        output.remove_prefix(std::min(output.size(), line.size() + 1));
        std::string address(line.substr(0, line.find(' ')));
        if (is_address(address) && std::ranges::find(found, address) == found.end())
            found.push_back(std::move(address));
    }
    return found;
}

} // namespace

Result<std::vector<std::string>> resolve(const std::string& host, Duration timeout)
{
    if (is_address(host)) return std::vector<std::string>{host};
    if (host == "localhost") return std::vector<std::string>{"127.0.0.1", "::1"};
    if (host.empty() || host.size() > 253 || host.front() == '-' ||
        core::has_space_or_control(host))
        return Error::usage("'" + printable(host) + "' is not a host name");
    // By a shell, which looks in $PATH.
    const auto ended =
        run_helper("/bin/sh", {"-c", "exec getent ahosts \"$1\"", "sh", host}, true, timeout);
    if (!ended) return ended.error();
    if (!ended->code) return Error::failed("no answer in time for the host name " + host);
    if (*ended->code == 127)
        return Error::failed("can't look up the host name " + host + ": getent is not installed");
    auto addresses = addresses_in(ended->output);
    if (addresses.empty()) return Error::failed("unknown host name " + host);
    return addresses;
}

Result<int> run_command(const std::string& text, Duration timeout)
{
    const auto ended = run_helper("/bin/sh", {"-c", text}, false, timeout);
    if (!ended) return ended.error();
    return ended->code.value_or(124);
}

} // namespace bgt::os
