#pragma once
/// Statistics of many runs: a row for each name, or for each span of time.
#include <bgt/core/past_run.hpp>
#include <functional>
#include <unordered_map>

namespace bgt::core {

struct RunSummary {
    RunCounts counts;
    std::optional<double> success_rate; ///< of those that were ok or failed; 0 to 1
    /// Of the durations that are known. The 95th percentile is the smallest of them that at least
    /// 95 of 100 do not exceed.
    std::optional<Duration> mean, median, p95, min, max;
    std::optional<Duration> wait_mean, wait_max;
    std::optional<Duration> cpu;         ///< in all
    std::uint64_t max_memory = 0;        ///< bytes of the largest; 0: not known
    std::optional<WallTime> first, last; ///< ends
};

/// The runs of one row.
class RunGroup {
public:
    void add(const PastRun&);
    RunSummary summary() const;

private:
    RunCounts counts_;
    std::vector<std::int64_t> ran_; ///< nanoseconds
    std::uint64_t waits_ = 0;
    Duration wait_max_{};
    bool knows_cpu_ = false;
    std::uint64_t max_memory_ = 0;
    std::optional<WallTime> first_, last_;
};

/// Runs by a word of theirs, or by the time of their end.
class RunStats {
public:
    void add(std::string_view group, const PastRun&);
    /// In the order of their words.
    std::vector<std::pair<std::string, RunSummary>> summaries() const;

private:
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    std::unordered_map<std::string, RunGroup, Hash, std::equal_to<>> groups_;
};

/// Spans of `width` (above 0), one of which begins at `origin`.
class RunTrend {
public:
    RunTrend(WallTime origin, Duration width) : origin_(origin), width_(width) {}
    void add(const PastRun&);

    struct Span {
        WallTime from{};
        RunSummary summary;
    };
    /// How many spans lie between the first and the last run, both included.
    std::uint64_t count() const;
    /// All of them, those without runs too.
    std::vector<Span> spans() const;

private:
    WallTime origin_;
    Duration width_;
    std::map<std::int64_t, RunGroup> groups_;
};

/// The words by which a run is grouped.
struct RunGrouping {
    enum class By : std::uint8_t { name, queue, tag };
    By by = By::name;
    std::string key; ///< of the tag
};
/// `name`, `queue`, `tag:KEY`. Error (usage): anything else.
Result<RunGrouping> parse_grouping(std::string_view);
/// Its word; empty: it has no name, no queue. nullopt: it has no such tag.
std::optional<std::string_view> group_of(const PastRun&, const RunGrouping&);

} // namespace bgt::core
