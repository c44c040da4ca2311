#pragma once
#include <bgt/base/time.hpp>
#include <cstddef>
#include <optional>
#include <string>

namespace bgt::render {

/// "[====>     ]  40%", exactly `columns` wide; without the bar below 10 columns: " 40%", and
/// nothing below 4. Outside of 0..1 a fraction counts as the nearer end; 100% is said only of 1.
std::string progress_bar(double fraction, std::size_t columns);

/// A line that is drawn again and again while something is waited for.
struct ProgressLine {
    std::string head;               ///< "7 web running 12s"
    std::optional<double> fraction; ///< nullopt: no bar
    std::optional<Duration> left;   ///< an estimate
    std::string tail;               ///< what it is at; printable
};
/// "7 web running 12s [====>     ]  40% ~18s left | linking" in at most `columns` columns: what
/// does not fit is left out from the right, the bar last.
std::string progress_line(const ProgressLine&, std::size_t columns);

} // namespace bgt::render
