#pragma once
/// What the history tells of tasks that are over, and how busy the root is now (`bgt stats`).
#include <bgt/core/run_stats.hpp>
#include <bgt/store/history.hpp>
#include <string>
#include <vector>

namespace bgt::ops {

/// Which runs.
struct RunFilter {
    std::vector<std::string> names = {}; ///< patterns (glob: * and ?); one must fit. Empty: all
    std::optional<WallTime> since = {};  ///< ended at that time or later
};

struct QueueLoad {
    std::string name;
    std::uint64_t slots = 0;
    std::uint64_t used_slots = 0;
    std::uint64_t running = 0;
    std::uint64_t waiting = 0; ///< those that are held among them
    std::uint64_t held = 0;

    /// 0 to 1; of a queue without slots 0.
    double utilisation() const;
};
struct RootLoad {
    std::uint64_t active = 0;      ///< tasks that are not over, or of which processes were kept
    std::vector<QueueLoad> queues; ///< by name
    std::string problem;           ///< with the queues, which are not known then; empty: none
};

struct StatsRequest {
    RunFilter filter = {};
    core::RunGrouping by = {};
    std::optional<Duration> trend = {}; ///< also by the time of the end, in spans of this width
};
/// More spans are no table.
inline constexpr std::uint64_t max_spans = 1000;

struct StatsAnswer {
    std::vector<std::pair<std::string, core::RunSummary>> rows;
    std::vector<core::RunTrend::Span> trend; ///< the oldest first; local midnight begins one
    store::History history;
    RootLoad now;
};
/// Error (usage): more than max_spans spans; (failed): the history can't be read.
Result<StatsAnswer> stats(store::Root&, const StatsRequest&);

/// What only grows, and how it is now.
struct MetricsAnswer {
    core::RunTotals totals; ///< of all runs ever, those too that are in the history no more
    store::History history;
    RootLoad now;
};
Result<MetricsAnswer> metrics(store::Root&);

/// For people: "2026-12-24 18:00" in the local time zone, or the date alone.
std::string span_start_words(WallTime, bool only_date);

/// Hands over each run that fits; see store::read_history().
Result<store::History> each_run(const store::Root&, const RunFilter&, const store::TakeRun&);

} // namespace bgt::ops
