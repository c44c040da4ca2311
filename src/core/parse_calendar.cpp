#include "recurrence_parts.hpp"
#include "time_pattern.hpp"
#include <bgt/base/text.hpp>

#include <fmt/format.h>

namespace bgt::core {
namespace {

constexpr std::string_view kind = "calendar expression";

/// `7`, `7..9`, `7/2`, `7..9/2`.
struct Part {
    int first = 0;
    std::optional<int> last;
    int step = 0; ///< 0: none is given
};
/// A component: `*`, or a list of parts.
struct Component {
    bool any = false;
    std::vector<Part> parts;

    bool open() const
    {
        if (any) return true;
        for (const Part& part : parts)
            if (part.step > 0 && !part.last) return true;
        return false;
    }
};

/// What is still to be read. The first problem stays.
class Reader {
public:
    explicit Reader(std::string_view text) : rest_(text) {}

    bool at_end() const { return rest_.empty(); }
    char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
    bool take(std::string_view text)
    {
        if (!rest_.starts_with(text)) return false;
        rest_.remove_prefix(text.size());
        return true;
    }
    void skip_spaces()
    {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(' '), rest_.size()));
    }
    std::string_view rest() const { return rest_; }

    void fail(std::string why)
    {
        if (problem_.empty()) problem_ = std::move(why);
    }
    bool good() const { return problem_.empty(); }
    const std::string& problem() const { return problem_; }

    int number();
    Component component();

private:
    std::string_view rest_;
    std::string problem_;
};

int Reader::number()
{
    const auto length = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    const auto value = read_digits(rest_.substr(0, length));
    if (!value) {
        fail(rest_.empty()
                 ? "a number is missing at its end"
                 : "a number is missing before " + shell_quote(fit(printable(rest_), 20)));
        return 0;
    }
    rest_.remove_prefix(length);
    if (peek() == '.' && !rest_.starts_with("..")) fail("fractions of a second can't be used");
    return *value;
}

Component Reader::component()
{
    Component read;
    if (take("*")) {
        if (!take("/")) {
            read.any = true;
            return read;
        }
        read.parts.push_back({-1, {}, number()}); // from the lowest value on
        if (read.parts.back().step == 0) fail("a step has to be above 0");
        return read;
    }
    do {
        Part part;
        part.first = number();
        if (take("..")) part.last = number();
        if (take("/")) {
            part.step = number();
            if (part.step == 0) fail("a step has to be above 0");
        }
        read.parts.push_back(part);
    } while (good() && take(","));
    return read;
}

/// Checks the parts against low and high, and calls `add(first, last, step)` for each.
template <class Add>
void each_range(Reader& reader, const Component& component, std::string_view name, int low,
                int high, Add add)
{
    if (component.any) return add(low, high, 1);
    for (const Part& part : component.parts) {
        const int first = part.first < 0 ? low : part.first;
        const int last = part.last.value_or(part.step > 0 ? high : first);
        if (first < low || first > high || last < low || last > high)
            return reader.fail(fmt::format("the {} {} is not between {} and {}", name,
                                           first < low || first > high ? first : last, low, high));
        if (last < first)
            return reader.fail(
                fmt::format("the range {}..{} of the {} ends before it begins", first, last, name));
        if (part.step > high - low + 1)
            return reader.fail(
                fmt::format("the step {} is more than the {} can count", part.step, name));
        add(first, last, std::max(part.step, 1));
    }
}

std::uint64_t set_of(Reader& reader, const Component& component, std::string_view name, int low,
                     int high)
{
    std::uint64_t set = 0;
    each_range(reader, component, name, low, high,
               [&](int first, int last, int step) { set |= bits(first, last, step); });
    return set;
}

/// `Mon..Fri`, `Mon,Wed`, `Sat-Sun`, up to a space or the end. Nothing where no weekday is there.
void read_weekdays(Reader& reader, TimePattern& pattern)
{
    const auto is_letter = [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; };
    if (!is_letter(reader.peek())) return;
    pattern.weekdays = 0;
    std::optional<int> from; // Monday is 0
    while (is_letter(reader.peek())) {
        std::size_t length = 0;
        while (length < reader.rest().size() && is_letter(reader.rest()[length])) ++length;
        const auto name = reader.rest().substr(0, length);
        const auto number = weekday_number(name);
        if (!number)
            return reader.fail(shell_quote(fit(printable(name), 20)) + " is no day of the week");
        reader.take(name);
        const int day = (*number + 6) % 7;
        if (from && *from > day)
            return reader.fail("the week begins with Monday: write two ranges");
        for (int d = from.value_or(day); d <= day; ++d) pattern.weekdays |= 1u << (d + 1) % 7;
        const bool in_range = from.has_value();
        from.reset();
        if (reader.take("..") || reader.take("-")) {
            if (in_range) return reader.fail("a range of weekdays has one beginning and one end");
            from = day;
        } else {
            reader.take(",");
        }
    }
    if (from) return reader.fail("a range of weekdays has no end");
    if (!reader.at_end() && reader.peek() != ' ')
        return reader.fail("a space is missing after the days of the week");
    reader.skip_spaces();
}

void set_years(Reader& reader, const Component& component, TimePattern& pattern)
{
    if (component.any) return;
    Component full = component;
    for (Part& part : full.parts) {
        const auto complete = [](int year) {
            return year < 70 ? year + 2000 : year < 100 ? year + 1900 : year;
        };
        if (part.first >= 0) part.first = complete(part.first);
        if (part.last) part.last = complete(*part.last);
    }
    each_range(reader, full, "year", 1970, last_year, [&](int first, int last, int step) {
        pattern.years.push_back({first, last, step});
    });
}

void set_days(Reader& reader, const Component& component, bool from_end, TimePattern& pattern)
{
    if (!from_end) {
        const std::uint64_t set = set_of(reader, component, "day of the month", 1, 31);
        pattern.days = static_cast<std::uint32_t>(set);
        return;
    }
    pattern.days = 0;
    for (const Part& part : component.parts)
        if (part.first == 0) return reader.fail("~1 is the last day of the month");
    if (component.any) pattern.days = every_day;
    else
        for (Part part : component.parts) {
            // Counted from the end, and repeated towards it: `~7/2` is the 7th last, the 5th last
            // ...
            const int farthest = part.last.value_or(part.first < 0 ? 31 : part.first);
            const int nearest = part.last ? part.first : part.step > 0 ? 1 : farthest;
            if (farthest > 31 || nearest > farthest)
                return reader.fail("after ~ come days counted from the end of the month, 1 to 31");
            for (int back = farthest; back >= nearest; back -= std::max(part.step, 1))
                pattern.days_from_end |= 1u << (back - 1);
        }
}

/// `*-*-01`, `02-29`, `*-02~01`. Nothing where a time follows.
void read_date(Reader& reader, TimePattern& pattern)
{
    const std::string_view date = reader.rest().substr(0, reader.rest().find(' '));
    if (date.find(':') != std::string_view::npos || date.empty()) return;
    std::vector<Component> parts{reader.component()};
    bool from_end = false;
    while (reader.good() && !from_end && parts.size() < 3) {
        if (reader.take("~")) from_end = true;
        else if (!reader.take("-")) break;
        parts.push_back(reader.component());
    }
    if (reader.good() && (parts.size() < 2 || (!reader.at_end() && reader.peek() != ' ')))
        reader.fail("a date is YEAR-MONTH-DAY or MONTH-DAY, a time HOUR:MINUTE[:SECOND]");
    if (!reader.good()) return;
    if (parts.size() == 3) set_years(reader, parts[0], pattern);
    pattern.months =
        static_cast<std::uint32_t>(set_of(reader, parts[parts.size() - 2], "month", 1, 12));
    set_days(reader, parts.back(), from_end, pattern);
    reader.skip_spaces();
}

void read_time(Reader& reader, TimePattern& pattern)
{
    if (reader.at_end()) return;
    const Component hour = reader.component();
    if (reader.good() && !reader.take(":")) reader.fail("a time is HOUR:MINUTE[:SECOND]");
    if (!reader.good()) return;
    const Component minute = reader.component();
    pattern.hours = static_cast<std::uint32_t>(set_of(reader, hour, "hour", 0, 23));
    pattern.minutes = set_of(reader, minute, "minute", 0, 59);
    pattern.fixed = !hour.open() && !minute.open();
    if (reader.take(":")) pattern.seconds = set_of(reader, reader.component(), "second", 0, 59);
    if (reader.good() && !reader.at_end())
        reader.fail("it is not clear what " + shell_quote(fit(printable(reader.rest()), 20)) +
                    " means");
}

std::string_view expand_shorthand(std::string_view name)
{
    struct Shorthand {
        std::string_view name, meaning;
    };
    static constexpr Shorthand all[] = {
        {"minutely", "*-*-* *:*:00"},          {"hourly", "*-*-* *:00:00"},
        {"daily", "*-*-* 00:00:00"},           {"weekly", "Mon *-*-* 00:00:00"},
        {"monthly", "*-*-01 00:00:00"},        {"quarterly", "*-01,04,07,10-01 00:00:00"},
        {"yearly", "*-01-01 00:00:00"},        {"annually", "*-01-01 00:00:00"},
        {"semiannually", "*-01,07-01 00:00"},  {"semi-annually", "*-01,07-01 00:00"},
        {"biannually", "*-01,07-01 00:00:00"}, {"bi-annually", "*-01,07-01 00:00"}};
    const std::string low = lower_case(name);
    for (const Shorthand& shorthand : all)
        if (shorthand.name == low) return shorthand.meaning;
    return {};
}

/// Takes the name of a zone off the end of `text`: a last word with a letter at its beginning, but
/// not the only one.
std::string take_zone(std::string_view& text)
{
    const auto space = text.find_last_of(' ');
    if (space == std::string_view::npos || space + 1 >= text.size()) return {};
    const char first = text[space + 1];
    if ((first | 0x20) < 'a' || (first | 0x20) > 'z') return {};
    std::string zone(text.substr(space + 1));
    text = text.substr(0, space);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return lower_case(zone) == "utc" ? "UTC" : zone;
}

std::string_view trim(std::string_view text)
{
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
}

} // namespace

Result<Recurrence> parse_calendar(std::string_view text)
{
    std::string_view rest = trim(text);
    std::string zone = take_zone(rest);
    if (rest.empty()) return bad_expression(kind, text, "it is empty");
    if (const auto meaning = expand_shorthand(rest); !meaning.empty()) rest = meaning;
    TimePattern pattern;
    pattern.seconds = pattern.minutes = pattern.hours = 1; // 00:00:00
    pattern.days = every_day;
    pattern.months = every_month;
    pattern.weekdays = every_weekday;
    pattern.fixed = true;
    Reader reader(rest);
    read_weekdays(reader, pattern);
    if (reader.good()) read_date(reader, pattern);
    if (reader.good()) read_time(reader, pattern);
    if (!reader.good()) return bad_expression(kind, text, reader.problem());
    return possible(std::move(pattern), std::move(zone), kind, text);
}

} // namespace bgt::core
