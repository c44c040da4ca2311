#pragma once
/// Which slot of a queue, and which units of a resource, each task has: two never share one.
#include <bgt/store/queue_settings.hpp>
#include <bgt/store/spec.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace bgt::dispatch {

class Units {
public:
    /// Gives the task the lowest free slots and units, and writes them into its specification.
    /// Resources of more than `max_counted` units (bytes of memory) have none that could be told
    /// apart.
    void assign(store::TaskSpec&, const store::QueueSettings&);
    /// Of a task that runs already.
    void take(const store::TaskSpec&);
    void give_back(store::TaskId);
    /// K=V for the command: BGT_QUEUE, BGT_SLOT, BGT_RESOURCE_NAME=1,3.
    static std::vector<std::string> environment(const store::TaskSpec&);

    static constexpr std::uint64_t max_counted = 4096;

private:
    struct Place {
        std::string queue;
        std::set<std::uint32_t> slots;
        std::map<std::string, std::vector<std::uint32_t>> units;
    };
    std::map<std::int64_t, Place> by_task_;
    std::map<std::string, std::set<std::uint32_t>> slots_; ///< in use, by queue
    std::map<std::string, std::set<std::uint32_t>> units_; ///< in use, by resource
};

} // namespace bgt::dispatch
