#include "operations.hpp"
#include "parts.hpp"

#include <bgt/base/text.hpp>
#include <bgt/ops/only_task.hpp>
#include <bgt/ops/queues.hpp>
#include <bgt/ops/why.hpp>
#include <bgt/render/brief.hpp>
#include <bgt/render/end_account.hpp>
#include <bgt/render/hooks.hpp>
#include <bgt/render/report.hpp>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace bgt::api {

namespace {

namespace json = boost::json;

constexpr std::size_t why_tail_bytes = 400;
constexpr std::size_t why_line_bytes = 160;
constexpr std::size_t not_ready_told = 5;
constexpr render::ReportStyle detail_style{100, 80, false};

void put_tail(json::object& out, const std::vector<std::string>& lines)
{
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    const std::string tail = render::tail_of(text, why_tail_bytes, why_line_bytes);
    if (!tail.empty()) out["tail"] = tail;
}

void put_text(json::object& out, std::string_view name, std::string_view text)
{
    if (!text.empty()) out[name] = fit(printable(text), 300);
}

/// The command to copy that bgt proposes, as a call where there is one.
std::string as_call(const std::string& next, store::TaskId id)
{
    const auto begins = [&](const char* verb) { return next.starts_with(verb); };
    if (begins("bgt kill")) return fmt::format("stop {{\"ids\":[{}]}}", id.value);
    if (begins("bgt send")) return fmt::format("send {{\"id\":{},\"text\":...}}", id.value);
    if (begins("bgt logs")) return fmt::format("read {{\"id\":{}}}", id.value);
    if (begins("bgt restart") || begins("bgt retry"))
        return fmt::format("restart {{\"id\":{}}}", id.value);
    return next;
}

void put_report(json::object& out, const core::Report& report, store::TaskId id)
{
    const core::Diagnosis& found = report.diagnosis;
    put_text(out, "sentence", found.sentence);
    out["certainty"] = core::to_string(found.certainty);
    put_text(out, "cause", found.doubt);
    if (!report.evidence.not_ready.empty()) {
        json::array missing;
        for (const std::string& one : report.evidence.not_ready)
            if (missing.size() < not_ready_told) missing.emplace_back(fit(printable(one), 160));
        out["not_ready"] = std::move(missing);
    }
    const std::string next = as_call(found.next, id);
    put_text(out, "next", next + (found.hint.empty() ? "" : "  " + found.hint));
    put_tail(out, report.evidence.output);
}

void put_end(json::object& out, const ops::EndAccount& end)
{
    put_text(out, "sentence", render::end_sentence(end, render::Moment::now()));
    put_text(out, "cause", render::end_cause(end));
    put_text(out, "next", as_call(render::end_next(end), end.task.id));
    put_tail(out, end.output);
}

Result<json::object> why_it_waits(const Call& call, store::TaskId id)
{
    ops::Selection selection;
    selection.words = {to_string(id)};
    json::object out;
    if (!ops::has_queue(call.root)) return out;
    BGT_TRY_ASSIGN(const auto accounts, ops::why_waiting(call.root, selection));
    for (const auto& [task, sentences] : accounts) {
        std::string text;
        for (const std::string& one : sentences) text += (text.empty() ? "" : "; ") + one;
        if (!text.empty()) out["sentence"] = fit(printable(text), 600);
    }
    return out;
}

} // namespace

Result<json::object> call_why(const Call& call)
{
    BGT_TRY_ASSIGN(const store::TaskId id, named_task(call));
    BGT_TRY_ASSIGN(json::object told, why_it_waits(call, id));
    const bool detail = call.arguments.flag("detail");
    if (told.empty()) {
        ops::WhyRequest request;
        request.selection.words = {to_string(id)};
        BGT_TRY_ASSIGN(auto done, ops::why(call.root, request, {}, call.cancel));
        BGT_TRY_ASSIGN(const ops::WhyAnswer answer, ops::only_task(std::move(done), id));
        if (answer.end) put_end(told, *answer.end);
        else put_report(told, *answer.report, id);
        for (const ops::HookRun& hook : answer.hooks)
            if (ops::has_failed(hook)) put_text(told, "hook_failed", render::hook_words(hook));
        if (answer.port) put_text(told, "port_held_by", render::port_words(*answer.port));
        if (detail && answer.report)
            told["report"] = render::report_text(*answer.report, detail_style);
    }
    BGT_TRY_ASSIGN(const ops::Snapshot task, ops::recover_and_inspect(call.root, id, {}));
    json::object out{{"id", id.value}, {"state", render::state_words(task).text}};
    for (auto& member : told) out[member.key()] = std::move(member.value());
    if (!out.contains("sentence")) out["sentence"] = "nothing is known of it";
    return out;
}

} // namespace bgt::api
