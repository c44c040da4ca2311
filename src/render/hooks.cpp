#include <bgt/render/hooks.hpp>

#include <bgt/base/signal_name.hpp>
#include <bgt/base/text.hpp>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace bgt::render {
namespace {

constexpr std::size_t output_lines = 5;
constexpr std::size_t command_columns = 60;

std::string code_words(std::int64_t code)
{
    if (code > 128 && code <= 128 + 64) return signal_name(static_cast<int>(code - 128));
    return fmt::format("exit {}", code);
}

std::string end_words(const ops::HookRun& run)
{
    switch (run.state) {
    case ops::HookState::running: return "running";
    case ops::HookState::unknown: return "nobody saw how it ended: its watcher was killed";
    case ops::HookState::not_started: return "failed: " + run.error;
    case ops::HookState::ended: break;
    }
    std::string words = run.code ? code_words(*run.code) : "failed";
    if (run.ended) words += " after " + format_age(*run.ended - run.started);
    if (!run.error.empty()) words += ", " + run.error;
    if (run.leftovers > 0)
        words += fmt::format(", {} {} that it left {} stopped", run.leftovers,
                             run.leftovers == 1 ? "process" : "processes",
                             run.leftovers == 1 ? "was" : "were");
    return words;
}

} // namespace

std::string hook_words(const ops::HookRun& run)
{
    return printable(fmt::format("{} {} ({})", run.hook, end_words(run),
                                 fit(printable(run.command), command_columns)));
}

std::vector<std::string> hook_output(const ops::HookRun& run)
{
    if (!has_failed(run) && run.hook != "on-hang") return {};
    std::vector<std::string> lines;
    std::string_view rest = run.output;
    while (!rest.empty()) {
        const std::size_t end = rest.find('\n');
        lines.push_back(printable(rest.substr(0, end)));
        rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    }
    if (lines.size() > output_lines)
        lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(output_lines));
    return lines;
}

boost::json::array hooks_json(const std::vector<ops::HookRun>& runs)
{
    boost::json::array rows;
    for (const ops::HookRun& run : runs) {
        boost::json::object row{{"hook", to_valid_utf8(run.hook)},
                                {"command", to_valid_utf8(run.command)},
                                {"state", ops::to_string(run.state)},
                                {"started_at", format_rfc3339(run.started)},
                                {"ended_at", nullptr},
                                {"code", nullptr},
                                {"error", nullptr},
                                {"leftovers", run.leftovers},
                                {"output", to_valid_utf8(run.output)},
                                {"output_bytes_cut", run.output_bytes_cut},
                                {"failed", has_failed(run)}};
        if (run.ended) row["ended_at"] = format_rfc3339(*run.ended);
        if (run.code) row["code"] = *run.code;
        if (!run.error.empty()) row["error"] = to_valid_utf8(run.error);
        rows.push_back(std::move(row));
    }
    return rows;
}

} // namespace bgt::render
