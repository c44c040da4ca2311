#include <bgt/ops/stats.hpp>

#include "find.hpp"

#include <bgt/os/clock.hpp>
#include <bgt/os/local_time.hpp>
#include <bgt/os/proc.hpp>
#include <bgt/store/name_filter.hpp>
#include <bgt/store/queue_view.hpp>

#include <algorithm>
#include <fmt/format.h>

namespace bgt::ops {
namespace {

/// A midnight of the local time zone.
WallTime some_midnight(WallTime now)
{
    const WallTime local = now + os::utc_offset(now);
    return os::from_local(std::chrono::floor<std::chrono::days>(local));
}

Result<std::vector<QueueLoad>> queue_loads(store::Root& root)
{
    BGT_TRY_ASSIGN(store::QueueView view, store::QueueView::load(root, os::boot_id()));
    const auto counts = view.state().counts();
    std::vector<QueueLoad> out;
    for (const std::string& name : queue_names(view)) {
        const auto found = counts.find(name);
        const core::QueueCounts count = found != counts.end() ? found->second : core::QueueCounts{};
        const std::uint64_t slots = view.settings().of(name).slots_on(os::core_count());
        out.push_back({name, slots, count.used_slots, count.running, count.waiting, count.held});
    }
    return out;
}

Result<RootLoad> load_of(store::Root& root)
{
    RootLoad now;
    if (!root.exists()) return now;
    BGT_TRY_ASSIGN(const auto active, root.active_ids());
    now.active = active.size();
    auto queues = queue_loads(root);
    if (queues) now.queues = *std::move(queues);
    else now.problem = queues.error().message;
    return now;
}

} // namespace

double QueueLoad::utilisation() const
{
    return slots == 0 ? 0 : static_cast<double>(used_slots) / static_cast<double>(slots);
}

std::string span_start_words(WallTime start, bool only_date)
{
    std::string words =
        os::format_local(start).substr(0, std::string_view("2026-12-24T18:00").size());
    words[std::string_view("2026-12-24").size()] = ' ';
    return only_date ? words.substr(0, words.find(' ')) : words;
}

Result<store::History> each_run(const store::Root& root, const RunFilter& filter,
                                const store::TakeRun& take)
{
    store::NameFilter names(filter.names);
    return store::read_history(root, [&](const core::PastRun& run) {
        if ((!filter.since || run.ended >= *filter.since) && names.fits(run.name)) take(run);
    });
}

Result<StatsAnswer> stats(store::Root& root, const StatsRequest& request)
{
    StatsAnswer answer;
    core::RunStats rows;
    std::optional<core::RunTrend> trend;
    if (request.trend) trend.emplace(some_midnight(os::wall_now()), *request.trend);
    BGT_TRY_ASSIGN(answer.history, each_run(root, request.filter, [&](const core::PastRun& run) {
                       const auto group = core::group_of(run, request.by);
                       if (!group) return;
                       rows.add(*group, run);
                       if (trend) trend->add(run);
                   }));
    answer.rows = rows.summaries();
    if (trend && trend->count() > max_spans)
        return Error::usage(fmt::format("--trend: the runs lie in {} spans of {}, and {} are the "
                                        "most that are shown: take longer ones, or --since",
                                        trend->count(), format_duration(*request.trend),
                                        max_spans));
    if (trend) answer.trend = trend->spans();
    BGT_TRY_ASSIGN(answer.now, load_of(root));
    return answer;
}

Result<MetricsAnswer> metrics(store::Root& root)
{
    MetricsAnswer answer;
    core::RunTotals newer;
    BGT_TRY_ASSIGN(answer.history,
                   store::read_history(root, [&](const core::PastRun& run) { newer.add(run); }));
    answer.totals = answer.history.trimmed; // first: a name that has a row keeps it
    answer.totals.add(newer);
    BGT_TRY_ASSIGN(answer.now, load_of(root));
    return answer;
}

} // namespace bgt::ops
