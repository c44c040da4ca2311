#include <bgt/core/scope_chain.hpp>

#include <algorithm>
#include <charconv>
#include <optional>

namespace bgt::core {
namespace {

constexpr std::string_view digits = "0123456789abcdef";

/// The whole text as a number of that type, without a sign.
template <class T>
std::optional<T> whole_number(std::string_view text)
{
    T value{};
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || stop != end || text.front() == '-') return std::nullopt;
    return value;
}

std::optional<BootId> parse_boot(std::string_view text)
{
    BootId boot{};
    if (text.size() != 2 * boot.size()) return std::nullopt;
    for (std::size_t at = 0; at < boot.size(); ++at) {
        const std::size_t high = digits.find(text[2 * at]), low = digits.find(text[2 * at + 1]);
        if (high == digits.npos || low == digits.npos) return std::nullopt;
        boot[at] = static_cast<std::uint8_t>(16 * high + low);
    }
    return boot;
}

std::optional<ProcessKey> parse_key(std::string_view text)
{
    const std::size_t dot = text.find('.');
    if (dot == text.npos) return std::nullopt;
    const auto pid = whole_number<std::int32_t>(text.substr(0, dot));
    const auto ticks = whole_number<std::uint64_t>(text.substr(dot + 1));
    if (!pid || *pid < 1 || !ticks) return std::nullopt;
    return ProcessKey{*pid, *ticks};
}

} // namespace

bool ScopeChain::contains(const BootId& of_boot, const ProcessKey& scope) const
{
    return boot == of_boot && std::ranges::find(processes, scope) != processes.end();
}

std::string encode_scopes(const ScopeChain& chain)
{
    std::string out;
    if (chain.empty()) return out;
    for (const std::uint8_t byte : chain.boot) {
        out += digits[byte / 16];
        out += digits[byte % 16];
    }
    char separator = '/';
    for (const ProcessKey& scope : chain.processes) {
        out += separator + std::to_string(scope.pid) + "." + std::to_string(scope.start_ticks);
        separator = ':';
    }
    return out;
}

Result<ScopeChain> parse_scopes(std::string_view text)
{
    const Error bad = Error::usage("it does not name scopes as bgt scope does");
    ScopeChain chain;
    if (text.empty()) return chain;
    const std::size_t slash = text.find('/');
    const auto boot = parse_boot(text.substr(0, slash));
    if (slash == text.npos || !boot) return bad;
    chain.boot = *boot;
    text.remove_prefix(slash + 1);
    while (true) {
        const std::size_t colon = text.find(':');
        const auto scope = parse_key(text.substr(0, colon));
        if (!scope) return bad;
        if (chain.processes.size() == max_scopes)
            return Error::usage("scopes are nested more than " + std::to_string(max_scopes) +
                                " deep");
        chain.processes.push_back(*scope);
        if (colon == text.npos) return chain;
        text.remove_prefix(colon + 1);
    }
}

} // namespace bgt::core
