#include <bgt/core/progress.hpp>

#include <bgt/base/text.hpp>
#include <bgt/core/pattern.hpp>

#include <charconv>
#include <cmath>
#include <limits>

namespace bgt::core {

namespace {

constexpr std::size_t step_columns = 80; ///< more of a step is no name but a line of output

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// Reads a line from left to right; each step is taken only where it fits.
class Reader {
public:
    explicit Reader(std::string_view text) : text_(text) {}

    bool skip(std::string_view word)
    {
        if (!text_.starts_with(word)) return false;
        text_.remove_prefix(word.size());
        return true;
    }
    void skip_blanks()
    {
        while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\t'))
            text_.remove_prefix(1);
    }
    std::optional<std::uint64_t> whole()
    {
        std::uint64_t value = 0;
        const auto parsed = std::from_chars(text_.data(), text_.data() + text_.size(), value);
        if (parsed.ec != std::errc{}) return std::nullopt;
        text_.remove_prefix(static_cast<std::size_t>(parsed.ptr - text_.data()));
        return value;
    }
    /// `45`, `45.5`; no sign, exponent, infinity or other words of strtod.
    std::optional<double> decimal()
    {
        if (text_.empty() || !is_digit(text_.front())) return std::nullopt;
        double value = 0;
        const auto parsed = std::from_chars(text_.data(), text_.data() + text_.size(), value,
                                            std::chars_format::fixed);
        if (parsed.ec != std::errc{}) return std::nullopt;
        text_.remove_prefix(static_cast<std::size_t>(parsed.ptr - text_.data()));
        return value;
    }
    std::string_view rest() const { return text_; }

private:
    std::string_view text_;
};

std::string step_of(std::string_view text)
{
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return fit(printable(text.substr(0, 4 * step_columns)), step_columns);
}

std::optional<Progress> of_counter(std::uint64_t done, std::uint64_t total)
{
    if (total == 0 || done > total || total > std::numeric_limits<std::uint32_t>::max())
        return std::nullopt;
    return Progress{static_cast<double>(done) / static_cast<double>(total),
                    {},
                    static_cast<std::uint32_t>(total)};
}

std::optional<Progress> of_percentage(double value)
{
    if (!(value >= 0 && value <= 100)) return std::nullopt;
    return Progress{value / 100, {}, std::nullopt};
}

/// `3/10]` or ` 45%]`, behind the opening bracket.
std::optional<Progress> read_bracket(Reader& in, std::string_view close)
{
    in.skip_blanks();
    Reader other = in;
    if (const auto value = other.decimal(); value && other.skip("%")) {
        other.skip_blanks();
        if (!other.skip(close)) return std::nullopt;
        in = other;
        return of_percentage(*value);
    }
    const auto done = in.whole();
    in.skip_blanks();
    if (!done || !in.skip("/")) return std::nullopt;
    in.skip_blanks();
    const auto total = in.whole();
    in.skip_blanks();
    if (!total || !in.skip(close)) return std::nullopt;
    return of_counter(*done, *total);
}

/// What the text begins with, bracket first: `[3/10]`, `(3/10)`, `[ 45%]`; what follows is left in
/// `in`.
std::optional<Progress> read_bracketed(Reader& in)
{
    if (in.skip("[")) return read_bracket(in, "]");
    if (in.skip("(")) return read_bracket(in, ")");
    return std::nullopt;
}

/// `3 of 10` behind whatever; the total may not go on as a date, a version or a word does.
std::optional<Progress> read_of(Reader in)
{
    const auto done = in.whole();
    if (!done || !in.skip(" of ")) return std::nullopt;
    const auto total = in.whole();
    if (!total) return std::nullopt;
    const std::string_view rest = in.rest();
    if (!rest.empty() && (is_word(rest.front()) || rest.front() == '/' || rest.front() == '%'))
        return std::nullopt;
    if (rest.size() > 1 && (rest[0] == '.' || rest[0] == ',' || rest[0] == '-') && is_word(rest[1]))
        return std::nullopt;
    return of_counter(*done, *total);
}

bool is_letter(char c)
{
    return is_word(c) && !is_digit(c);
}

/// Whether words stand on both sides: "about 45% of users" tells of users. Beside a bar, behind a
/// colon, at either end of its line (`45% [...]`, `copied 45%`) a percentage is that of the work,
/// but for "45% of users", and so it is where the word behind says so.
bool is_prose(std::string_view before, std::string_view after)
{
    constexpr std::string_view blanks = " \t";
    before = before.substr(0, before.find_last_not_of(blanks) + 1);
    after.remove_prefix(std::min(after.find_first_not_of(blanks), after.size()));
    for (const std::string_view word : {"done", "complete", "finished"})
        if (after.starts_with(word)) return false;
    if (after.starts_with("of ") && after.size() > 3 && is_letter(after[3])) return true;
    const bool leads = before.empty() || (!is_letter(before.back()) && before.back() != ',');
    const bool ends = after.empty() ||
                      (!is_letter(after.front()) && after.front() != ',' && after.front() != '.');
    return !leads && !ends;
}

/// The number at that place of the line.
std::optional<Progress> read_percentage(std::string_view line, std::size_t at)
{
    Reader in(line.substr(at));
    const auto value = in.decimal();
    in.skip(" ");
    if (!value || !in.skip("%")) return std::nullopt;
    const auto rest = in.rest();
    if (!rest.empty() && (is_word(rest.front()) || rest.front() == '%')) return std::nullopt;
    return is_prose(line.substr(0, at), rest) ? std::nullopt : of_percentage(*value);
}

/// All of the text as a number.
std::optional<double> whole_decimal(std::string_view text)
{
    Reader in(text);
    const auto value = in.decimal();
    return in.rest().empty() ? value : std::nullopt;
}

/// Whether a number of its own begins there: not the end of a word, a version, a date, a negative
/// number.
bool begins_number(std::string_view line, std::size_t at)
{
    constexpr std::string_view joins = ".,-/+";
    if (!is_digit(line[at])) return false;
    if (at == 0) return true;
    return !is_word(line[at - 1]) && joins.find(line[at - 1]) == joins.npos;
}

/// The last percentage of the line; else the last counter.
std::optional<Progress> search(std::string_view line)
{
    std::optional<Progress> percentage, counter;
    for (std::size_t at = 0; at < line.size(); ++at) {
        if (line[at] == '[' || line[at] == '(') {
            Reader in(line.substr(at));
            const auto found = read_bracketed(in);
            if (found) (found->total_steps ? counter : percentage) = found;
        } else if (begins_number(line, at)) {
            if (const auto found = read_percentage(line, at)) percentage = found;
            else if (const auto other = read_of(Reader(line.substr(at)))) counter = other;
        }
    }
    return percentage ? percentage : counter;
}

} // namespace

std::optional<Progress> find_progress(std::string_view rendered_line)
{
    Reader in(rendered_line);
    in.skip_blanks();
    if (auto first = read_bracketed(in)) {
        first->step = step_of(in.rest());
        return first;
    }
    return search(rendered_line);
}

std::optional<Progress> ProgressReader::read(std::string_view rendered_line)
{
    std::optional<Progress> found = find_progress(rendered_line);
    if (!found) return found;
    if (!found->total_steps) { // one that is complete at once is a footer, too: "100% coverage"
        const bool has_begun =
            counter_ && (moved_ || !counter_->total_steps || counter_->fraction < 1.0);
        if (found->fraction < 1.0 && !counter_) counter_ = found;
        return has_begun || found->fraction < 1.0 ? found : std::nullopt;
    }
    const bool is_same = counter_ && counter_->total_steps == found->total_steps;
    moved_ = is_same && (moved_ || counter_->fraction != found->fraction);
    counter_ = found;
    Reader in(rendered_line);
    in.skip_blanks();
    const bool leads = in.skip("[") || in.skip("(");
    return moved_ || (leads && found->fraction < 1.0) ? found : std::nullopt;
}

std::optional<Progress> progress_of_groups(std::span<const std::string_view> groups)
{
    if (groups.empty() || groups.size() > 2) return std::nullopt;
    const auto first = whole_decimal(groups[0]);
    if (!first) return std::nullopt;
    if (groups.size() == 1) {
        const bool is_fraction = groups[0].find('.') != std::string_view::npos && *first <= 1;
        return of_percentage(is_fraction ? *first * 100 : *first);
    }
    const auto total = whole_decimal(groups[1]);
    if (!total || *total <= 0 || *first > *total) return std::nullopt;
    Progress progress{*first / *total, {}, std::nullopt};
    constexpr double most = std::numeric_limits<std::uint32_t>::max();
    if (*total <= most && std::trunc(*total) == *total)
        progress.total_steps = static_cast<std::uint32_t>(*total);
    return progress;
}

std::optional<Progress> find_progress(std::string_view rendered_line, const Pattern& pattern)
{
    const auto groups = pattern.groups(rendered_line);
    return groups ? progress_of_groups(*groups) : std::nullopt;
}

std::optional<double> seconds_left(double fraction_before, double seconds_before, double fraction,
                                   double seconds)
{
    constexpr double least = 0.02, max_rest = 600;
    double gained = fraction - fraction_before, took = seconds - seconds_before;
    if (!std::isfinite(gained) || !std::isfinite(took) || fraction < least || fraction >= 1)
        return std::nullopt;
    if (gained <= 0) {
        if (took > max_rest) return std::nullopt;
        gained = fraction;
        took = seconds;
    }
    if (took <= 0) return std::nullopt;
    const double left = (1 - fraction) * took / gained;
    return std::isfinite(left) ? std::optional(left) : std::nullopt;
}

} // namespace bgt::core
