#pragma once
/// Schedules as a table, as JSON; what became of the times of one.
#include <bgt/ops/schedules.hpp>
#include <bgt/render/words.hpp>
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <vector>

namespace bgt::render {

/// Columns NAME WHEN NEXT LAST COMMAND, one line per schedule; `width` of the terminal.
std::string schedules_table(const std::vector<ops::ScheduleInfo>&, const Moment& now,
                            std::optional<std::size_t> width = {});
/// {"schema":1,"schedules":[...]} and a newline.
std::string schedules_json(const std::vector<ops::ScheduleInfo>&);
/// One line a row.
std::string history_table(const std::vector<ops::HistoryRow>&, const Moment& now,
                          std::optional<std::size_t> width = {});
std::string history_json(const std::string& name, const std::vector<ops::HistoryRow>&);

} // namespace bgt::render
