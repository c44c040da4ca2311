#pragma once
/// The processes of a project: [task.NAME] of its bgt.toml, or its Procfile; and in which order
/// they start.
#include <bgt/base/result.hpp>
#include <bgt/config/rule.hpp>
#include <bgt/core/queue.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bgt::config {

inline constexpr std::size_t max_project_tasks = 1000;

/// Error (usage): so many tasks are more than a project may have.
Result<void> check_count(std::size_t tasks);

/// `NAME: COMMAND` a line, as foreman has it; `#` begins a comment line. Each is a service. Error
/// (usage): a line of another form, a name twice, more than max_project_tasks, with its place.
Result<std::vector<TaskTable>> parse_procfile(std::string_view text, const std::string& path);

/// A task that another one comes after, by its name in the project, or as `bgt submit --after`
/// names it.
struct ComesAfter {
    std::string task;
    core::DependsOn on = core::DependsOn::ok;
};

struct PlannedTask {
    std::string name;
    std::vector<ComesAfter> after;
    bool has_ready = false;  ///< there is a condition by which it is ready
    bool is_service = false; ///< it does not end by itself
};

/// How they start. Both lists are as long as that of the tasks.
struct StartOrder {
    std::vector<std::size_t> order;    ///< positions; of two without a tie the first comes first
    std::vector<std::uint32_t> levels; ///< 0: it comes after none of them
};

/// Error (usage): they come after each other in a circle, which is named; one comes after the
/// readiness of a task that has no condition of it, or after the end of a service.
Result<StartOrder> start_order(const std::vector<PlannedTask>&);

/// Those of these names, and all that they come after, as positions in the order of the list; no
/// names: all. Error (usage): a name that none has, with near ones.
Result<std::vector<std::size_t>> with_needed(const std::vector<PlannedTask>&,
                                             const std::vector<std::string>& names);

} // namespace bgt::config
