#include <bgt/ops/moment.hpp>

#include <bgt/base/text.hpp>
#include <bgt/os/local_time.hpp>

#include <algorithm>

namespace bgt::ops {
namespace {

Error bad_moment(const std::string& text)
{
    return Error::usage(
        "bad time " + shell_quote(fit(printable(text), 40)) +
        "; write e.g. 10m (ago), 14:00, 2026-11-28T14:00, @1764340800 or a time in RFC 3339");
}

/// "2026-11-28" of the local time zone.
std::string local_date(WallTime at)
{
    return format_rfc3339(at + os::utc_offset(at)).substr(0, std::string_view("2026-11-28").size());
}

/// `14:00` or `14:00:30` of that day.
Result<WallTime> parse_local(const std::string& date, std::string time)
{
    if (std::ranges::count(time, ':') == 1) time += ":00";
    Result<WallTime> local = parse_rfc3339(date + "T" + time + "Z");
    if (!local) return local.error();
    return os::from_local(*local);
}

Result<WallTime> parse_date(const std::string& text)
{
    constexpr std::size_t date_size = std::string_view("2026-11-28").size();
    if (text.size() == date_size) return parse_local(text, "00:00");
    if (text.size() < date_size + 2 || (text[date_size] != 'T' && text[date_size] != ' '))
        return parse_rfc3339(text);
    const std::string time = text.substr(date_size + 1);
    return time.find_first_of("Zz+-") == std::string::npos
               ? parse_local(text.substr(0, date_size), time)
               : parse_rfc3339(text);
}

} // namespace

Result<WallTime> parse_moment(const std::string& text, WallTime now)
{
    Result<WallTime> at = bad_moment(text);
    if (text.starts_with("@")) {
        const Result<Duration> since_1970 = parse_duration(text.substr(1) + "s");
        if (since_1970) at = WallTime(*since_1970);
    } else if (text.find('-', 1) != std::string::npos) {
        at = parse_date(text);
    } else if (text.find(':') != std::string::npos) {
        at = parse_local(local_date(now), text);
        if (at && *at > now) at = parse_local(local_date(now - std::chrono::hours(24)), text);
    } else {
        Result<Duration> ago = parse_duration(text);
        if (!ago) return ago.error();
        return *ago < now.time_since_epoch() ? now - *ago : WallTime{};
    }
    return at ? at : bad_moment(text);
}

} // namespace bgt::ops
