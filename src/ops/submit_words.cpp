// The words of `bgt submit`.
#include <bgt/ops/submit.hpp>

#include <bgt/base/text.hpp>

#include <charconv>

namespace bgt::ops {
namespace {

constexpr std::int64_t max_array = 1'000'000;

/// Takes a number from the front; nullopt: there is none.
std::optional<std::int64_t> take_number(std::string_view& text)
{
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return value;
}

bool take_char(std::string_view& text, char c)
{
    if (text.empty() || text.front() != c) return false;
    text.remove_prefix(1);
    return true;
}

} // namespace

Result<DependencyWord> parse_dependency(std::string_view text)
{
    const std::size_t colon = text.rfind(':');
    DependencyWord word{std::string(text.substr(0, colon)), core::DependsOn::ok};
    if (word.task.empty())
        return Error::usage("'" + fit(printable(text), 40) +
                            "' names no task: an id or a name, as in 12:ok");
    if (colon == text.npos) return word;
    const auto on = core::parse_depends_on(text.substr(colon + 1));
    if (!on && store::check_name(text)) return DependencyWord{std::string(text)}; // PROJECT:NAME
    if (!on)
        return Error::usage("'" + fit(printable(text), 40) +
                            "': behind the colon stands ok, fail, any, start or ready");
    word.on = *on;
    return word;
}

Result<ArrayRange> parse_array(std::string_view text)
{
    const Error error =
        Error::usage("'" + fit(printable(text), 40) +
                     "' is no range of numbers: 1-100, 0-30:10 (every tenth), 1-100%8 (8 at once)");
    ArrayRange range;
    const auto first = take_number(text);
    if (!first || *first < 0) return error;
    range.first = range.last = *first;
    if (take_char(text, '-')) {
        const auto last = take_number(text);
        if (!last) return error;
        range.last = *last;
    }
    if (take_char(text, ':')) {
        const auto step = take_number(text);
        if (!step || *step < 1) return error;
        range.step = *step;
    }
    if (take_char(text, '%')) {
        const auto limit = take_number(text);
        if (!limit || *limit < 1 || *limit > max_array) return error;
        range.max_running = static_cast<std::uint32_t>(*limit);
    }
    if (!text.empty() || range.last < range.first) return error;
    if ((range.last - range.first) / range.step >= max_array)
        return Error::usage("an array of more than a million tasks");
    return range;
}

} // namespace bgt::ops
