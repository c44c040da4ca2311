#pragma once
/// What waits for what (`bgt graph`).
#include <bgt/core/graph.hpp>
#include <bgt/ops/select.hpp>
#include <string>
#include <vector>

namespace bgt::ops {

/// A task, or several that wait for the same, and for none of which anybody waits by itself.
struct GraphTask {
    std::int64_t first = 0;
    std::uint32_t count = 1;
    std::string name;  ///< any bytes; empty: none
    std::string state; ///< "queued", "held", or the lifecycle of one that does not wait
};

struct GraphAnswer {
    std::vector<GraphTask> tasks;       ///< ascending
    std::vector<core::GraphEdge> edges; ///< by the first ids of tasks; of dependencies that hold
                                        ///< already there are none
};

/// Of all that wait for others; of `words` (ids, names): of these tasks, all for which they wait
/// and all that wait for them. Error (not_found): a word names no task.
Result<GraphAnswer> graph(store::Root&, const std::vector<std::string>& words);

} // namespace bgt::ops
