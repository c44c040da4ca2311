#include <bgt/store/event_filter.hpp>

#include <algorithm>
#include <fnmatch.h>

namespace bgt::store {

bool is_about(const RootEvent& event, TaskId id)
{
    if (event.task.value <= 0 || id < event.task) return false;
    const bool is_range = event.type == "queued";
    return id.value - event.task.value < (is_range ? event.number("count").value_or(1) : 1);
}

bool EventFilter::matches(const RootEvent& event) const
{
    if (event.type == "gap") return true;
    if (!core::reaches(event.level, level)) return false;
    if (since && event.at < *since) return false;
    if (!types.empty() && std::ranges::find(types, event.type) == types.end()) return false;
    const bool is_named =
        !event.name.empty() && std::ranges::find(names, event.name) != names.end();
    const bool has_id = std::ranges::any_of(ids, [&](TaskId id) { return is_about(event, id); });
    if (!(ids.empty() && names.empty()) && !is_named && !has_id) return false;
    return patterns.empty() ||
           (!event.name.empty() && std::ranges::any_of(patterns, [&](const std::string& pattern) {
               return ::fnmatch(pattern.c_str(), event.name.c_str(), 0) == 0;
           }));
}

} // namespace bgt::store
