#pragma once
#include <bgt/store/root_events.hpp>
#include <optional>
#include <string>
#include <vector>

namespace bgt::store {

/// Which events of the stream are wanted. Each part that is given must fit. A gap always fits:
/// nobody knows what is missing there.
struct EventFilter {
    std::vector<std::string> types;                  ///< one of them; empty: all
    core::EventLevel level = core::EventLevel::info; ///< at least as severe
    std::optional<WallTime> since;
    /// Tasks by their ids or names; one of either must fit. Both empty: all, and what is about no
    /// task.
    std::vector<TaskId> ids;
    std::vector<std::string> names;
    std::vector<std::string> patterns; ///< of names (glob: * and ?); one must fit; empty: all

    bool matches(const RootEvent&) const;
};

/// Whether the event is about that task: of tasks that were queued together, about each of them.
bool is_about(const RootEvent&, TaskId);

} // namespace bgt::store
