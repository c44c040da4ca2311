#include <bgt/render/stats.hpp>

#include <bgt/base/size.hpp>
#include <bgt/base/text.hpp>
#include <bgt/render/columns.hpp>
#include <bgt/render/json.hpp>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <fmt/format.h>

namespace bgt::render {
namespace {

namespace json = boost::json;
using core::RunResult;
using core::RunSummary;

constexpr std::size_t bar_width = 24;
constexpr std::size_t widest_name = 40;

std::string age_or_dash(const std::optional<Duration>& time)
{
    return time ? format_age(*time) : "-";
}

std::string rate_words(const std::optional<double>& rate)
{
    if (!rate) return "-";
    // 100% is said only where none has failed.
    const double percent = *rate * 100;
    if (percent > 99 && percent < 100) return "99%";
    return fmt::format("{:.0f}%", percent);
}

json::value seconds_or_null(const std::optional<Duration>& time)
{
    if (!time) return nullptr;
    return std::round(std::chrono::duration<double, std::milli>(*time).count()) / 1000;
}

json::value time_or_null(const std::optional<WallTime>& time)
{
    return time ? json::value(format_rfc3339(*time)) : json::value(nullptr);
}

json::value text_or_null(std::string_view text)
{
    return text.empty() ? json::value(nullptr) : json::value(to_valid_utf8(text));
}

json::value rate_or_null(const std::optional<double>& rate)
{
    if (!rate) return nullptr;
    return std::round(*rate * 10'000) / 10'000;
}

void add_summary(json::object& out, const RunSummary& row)
{
    out["runs"] = row.counts.runs();
    out["ok"] = row.counts.of(RunResult::ok);
    out["failed"] = row.counts.of(RunResult::failed);
    out["killed"] = row.counts.of(RunResult::killed);
    out["not_started"] = row.counts.of(RunResult::not_started);
    out["hung"] = row.counts.hung;
    out["retried"] = row.counts.retried;
    out["success_rate"] = rate_or_null(row.success_rate);
    out["mean_s"] = seconds_or_null(row.mean);
    out["median_s"] = seconds_or_null(row.median);
    out["p95_s"] = seconds_or_null(row.p95);
    out["min_s"] = seconds_or_null(row.min);
    out["max_s"] = seconds_or_null(row.max);
    out["wait_mean_s"] = seconds_or_null(row.wait_mean);
    out["wait_max_s"] = seconds_or_null(row.wait_max);
    out["cpu_s"] = seconds_or_null(row.cpu);
    out["max_memory_bytes"] =
        row.max_memory > 0 ? json::value(row.max_memory) : json::value(nullptr);
    out["first_ended_at"] = time_or_null(row.first);
    out["last_ended_at"] = time_or_null(row.last);
}

json::value trend_json(const ops::StatsAnswer& answer, const std::optional<Duration>& width)
{
    if (!width) return nullptr;
    json::array spans;
    for (const auto& span : answer.trend) {
        json::object row{{"from", format_rfc3339(span.from)},
                         {"to", format_rfc3339(span.from + *width)}};
        add_summary(row, span.summary);
        spans.push_back(std::move(row));
    }
    return spans;
}

json::object load_json(const ops::RootLoad& now)
{
    json::array queues;
    for (const ops::QueueLoad& queue : now.queues)
        queues.push_back(json::object{{"name", queue.name},
                                      {"slots", queue.slots},
                                      {"used_slots", queue.used_slots},
                                      {"utilisation", rate_or_null(queue.utilisation())},
                                      {"running", queue.running},
                                      {"waiting", queue.waiting},
                                      {"held", queue.held}});
    return {{"active", now.active},
            {"queues", std::move(queues)},
            {"problem", text_or_null(now.problem)}};
}

json::object history_json(const store::History& history)
{
    return {{"records", history.records},
            {"damaged_places", history.damaged_places},
            {"damaged_bytes", history.damaged_bytes},
            {"unread_bytes", history.unread_bytes},
            {"problem", text_or_null(history.problem)}};
}

std::string grouping_word(const core::RunGrouping& by)
{
    switch (by.by) {
    case core::RunGrouping::By::name: return "name";
    case core::RunGrouping::By::queue: return "queue";
    case core::RunGrouping::By::tag: break;
    }
    return "tag:" + by.key;
}

} // namespace

std::string stats_table(const std::vector<std::pair<std::string, RunSummary>>& rows,
                        const std::string& title, std::optional<std::size_t> width)
{
    std::vector<Cells> cells{{title, "RUNS", "OK", "FAILED", "RATE", "HUNG", "RETRIED", "MEAN",
                              "MEDIAN", "P95", "LONGEST", "WAIT", "CPU", "MEMORY"}};
    for (const auto& [word, row] : rows) {
        const auto& counts = row.counts;
        cells.push_back({word.empty() ? "-" : fit(printable(word), widest_name),
                         std::to_string(counts.runs()), std::to_string(counts.of(RunResult::ok)),
                         std::to_string(counts.of(RunResult::failed)), rate_words(row.success_rate),
                         std::to_string(counts.hung), std::to_string(counts.retried),
                         age_or_dash(row.mean), age_or_dash(row.median), age_or_dash(row.p95),
                         age_or_dash(row.max), age_or_dash(row.wait_mean), age_or_dash(row.cpu),
                         row.max_memory > 0 ? format_size(row.max_memory) : "-"});
    }
    return columns(cells, {.width = width,
                           .free = {0},
                           .unimportant = {6, 5, 13, 12, 11, 10, 8, 4, 9, 3},
                           .last_number = cells.front().size() - 1});
}

std::string trend_table(const std::vector<core::RunTrend::Span>& spans, Duration width,
                        std::optional<std::size_t> columns_there)
{
    Duration longest{1};
    for (const auto& span : spans) longest = std::max(longest, span.summary.mean.value_or(longest));
    std::vector<Cells> cells{{"FROM", "RUNS", "OK", "FAILED", "MEAN", "P95", ""}};
    const bool is_days = width % std::chrono::hours(24) == Duration::zero();
    for (const auto& span : spans) {
        const RunSummary& row = span.summary;
        std::string bar;
        const double share = static_cast<double>(row.mean.value_or(Duration::zero()).count()) /
                             static_cast<double>(longest.count());
        if (row.mean)
            bar.assign(
                std::max<std::size_t>(1, static_cast<std::size_t>(std::lround(share * bar_width))),
                '#');
        cells.push_back({ops::span_start_words(span.from, is_days),
                         std::to_string(row.counts.runs()),
                         std::to_string(row.counts.of(RunResult::ok)),
                         std::to_string(row.counts.of(RunResult::failed)), age_or_dash(row.mean),
                         age_or_dash(row.p95), bar});
    }
    return columns(cells, {.width = columns_there, .free = {6}, .last_number = 5});
}

std::string load_words(const ops::RootLoad& now)
{
    std::string out = fmt::format("{} active", now.active);
    for (const ops::QueueLoad& queue : now.queues)
        if (queue.running + queue.waiting > 0)
            out += fmt::format(", queue {}: {} of {} slots in use, {} waiting", queue.name,
                               queue.used_slots, queue.slots, queue.waiting);
    return out;
}

std::string stats_json(const ops::StatsAnswer& answer, const ops::StatsRequest& request)
{
    const bool is_tag = request.by.by == core::RunGrouping::By::tag;
    json::array rows;
    for (const auto& [word, summary] : answer.rows) {
        json::object row{{"name", is_tag ? json::value(to_valid_utf8(word)) : text_or_null(word)}};
        add_summary(row, summary);
        rows.push_back(std::move(row));
    }
    return answer_json({{"by", to_valid_utf8(grouping_word(request.by))},
                        {"stats", std::move(rows)},
                        {"trend", trend_json(answer, request.trend)},
                        {"now", load_json(answer.now)},
                        {"history", history_json(answer.history)}});
}

std::string run_json(const core::PastRun& run)
{
    json::object tags;
    for (const auto& [key, value] : run.tags) tags[to_valid_utf8(key)] = to_valid_utf8(value);
    return answer_json({{"id", run.id},
                        {"name", text_or_null(run.name)},
                        {"queue", text_or_null(run.queue)},
                        {"tags", std::move(tags)},
                        {"kind", json::string(core::to_string(run.kind))},
                        {"attempts", run.attempts},
                        {"created_at", format_rfc3339(run.created)},
                        {"started_at", time_or_null(run.started)},
                        {"ended_at", format_rfc3339(run.ended)},
                        {"duration_s", seconds_or_null(run.ran)},
                        {"wait_s", seconds_or_null(core::waited(run))},
                        {"result", json::string(core::to_string(core::result_of(run.outcome)))},
                        {"outcome", json::string(core::to_string(run.outcome.kind))},
                        {"reason", json::string(core::to_string(run.outcome.reason))},
                        {"exit_code", core::exit_code(run.outcome)},
                        {"hangs", run.hangs},
                        {"cpu_s", seconds_or_null(run.cpu)},
                        {"max_memory_bytes",
                         run.max_memory > 0 ? json::value(run.max_memory) : json::value(nullptr)}});
}

} // namespace bgt::render
