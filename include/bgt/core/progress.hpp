#pragma once
/// Progress, read out of what programs print.
#include <optional>
#include <string>
#include <string_view>
#include <cstdint>

namespace bgt::core {

struct Progress {
    std::optional<double> fraction;           ///< 0..1
    std::string step;                         ///< what it is at ("linking"); empty: not known
    std::optional<std::uint32_t> total_steps;
};

/// The common shapes in one rendered line: `[3/10] Building x`, `[ 45%] Building`, `45%`, `3 of 10`, `(3/10)`. The last
/// percentage of a line wins; above 100, `0/0` and dates (`3/10/2026`) are none. Several fractions of one line: a
/// counter in brackets at its beginning comes first.
std::optional<Progress> find_progress(std::string_view rendered_line);

class Pattern;
/// By the user's own pattern: one group is a percentage (`45`, `45.5`) or, with a dot and at most 1, a fraction; two
/// groups are done and total.
std::optional<Progress> find_progress(std::string_view rendered_line, const Pattern&);

/// What is left, from the time since progress began; nullopt before 2 % or after 10 minutes without any, or when it is done.
std::optional<double> seconds_left(double fraction_before, double seconds_before, double fraction, double seconds);

} // namespace bgt::core
