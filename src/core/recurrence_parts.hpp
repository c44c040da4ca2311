#pragma once
/// What the parsers of cron and calendar expressions share.
#include <bgt/core/recurrence.hpp>

namespace bgt::core {

/// "bad KIND 'TEXT': WHY"
Error bad_expression(std::string_view kind, std::string_view text, std::string_view why);

/// Digits only, at most nine of them; nullopt: anything else.
std::optional<int> read_digits(std::string_view text);

/// The number of the weekday (Sunday is 0) or month (January is 1) of that name in any case: its
/// first three letters, or all of them.
std::optional<int> weekday_number(std::string_view name);
std::optional<int> month_number(std::string_view name);
std::string_view weekday_name(int number);
std::string_view month_name(int number);

/// Bits first, first + step ... up to last.
std::uint64_t bits(int first, int last, int step = 1);

std::string lower_case(std::string_view text);

inline constexpr std::uint32_t every_day = 0xfffffffe;
inline constexpr std::uint32_t every_weekday = 0x7f;
inline constexpr std::uint32_t every_month = 0x1ffe;
inline constexpr std::uint32_t every_hour = 0xffffff;
inline constexpr std::uint64_t every_minute = 0xfff'ffff'ffff'ffff;
inline constexpr std::uint8_t last_such = 1 << 6;

/// Refuses what no day ever matches.
Result<Recurrence> possible(TimePattern, std::string zone, std::string_view kind,
                            std::string_view text);

} // namespace bgt::core
