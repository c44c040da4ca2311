#include <bgt/render/why_json.hpp>

#include <bgt/base/text.hpp>
#include <bgt/render/brief.hpp>
#include <bgt/render/end_account.hpp>
#include <bgt/render/hooks.hpp>
#include <bgt/render/json.hpp>
#include <bgt/render/json_text.hpp>
#include <bgt/render/report.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <array>

namespace bgt::render {

namespace {

namespace json = boost::json;

/// How much of texts and lists a short answer has. The first that fits is taken.
struct Bounds {
    std::size_t lines, columns;
};
constexpr Bounds bounds[] = {{12, 160}, {4, 120}, {1, 80}, {0, 80}};
constexpr std::size_t sentence_columns = 400;

/// Columns of what else is in each row, in the order in which whole rows are left out.
constexpr std::array<const char*, 5> lists{"hooks", "ports_in_use", "waiting", "reports", "ends"};

std::string cut(const json::value& text, std::size_t columns)
{
    return fit(printable(std::string_view(text.get_string())), columns);
}

/// The last lines of a list of texts.
void keep_last(json::value& list, const Bounds& most)
{
    json::array& lines = list.as_array();
    if (lines.size() > most.lines)
        lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(most.lines));
    for (json::value& line : lines) line = cut(line, most.columns);
}

void keep_first(json::value& list, const Bounds& most)
{
    json::array& lines = list.as_array();
    if (lines.size() > most.lines)
        lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(most.lines), lines.end());
    for (json::value& line : lines) line = cut(line, most.columns);
}

void cut_texts(json::object& row, std::initializer_list<const char*> names)
{
    for (const char* const name : names)
        if (row[name].is_string()) row[name] = cut(row[name], sentence_columns);
}

json::object report_row(const core::Report& report)
{
    json::object out = json::parse(report_json(report)).as_object();
    const json::object& evidence = out["evidence"].as_object();
    out["output"] = evidence.at("output");
    out["not_ready"] = evidence.at("not_ready");
    return out;
}

void shorten_report(json::object& row, const Bounds& most)
{
    row.erase("evidence");
    keep_last(row["output"], most);
    keep_first(row["not_ready"], most);
    keep_first(row["chain"], most);
    cut_texts(row, {"name", "sentence", "next", "hint", "doubt"});
}

void shorten_end(json::object& row, const ops::EndAccount& end, const Bounds& most)
{
    row["task"] = brief_task_json(end.task);
    keep_last(row["output"], most);
    cut_texts(row, {"sentence", "cause", "next"});
}

void shorten_hook(json::object& row, const Bounds& most)
{
    row["output"] = tail_of(std::string_view(row["output"].get_string()),
                            most.lines * most.columns / 4, most.columns);
    cut_texts(row, {"command", "error"});
}

/// All rows, or with `most` those of a short answer.
json::object rows_of(const ops::Each<ops::WhyAnswer>& told, const json::array& waiting,
                     const Bounds* most)
{
    json::array reports, ends, ports, hooks;
    for (const auto& [id, result] : told.tasks) {
        if (!result) continue;
        if (result->report) {
            json::object row = report_row(*result->report);
            if (most) shorten_report(row, *most);
            reports.push_back(std::move(row));
        }
        if (result->end) {
            json::object row = end_json(*result->end, Moment::now());
            if (most) shorten_end(row, *result->end, *most);
            ends.push_back(std::move(row));
        }
        if (result->port) ports.push_back(port_json(id, *result->port));
        for (json::value& hook : hooks_json(result->hooks)) {
            json::object row = std::move(hook.as_object());
            row["id"] = id.value;
            if (most) shorten_hook(row, *most);
            hooks.push_back(std::move(row));
        }
    }
    return {{"reports", std::move(reports)},
            {"ends", std::move(ends)},
            {"ports_in_use", std::move(ports)},
            {"hooks", std::move(hooks)},
            {"waiting", waiting},
            {"left_out", 0}};
}

/// Leaves out rows until it fits.
std::string cut_rows(json::object rows)
{
    std::size_t size = answer_json(rows).size() + 8; // the digits of left_out
    std::uint64_t left_out = 0;
    for (const char* const name : lists) {
        json::array& list = rows[name].as_array();
        for (; size > max_why_json && !list.empty(); ++left_out) {
            size -= std::min(size, json_text(list.back()).size() + 1);
            list.pop_back();
        }
    }
    rows["left_out"] = left_out;
    return answer_json(std::move(rows));
}

} // namespace

std::string why_json(const ops::Each<ops::WhyAnswer>& told, const json::array& waiting, bool full)
{
    if (full) return answer_json(rows_of(told, waiting, nullptr));
    for (const Bounds& most : bounds) {
        std::string text = answer_json(rows_of(told, waiting, &most));
        if (text.size() <= max_why_json) return text;
    }
    return cut_rows(rows_of(told, waiting, &bounds[std::size(bounds) - 1]));
}

} // namespace bgt::render
