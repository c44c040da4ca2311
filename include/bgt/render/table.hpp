#pragma once
/// The table of `bgt ps`: one line a task, never wrapped.
#include <bgt/render/words.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bgt::render {

struct TableStyle {
    std::optional<std::size_t>
        width; ///< columns there are; nullopt: no padding, and only COMMAND and LAST are cut
    bool color = false;
    bool header = true;
    bool last =
        true; ///< whether the last line of output may be shown (it needs Snapshot::log_tail)
    std::string_view project = {}; ///< names of its tasks are said without it (store/projects.hpp)
};

/// Whether a table of this width has room for the last line of output: 110 columns or more.
bool has_room_for_last(std::optional<std::size_t> width);

/// Whether it has room for the folders too (they need Snapshot::spec): a terminal of 140 columns or
/// more.
bool has_room_for_folder(std::optional<std::size_t> width);

/// Columns ID NAME STATE AGE CPU MEM PORTS COMMAND, PROGRESS before COMMAND where a task tells it,
/// and FOLDER and LAST where there is room. What a task has not is "-", so that every line has the
/// same number of words before COMMAND (a STATE can be several: "exit 3, 4m ago"). AGE of an ended
/// task is how long it ran. Where the width is short, names and commands are cut with "…", then
/// MEM, CPU, PORTS, AGE, PROGRESS and NAME are left out, in this order.
std::string task_table(const std::vector<ops::Snapshot>&, const Moment& now, const TableStyle&);

} // namespace bgt::render
