#include <bgt/render/schedules.hpp>

#include <bgt/base/text.hpp>
#include <bgt/ops/moment.hpp>
#include <bgt/render/columns.hpp>
#include <bgt/render/json.hpp>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <fmt/format.h>

namespace bgt::render {
namespace {

namespace json = boost::json;

constexpr std::size_t max_when = 40;
constexpr std::size_t max_command = 120;

json::value time_or_null(const std::optional<WallTime>& time)
{
    return time ? json::value(format_rfc3339(*time)) : json::value(nullptr);
}

json::value text_or_null(const std::string& text)
{
    return text.empty() ? json::value(nullptr) : json::value(to_valid_utf8(text));
}

/// "exit 0", "runs", "waits".
std::string run_words(const ops::ScheduleRun& run)
{
    if (run.waits) return "waits";
    if (run.status && run.status->lifecycle != core::Lifecycle::ended)
        return std::string(core::to_string(run.status->lifecycle));
    if (run.status) return outcome_words(*run.status);
    if (!run.end) return "removed";
    switch (*run.end) {
    case core::TaskEventKind::ended_ok: return "ok, removed";
    case core::TaskEventKind::ended_not_ok: return "failed, removed";
    case core::TaskEventKind::never_started: return "not started";
    case core::TaskEventKind::started:
    case core::TaskEventKind::ready: break;
    }
    return "removed";
}

std::string next_words(const ops::ScheduleInfo& info, const Moment& now)
{
    if (!info.problem.empty()) return "never: " + printable(info.problem);
    if (info.over) return "never again";
    if (info.paused) return "paused";
    return info.next ? ops::time_words(*info.next, now.wall) : "-";
}

std::string last_words(const ops::ScheduleInfo& info, const Moment& now)
{
    if (!info.last) return "-";
    std::string words = fmt::format("{} (task {}", run_words(*info.last), info.last->task);
    if (info.last_at)
        words += fmt::format(", {} ago",
                             format_age(std::max(now.wall - *info.last_at, Duration::zero())));
    return words + ")";
}

/// "at 02:00 every day, Europe/Berlin".
std::string when_words(const ops::ScheduleInfo& info)
{
    const std::string words = fit(printable(info.words), max_when);
    const bool has_clock = !info.when.starts_with("every ");
    return has_clock && !info.zone.empty() ? words + ", " + printable(info.zone) : words;
}

json::value run_json(const std::optional<ops::ScheduleRun>& run)
{
    if (!run) return nullptr;
    json::object out{{"task", run->task}, {"state", run_words(*run)}, {"exit_code", nullptr}};
    if (run->status && run->status->lifecycle == core::Lifecycle::ended)
        out["exit_code"] = ops::exit_code(*run->status);
    return out;
}

json::object policy_json(const core::SchedulePolicy& policy)
{
    json::object out;
    out["missed"] = json::string(core::to_string(policy.on_missed));
    out["missed_max"] = policy.on_missed == core::OnMissed::all ? json::value(policy.max_missed)
                                                                : json::value(nullptr);
    out["missed_within_s"] =
        policy.missed_within
            ? json::value(std::chrono::duration<double>(*policy.missed_within).count())
            : json::value(nullptr);
    out["overlap"] = json::string(core::to_string(policy.on_overlap));
    out["jitter_s"] = std::chrono::duration<double>(policy.jitter).count();
    out["until"] = time_or_null(policy.until);
    out["times"] = policy.times ? json::value(*policy.times) : json::value(nullptr);
    return out;
}

json::object schedule_json(const ops::ScheduleInfo& info)
{
    json::object out{{"name", info.name},
                     {"when", to_valid_utf8(info.when)},
                     {"words", to_valid_utf8(info.words)},
                     {"zone", text_or_null(info.zone)},
                     {"queue", info.queue},
                     {"command", to_valid_utf8(info.command)},
                     {"paused", info.paused},
                     {"over", info.over},
                     {"next", time_or_null(info.next)},
                     {"fired", info.fired},
                     {"tasks", json::array(info.tasks.begin(), info.tasks.end())},
                     {"last", run_json(info.last)},
                     {"last_at", time_or_null(info.last_at)},
                     {"origin", text_or_null(info.origin)},
                     {"problem", text_or_null(info.problem)}};
    for (auto& member : policy_json(info.policy)) out[member.key()] = std::move(member.value());
    return out;
}

std::string span_words(const core::Occurred& what, WallTime now)
{
    if (what.count == 1) return ops::time_words(what.last, now);
    return fmt::format("{} to {}", ops::time_words(what.first, now),
                       ops::time_words(what.last, now));
}

std::string fate_words(const ops::HistoryRow& row)
{
    const std::string times = row.what.count == 1 ? "" : fmt::format(", {} times", row.what.count);
    switch (row.what.fate) {
    case core::OccurrenceFate::fired: return "fired";
    case core::OccurrenceFate::manual: return "manual: run by hand";
    case core::OccurrenceFate::missed: return "missed" + times;
    case core::OccurrenceFate::overlapped: return "overlapped: its task had not ended" + times;
    case core::OccurrenceFate::paused: return "paused" + times;
    case core::OccurrenceFate::refused: return "refused: its queue took no more" + times;
    }
    return {};
}

} // namespace

std::string schedules_table(const std::vector<ops::ScheduleInfo>& all, const Moment& now,
                            std::optional<std::size_t> width)
{
    std::vector<Cells> rows{{"NAME", "WHEN", "NEXT", "LAST", "COMMAND"}};
    for (const ops::ScheduleInfo& info : all)
        rows.push_back({info.name, when_words(info), next_words(info, now), last_words(info, now),
                        fit(printable(info.command), max_command)});
    return columns(rows, {.width = width, .free = {4, 3, 1, 0, 2}});
}

std::string schedules_json(const std::vector<ops::ScheduleInfo>& all)
{
    json::array schedules;
    for (const ops::ScheduleInfo& info : all) schedules.push_back(schedule_json(info));
    return answer_json({{"schedules", std::move(schedules)}});
}

std::string history_table(const std::vector<ops::HistoryRow>& all, const Moment& now,
                          std::optional<std::size_t> width)
{
    std::vector<Cells> rows{{"TIME", "WHAT", "TASK"}};
    for (const ops::HistoryRow& row : all)
        rows.push_back(
            {span_words(row.what, now.wall), fate_words(row),
             row.run ? fmt::format("{} ({})", row.run->task, run_words(*row.run)) : "-"});
    return columns(rows, {.width = width, .free = {0, 1, 2}});
}

std::string history_json(const std::string& name, const std::vector<ops::HistoryRow>& all)
{
    json::array rows;
    for (const ops::HistoryRow& row : all)
        rows.push_back(json::object{{"what", json::string(core::to_string(row.what.fate))},
                                    {"first", format_rfc3339(row.what.first)},
                                    {"last", format_rfc3339(row.what.last)},
                                    {"count", row.what.count},
                                    {"decided_at", format_rfc3339(row.at)},
                                    {"run", run_json(row.run)}});
    return answer_json({{"schedule", name}, {"history", std::move(rows)}});
}

} // namespace bgt::render
