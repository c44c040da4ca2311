#pragma once
/// Small tables: cells under their titles.
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace bgt::render {

using Cells = std::vector<std::string>;

struct ColumnsStyle {
    std::optional<std::size_t> width = {}; ///< of the terminal; nullopt: nothing is cut
    /// Where the terminal is too narrow, these columns are cut with "…", the first at the front,
    /// but not below their titles;
    std::vector<std::size_t> free = {};
    /// and then these are left out.
    std::vector<std::size_t> unimportant = {};
    std::size_t first_number = 1, last_number = 0; ///< these columns stand to the right
};

/// The first row holds the titles. No line is longer than the terminal is wide: what is too long
/// even so is cut at its end with "…". Without blanks at the ends of lines.
std::string columns(const std::vector<Cells>&, const ColumnsStyle&);

} // namespace bgt::render
