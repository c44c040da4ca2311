#include <bgt/render/alerts.hpp>

#include <bgt/base/text.hpp>
#include <bgt/render/columns.hpp>
#include <bgt/render/json.hpp>

#include <algorithm>
#include <boost/json.hpp>

namespace bgt::render {
namespace {

namespace json = boost::json;

json::value text_or_null(const std::string& text)
{
    return text.empty() ? json::value(nullptr) : json::value(to_valid_utf8(text));
}

json::value code_or_null(const std::optional<int>& code)
{
    return code ? json::value(*code) : json::value(nullptr);
}

std::string question_words(const core::AlertRule& rule)
{
    std::string out = core::to_string(rule.when);
    if (const auto over = core::window(rule)) out += " over " + format_duration(*over);
    return out;
}

std::string ago(WallTime at, const Moment& now)
{
    return format_age(std::max(now.wall - at, Duration::zero())) + " ago";
}

std::string state_words(const core::AlertState& state, const Moment& now)
{
    std::string out(core::to_string(state.is));
    if (state.is == core::AlertIs::firing)
        out += " " + format_age(std::max(now.wall - state.since, Duration::zero()));
    return out;
}

/// "begins 5m ago: exit 0"
std::string told_words(const store::KnownAlert& alert, const Moment& now)
{
    if (!alert.told) return "-";
    const store::AlertTold& told = *alert.told;
    std::string out = std::string(core::to_string(told.what)) + " " + ago(told.at, now);
    if (alert.is.run.empty() && alert.is.webhook.empty()) return out;
    if (!told.is_done) return out + ": its hook runs";
    if (!told.error.empty()) return out + ": " + printable(told.error);
    if (told.code)
        out += (alert.is.run.empty() ? ": HTTP " : ": exit ") + std::to_string(*told.code);
    return out;
}

json::value told_json(const std::optional<store::AlertTold>& told)
{
    if (!told) return nullptr;
    return json::object{{"what", core::to_string(told->what)}, {"at", format_rfc3339(told->at)},
                        {"value", text_or_null(told->value)},  {"hook_ended", told->is_done},
                        {"code", code_or_null(told->code)},    {"error", text_or_null(told->error)},
                        {"output", text_or_null(told->output)}};
}

json::object row_json(const ops::AlertRow& row)
{
    const store::KnownAlert& alert = row.alert;
    const auto over = core::window(alert.is.rule);
    const bool is_known = alert.state.is != core::AlertIs::unknown;
    return {
        {"number", alert.number},
        {"when", core::to_string(alert.is.rule.when)},
        {"over_s",
         over ? json::value(std::chrono::duration<double>(*over).count()) : json::value(nullptr)},
        {"min_runs", alert.is.rule.min_runs},
        {"match", text_or_null(alert.is.rule.match)},
        {"run", text_or_null(alert.is.run)},
        {"webhook", text_or_null(alert.is.webhook)},
        {"file", to_valid_utf8(alert.is.file)},
        {"state", core::to_string(alert.state.is)},
        {"since", is_known ? json::value(format_rfc3339(alert.state.since)) : json::value(nullptr)},
        {"value", text_or_null(row.value)},
        {"told", told_json(alert.told)}};
}

} // namespace

std::string alerts_table(const ops::AlertsAnswer& answer, const Moment& now,
                         std::optional<std::size_t> width)
{
    std::vector<Cells> cells{{"N", "ALERT", "MATCH", "STATE", "NOW", "TOLD", "FILE"}};
    for (const ops::AlertRow& row : answer.rows) {
        const store::AlertDefinition& is = row.alert.is;
        cells.push_back({std::to_string(row.alert.number), question_words(is.rule),
                         is.rule.match.empty() ? "*" : printable(is.rule.match),
                         state_words(row.alert.state, now),
                         row.value.empty() ? "-" : printable(row.value), told_words(row.alert, now),
                         printable(is.file)});
    }
    return columns(cells, {.width = width, .free = {6, 5, 4, 2}});
}

std::string alerts_json(const ops::AlertsAnswer& answer)
{
    json::array rows;
    for (const ops::AlertRow& row : answer.rows) rows.push_back(row_json(row));
    return answer_json({{"alerts", std::move(rows)}, {"problem", text_or_null(answer.problem)}});
}

std::string alert_test_text(std::int64_t number, const supervise::AlertHookEnd& end)
{
    std::string out = "alert " + std::to_string(number) + ": ";
    if (end.code) out += "its hook ended with " + std::to_string(*end.code);
    else out += "its hook did not end by itself";
    if (!end.error.empty()) out += " (" + printable(end.error) + ")";
    out += '\n';
    for (const std::string& line : split(end.output, '\n'))
        if (!line.empty()) out += "  " + printable(line) + "\n";
    return out;
}

std::string alert_test_json(std::int64_t number, const supervise::AlertHookEnd& end)
{
    return answer_json({{"alert", number},
                        {"fine", end.is_fine},
                        {"code", code_or_null(end.code)},
                        {"error", text_or_null(end.error)},
                        {"output", text_or_null(end.output)}});
}

} // namespace bgt::render
