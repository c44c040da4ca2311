#include "recurrence_parts.hpp"

#include <algorithm>

namespace bgt::core {

Result<Recurrence> parse_every(std::string_view text)
{
    const auto every = parse_duration(text);
    if (!every) return every.error();
    if (*every < std::chrono::seconds(1) || *every % std::chrono::seconds(1) != Duration::zero())
        return bad_expression("interval", text, "it has to be a whole number of seconds above 0");
    return Recurrence{Interval{*every, WallTime{}}, {}};
}

Result<Recurrence> parse_recurrence(std::string_view text)
{
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    if (text.empty())
        return bad_expression("recurrence", text,
                              "write an interval (5m), five fields of cron or a calendar "
                              "expression (Mon..Fri 02:00)");
    if (text.starts_with("every ")) return parse_every(text.substr(text.find_last_of(' ') + 1));
    if (text.starts_with('@')) return parse_cron(text);
    std::size_t words = 0;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (text[i] != ' ' && text[i] != '\t' &&
            (i == 0 || text[i - 1] == ' ' || text[i - 1] == '\t'))
            ++words;
    if (words >= 5) return parse_cron(text);
    const bool digits_first = text.front() >= '0' && text.front() <= '9';
    if (words == 1 && digits_first && text.find_first_of(":-~*") == std::string_view::npos)
        return parse_every(text);
    return parse_calendar(text);
}

} // namespace bgt::core
