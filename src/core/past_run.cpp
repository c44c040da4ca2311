#include <bgt/core/past_run.hpp>

#include <bgt/core/hang_rules.hpp>

#include <algorithm>
#include <limits>

namespace bgt::core {
namespace {

constexpr Duration longest = std::chrono::hours(24 * 365 * 100);

/// No sum of what a damaged clock gave may overflow.
void add_time(std::chrono::microseconds& sum, Duration more)
{
    const auto part = std::chrono::duration_cast<std::chrono::microseconds>(
        std::clamp(more, Duration::zero(), longest));
    const auto most = std::numeric_limits<std::int64_t>::max();
    sum = sum.count() > most - part.count() ? std::chrono::microseconds(most) : sum + part;
}

void add_time(std::chrono::microseconds& sum, std::chrono::microseconds more)
{
    const auto most = std::numeric_limits<std::int64_t>::max();
    const auto part = std::max<std::int64_t>(more.count(), 0);
    sum = std::chrono::microseconds(sum.count() > most - part ? most : sum.count() + part);
}

} // namespace

RunResult result_of(const Outcome& outcome)
{
    if (outcome.kind == OutcomeKind::not_started || outcome.kind == OutcomeKind::none)
        return RunResult::not_started;
    if (exit_code(outcome) == 0) return RunResult::ok;
    return outcome.reason == Reason::killed ? RunResult::killed : RunResult::failed;
}

std::string_view to_string(RunResult result)
{
    switch (result) {
    case RunResult::ok: return "ok";
    case RunResult::failed: return "failed";
    case RunResult::killed: return "killed";
    case RunResult::not_started: return "not-started";
    }
    return "failed";
}

std::optional<Duration> waited(const PastRun& run)
{
    if (!run.started) return std::nullopt;
    return std::max(*run.started - run.created, Duration::zero());
}

std::uint64_t RunCounts::runs() const
{
    return of(RunResult::ok) + of(RunResult::failed) + of(RunResult::killed);
}

void RunCounts::add(const PastRun& run)
{
    ++by_result[static_cast<std::size_t>(result_of(run.outcome))];
    if (run.hangs > 0 || is_hang(run.outcome.reason)) ++hung;
    if (run.attempts > 1) ++retried;
    if (run.ran) add_time(ran, *run.ran);
    if (const auto wait = core::waited(run)) add_time(waited, *wait);
    if (run.cpu) add_time(cpu, *run.cpu);
}

void RunCounts::add(const RunCounts& more)
{
    for (std::size_t i = 0; i < by_result.size(); ++i) by_result[i] += more.by_result[i];
    hung += more.hung;
    retried += more.retried;
    add_time(ran, more.ran);
    add_time(waited, more.waited);
    add_time(cpu, more.cpu);
}

RunCounts& RunTotals::row(std::string_view name, std::string_view queue)
{
    const Key key{name, queue};
    const auto known = rows_.find(key);
    if (known != rows_.end()) return known->second;
    if (rows_.size() >= max_names) return rows_[Key(other, std::string())];
    return rows_[key];
}

void RunTotals::add(const PastRun& run)
{
    row(run.name, run.queue).add(run);
}

void RunTotals::add(const Key& key, const RunCounts& counts)
{
    row(key.first, key.second).add(counts);
}

void RunTotals::add(const RunTotals& more)
{
    for (const auto& [key, counts] : more.rows_) add(key, counts);
}

} // namespace bgt::core
