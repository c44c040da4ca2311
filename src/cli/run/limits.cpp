#include "limits.hpp"

#include <algorithm>
#include <bgt/base/size.hpp>
#include <bgt/base/text.hpp>
#include <bgt/base/time.hpp>
#include <charconv>
#include <limits>

namespace bgt::cli {

namespace {

constexpr auto unlimited =
    std::numeric_limits<std::uint64_t>::max(); // RLIM_INFINITY (man 2 setrlimit)

Result<std::uint64_t> parse_value(const std::string& name, const std::string& text)
{
    if (text == "unlimited") return unlimited;
    if (name == "nofile" || name == "nproc") {
        std::uint64_t number = 0;
        const auto [end, err] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (text.empty() || err != std::errc() || end != text.data() + text.size())
            return Error::usage("'" + fit(printable(text), 40) + "' is not a number");
        return number;
    }
    if (name != "cpu") return parse_size(text);
    auto time = parse_duration(text);
    if (!time) return time.error();
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*time).count();
    if (seconds < 1) return Error::usage("0 seconds of CPU time would end the task at once");
    return static_cast<std::uint64_t>(seconds);
}

} // namespace

const std::vector<std::string>& limit_names()
{
    static const std::vector<std::string> names{"as",      "core",   "cpu",   "data", "fsize",
                                                "memlock", "nofile", "nproc", "stack"};
    return names;
}

Result<ResourceLimit> parse_resource_limit(const std::string& text)
{
    const auto equals = text.find('=');
    const auto name = text.substr(0, equals);
    const auto& names = limit_names();
    if (std::find(names.begin(), names.end(), name) == names.end()) {
        std::string list;
        for (const auto& known : names) list += (list.empty() ? "" : ", ") + known;
        return Error::usage("--limit knows " + list + ", not '" + fit(printable(name), 40) + "'");
    }
    if (equals == std::string::npos)
        return Error::usage("--limit " + name + " needs a value: --limit " + name + "=VALUE");
    auto value = parse_value(name, text.substr(equals + 1));
    if (!value) return Error::usage("--limit " + name + ": " + value.error().message);
    return ResourceLimit{name, *value};
}

} // namespace bgt::cli
