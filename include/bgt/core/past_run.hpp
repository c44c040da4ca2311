#pragma once
/// What remains of tasks that are over, and what can be counted of many of them.
#include <bgt/core/task.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bgt::core {

/// One task that is over. Its texts belong to whoever read it, and last no longer.
struct PastRun {
    std::int64_t id = 0;
    std::uint32_t attempts = 1;
    std::string_view name;  ///< empty: none
    std::string_view queue; ///< empty: it was started without one
    std::vector<std::pair<std::string_view, std::string_view>> tags;
    Kind kind = Kind::job;
    Outcome outcome;
    WallTime created{};
    WallTime ended{}; ///< of a lost one: when that was found out
    std::optional<WallTime> started;
    std::optional<Duration> ran;  ///< from its first start to its end
    std::optional<Duration> cpu;  ///< of its whole tree
    std::uint64_t max_memory = 0; ///< bytes; 0: not known
    std::uint32_t hangs = 0;      ///< how often a hang rule fired
};

/// How a run counts.
enum class RunResult : std::uint8_t {
    ok,
    failed,
    killed,      ///< somebody asked for its end: neither of the two
    not_started, ///< it was no run
};
RunResult result_of(const Outcome&);
std::string_view to_string(RunResult);
inline constexpr std::array run_results{RunResult::ok, RunResult::failed, RunResult::killed,
                                        RunResult::not_started};

/// Time between creation and start; nullopt: it was not started.
std::optional<Duration> waited(const PastRun&);

/// Sums over many runs. Whole numbers, so that the sum of parts is that of all.
struct RunCounts {
    std::array<std::uint64_t, run_results.size()> by_result{};
    std::uint64_t hung = 0;    ///< a hang rule fired at least once
    std::uint64_t retried = 0; ///< took more than one attempt
    std::chrono::microseconds ran{}, waited{}, cpu{};

    std::uint64_t of(RunResult result) const { return by_result[static_cast<std::size_t>(result)]; }
    /// Those that were started.
    std::uint64_t runs() const;
    void add(const PastRun&);
    void add(const RunCounts&);
    bool operator==(const RunCounts&) const = default;
};

/// Counts by name and queue, which only grow.
class RunTotals {
public:
    using Key = std::pair<std::string, std::string>; ///< name, queue; either may be empty

    /// Of names beyond `max_names`, the runs are counted together, as those of "(other)".
    static constexpr std::size_t max_names = 10'000;
    static constexpr std::string_view other = "(other)";

    void add(const PastRun&);
    void add(const Key&, const RunCounts&);
    void add(const RunTotals&);
    const std::map<Key, RunCounts>& rows() const { return rows_; }
    bool operator==(const RunTotals&) const = default;

private:
    RunCounts& row(std::string_view name, std::string_view queue);

    std::map<Key, RunCounts> rows_;
};

} // namespace bgt::core
