#pragma once
/// Which fields of a task are in a JSON answer (--fields, --brief).
#include <bgt/base/result.hpp>
#include <bgt/render/words.hpp>
#include <boost/json/fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bgt::render {

struct TaskFields {
    std::vector<std::string> names = {}; ///< empty: all, or with `brief` the lean ones
    bool brief = false;                  ///< leave out what is null, empty or as always
};

/// "id,state,exit": the fields of task_json(), those of brief_task_json(), and `more` of the verb.
/// Error (usage): a field that is none of them, with all that there are.
Result<std::vector<std::string>> parse_task_fields(std::string_view,
                                                   std::span<const std::string_view> more = {});
/// The task with these fields; `more` is what a verb adds to task_json(). What is known of none of
/// them is null. Needs a snapshot with spec, usage, ports and log_tail.
boost::json::object chosen_task_json(const ops::Snapshot&, const Moment&, const TaskFields&,
                                     boost::json::object more);

} // namespace bgt::render
