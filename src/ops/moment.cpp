#include <bgt/ops/moment.hpp>

#include <bgt/base/text.hpp>
#include <bgt/os/local_time.hpp>
#include <bgt/os/time_zone.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <fmt/format.h>
#include <optional>

namespace bgt::ops {
namespace {

Error bad_moment(const std::string& text)
{
    return Error::usage(
        "bad time " + shell_quote(fit(printable(text), 40)) +
        "; write e.g. 10m (ago), 14:00, 2026-11-28T14:00, @1764340800 or a time in RFC 3339");
}

/// "2026-11-28" of the zone.
std::string date_of(WallTime at, const core::TimeZone& zone)
{
    return format_rfc3339(at + zone.offset(at)).substr(0, std::string_view("2026-11-28").size());
}

/// `14:00` or `14:00:30` of that day.
Result<WallTime> parse_in_zone(const std::string& date, std::string time,
                               const core::TimeZone& zone)
{
    if (std::ranges::count(time, ':') == 1) time += ":00";
    BGT_TRY_ASSIGN(const WallTime local, parse_rfc3339(date + "T" + time + "Z"));
    return core::from_local(local, zone);
}

Result<WallTime> parse_date(const std::string& text, const core::TimeZone& zone)
{
    constexpr std::size_t date_size = std::string_view("2026-11-28").size();
    if (text.size() == date_size) return parse_in_zone(text, "00:00", zone);
    if (text.size() < date_size + 2 || (text[date_size] != 'T' && text[date_size] != ' '))
        return parse_rfc3339(text);
    const std::string time = text.substr(date_size + 1);
    return time.find_first_of("Zz+-") == std::string::npos
               ? parse_in_zone(text.substr(0, date_size), time, zone)
               : parse_rfc3339(text);
}

/// `@SECONDS` since 1970, or a date. nullopt: it has the shape of neither.
std::optional<Result<WallTime>> parse_absolute(const std::string& text, const core::TimeZone& zone)
{
    if (text.starts_with("@")) {
        const Result<Duration> since_1970 = parse_duration(text.substr(1) + "s");
        return since_1970 ? Result<WallTime>(WallTime(*since_1970)) : since_1970.error();
    }
    if (text.find('-', 1) != std::string::npos) return parse_date(text, zone);
    return std::nullopt;
}

/// The next time that clocks of the zone show it.
Result<WallTime> parse_next(const std::string& time, WallTime now, const core::TimeZone& zone)
{
    Result<WallTime> at = now;
    for (const int days : {0, 1, 2}) {
        at = parse_in_zone(date_of(now + std::chrono::hours(24 * days), zone), time, zone);
        if (!at || *at > now) break;
    }
    return at;
}

} // namespace

Result<void> check_zone(const std::string& name)
{
    const auto zone = os::TimeZone::open(name);
    return zone ? Result<void>() : zone.error();
}

Result<WallTime> parse_start_time(const std::string& text, WallTime now,
                                  const std::string& zone_name)
{
    BGT_TRY_ASSIGN(const auto opened, os::TimeZone::open(zone_name));
    const os::TimeZone& zone = *opened;
    Result<WallTime> at = Error::usage("");
    if (auto absolute = parse_absolute(text, zone)) at = *std::move(absolute);
    else if (text.find(':') != std::string::npos) at = parse_next(text, now, zone);
    if (!at)
        return Error::usage("bad time " + shell_quote(fit(printable(text), 40)) +
                            "; write e.g. 18:00, '2026-12-24 18:00', 2026-12-24, @1764340800 or a "
                            "time in RFC 3339");
    if (*at < now)
        return Error::usage(printable(text) + " has passed: it is " + os::format_local(now) +
                            " now");
    return at;
}

std::string time_words(WallTime time, WallTime now)
{
    constexpr std::array weekdays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    const WallTime local = time + os::utc_offset(time);
    const std::chrono::weekday day{std::chrono::floor<std::chrono::days>(local)};
    std::string clock =
        format_rfc3339(local).substr(0, std::string_view("2026-12-24T18:00:00").size());
    clock[clock.find('T')] = ' ';
    if (clock.ends_with(":00")) clock.resize(clock.size() - 3);
    std::string zone = os::format_local(time);
    zone =
        zone.ends_with('Z') ? "UTC" : zone.substr(zone.size() - std::string_view("+01:00").size());
    const std::string text = fmt::format("{} {} {}", weekdays[day.c_encoding()], clock, zone);
    return time > now ? text + " (in " + format_age(time - now) + ")" : text;
}

Result<WallTime> parse_moment(const std::string& text, WallTime now)
{
    const os::OwnZone zone;
    Result<WallTime> at = bad_moment(text);
    if (auto absolute = parse_absolute(text, zone)) {
        at = *std::move(absolute);
    } else if (text.find(':') != std::string::npos) {
        at = parse_in_zone(date_of(now, zone), text, zone);
        if (at && *at > now)
            at = parse_in_zone(date_of(now - std::chrono::hours(24), zone), text, zone);
    } else {
        const Result<Duration> ago = parse_duration(text);
        if (!ago) return bad_moment(text);
        return *ago < now.time_since_epoch() ? now - *ago : WallTime{};
    }
    return at ? at : bad_moment(text);
}

} // namespace bgt::ops
