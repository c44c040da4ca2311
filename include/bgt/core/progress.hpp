#pragma once
/// Progress, read out of what programs print.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace bgt::core {

struct Progress {
    std::optional<double> fraction; ///< 0..1
    std::string step;               ///< what it is at ("linking"); empty: not known
    std::optional<std::uint32_t> total_steps;
};

/// The common shapes in one rendered line: `[3/10] Building x`, `[ 45%] Building`, `45%`, `3 of
/// 10`, `(3/10)`. The last percentage of a line wins; above 100, `0/0`, dates (`3/10/2026`) and
/// percentages amid words (`about 45% of users`) are none. Several fractions of one line: a counter
/// in brackets at its beginning comes first.
std::optional<Progress> find_progress(std::string_view rendered_line);

/// Reads the lines of one output, one after the other, in the common shapes. A counter must have
/// moved, as footers contain counters too (`--[1/1]--`); at the beginning of a line, one that is
/// not complete counts at once.
class ProgressReader {
public:
    std::optional<Progress> read(std::string_view rendered_line);

private:
    std::optional<Progress> counter_; ///< the last one
    bool moved_ = false;              ///< since its total was first seen
};

class Pattern;
/// By the user's own pattern: one group is a percentage (`45`, `45.5`) or, with a dot and at most
/// 1, a fraction; two groups are done and total.
std::optional<Progress> find_progress(std::string_view rendered_line, const Pattern&);

/// The same of the text of that pattern's groups; a group that is not a number of digits, with or
/// without a fraction, gives none. total_steps is set where the total is a whole number.
std::optional<Progress> progress_of_groups(std::span<const std::string_view> groups);

/// Seconds that are left, at the pace from an earlier report (`before`) to now; while nothing has
/// been gained since that one, at the pace since progress began, which is where `seconds` begin to
/// count. nullopt before 2 %, after 10 minutes without any gain, when it is done, and for what is
/// no number.
std::optional<double> seconds_left(double fraction_before, double seconds_before, double fraction,
                                   double seconds);

} // namespace bgt::core
