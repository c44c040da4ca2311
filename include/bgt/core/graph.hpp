#pragma once
/// The dependencies of tasks as a tree. No recursion, and no time that grows faster than n log n,
/// however deep or wide they are.
#include <bgt/core/queue.hpp>
#include <cstdint>
#include <optional>
#include <vector>

namespace bgt::core {

/// `after` waits for `before`.
struct GraphEdge {
    std::int64_t before = 0, after = 0;
    DependsOn on = DependsOn::ok;
    auto operator<=>(const GraphEdge&) const = default;
};

/// One line of the tree: a task below one for which it waits.
struct GraphLine {
    /// Deeper ones are drawn as if they were so deep, with their depth in figures: the prefixes of
    /// a chain of 100,000 would fill a disk.
    static constexpr std::size_t max_drawn = 32;

    std::int64_t task = 0;
    std::optional<DependsOn> on; ///< nullopt: the top of a tree
    std::size_t depth = 0;
    bool last = false;      ///< of those below the same task
    bool repeated = false;  ///< it stands further up, with all that waits for it
    std::uint32_t bars = 0; ///< bit i: a line leads past it from depth i + 1 to what follows there
    bool operator==(const GraphLine&) const = default;
};

/// Every task once with all that waits for it; where it is met again, it is marked as repeated.
/// Those that wait for nothing are at the top, in the order of `tasks`, which are ascending.
std::vector<GraphLine> draw_graph(const std::vector<std::int64_t>& tasks,
                                  std::vector<GraphEdge> edges);

/// The given tasks, all for which they wait and all that wait for them, at any distance; ascending.
std::vector<std::int64_t> related_tasks(const std::vector<std::int64_t>& given,
                                        std::vector<GraphEdge> edges);

} // namespace bgt::core
