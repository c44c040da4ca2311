#include <bgt/render/results.hpp>

#include <bgt/base/size.hpp>
#include <bgt/base/text.hpp>
#include <bgt/render/words.hpp>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace bgt::render {

namespace json = boost::json;

json::object results_json(const store::TaskResults& results)
{
    json::object metrics;
    for (const auto& [name, value] : results.metrics) metrics[to_valid_utf8(name)] = value;
    json::array artifacts;
    for (const store::Artifact& artifact : results.artifacts)
        artifacts.push_back(json::object{
            {"path", to_valid_utf8(artifact.path)},
            {"bytes", artifact.bytes ? json::value(*artifact.bytes) : json::value(nullptr)},
            {"problem", artifact.problem.empty() ? json::value(nullptr)
                                                 : json::value(to_valid_utf8(artifact.problem))}});
    return {{"summary", results.summary.empty() ? json::value(nullptr)
                                                : json::value(to_valid_utf8(results.summary))},
            {"metrics", std::move(metrics)},
            {"artifacts", std::move(artifacts)},
            {"dropped", results.dropped},
            {"problem", results.problem.empty() ? json::value(nullptr)
                                                : json::value(to_valid_utf8(results.problem))},
            {"damaged_lines", results.damaged_lines},
            {"unread_bytes", results.unread_bytes}};
}

std::vector<std::string> missing_results(const store::TaskResults& results)
{
    std::vector<std::string> words;
    if (!results.problem.empty()) words.push_back(printable(results.problem));
    if (results.dropped > 0)
        words.push_back(fmt::format("{} metrics or artifacts were dropped (at most {} of each, "
                                    "and 512 KiB, are kept)",
                                    results.dropped, store::max_results));
    if (results.damaged_lines > 0)
        words.push_back(
            fmt::format("{} lines of results.jsonl are damaged", results.damaged_lines));
    if (results.unread_bytes > 0)
        words.push_back(
            fmt::format("the first {} bytes of results.jsonl were not read: it is too large",
                        results.unread_bytes));
    return words;
}

std::string artifact_words(const store::Artifact& artifact)
{
    if (!artifact.problem.empty())
        return printable(artifact.path) + ": " + printable(artifact.problem);
    if (!artifact.bytes) return printable(artifact.path);
    return fmt::format("{} ({})", printable(artifact.path), format_size(*artifact.bytes));
}

std::string metric_words(double value)
{
    return fmt::format("{}", value);
}

std::string results_text(const ops::Inspected& task)
{
    const std::string& name = task.task.status.name;
    std::string out = store::to_string(task.task.id);
    if (!name.empty()) out += " " + printable(name);
    out += ": " + state_words(task.task).text + "\n";
    const auto row = [&](std::string_view label, const std::string& words) {
        out += fmt::format("  {:<10}{}\n", label, words);
    };
    const store::TaskResults& results = task.results;
    if (!results.summary.empty()) row("summary", printable(results.summary));
    for (const auto& [key, value] : results.metrics)
        row("metric", printable(key) + " = " + metric_words(value));
    for (const store::Artifact& artifact : results.artifacts)
        row("artifact", artifact_words(artifact));
    for (const std::string& missing : missing_results(results)) row("missing", missing);
    return out;
}

} // namespace bgt::render
