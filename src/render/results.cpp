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
            {"artifacts", std::move(artifacts)}};
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
    return out;
}

} // namespace bgt::render
