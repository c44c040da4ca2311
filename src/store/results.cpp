#include <bgt/store/results.hpp>

#include "event_file.hpp"

#include <bgt/store/events.hpp>
#include <bgt/store/open_file.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <fcntl.h>
#include <fmt/format.h>
#include <limits>

namespace bgt::store {
namespace {

constexpr const char* file_name = "results.jsonl";

void take_metric(const TaskEvent& line, TaskResults& into)
{
    const std::string* name = text_in(line.fields, "name");
    const std::string* value = text_in(line.fields, "value");
    if (name == nullptr || value == nullptr) return;
    double number = 0;
    const char* const end = value->data() + value->size();
    const auto parsed = std::from_chars(value->data(), end, number);
    if (parsed.ec != std::errc() || parsed.ptr != end || !std::isfinite(number)) return;
    if (into.metrics.size() < max_results || into.metrics.contains(*name))
        into.metrics[*name] = number;
}

void take_artifact(const TaskEvent& line, TaskResults& into)
{
    const std::string* path = text_in(line.fields, "path");
    if (path == nullptr) return;
    auto known = std::ranges::find(into.artifacts, *path, &Artifact::path);
    if (known == into.artifacts.end()) {
        if (into.artifacts.size() >= max_results) return;
        known = into.artifacts.insert(known, {*path});
    }
    if (const auto bytes = number_in(line.fields, "bytes"); bytes && *bytes >= 0)
        known->bytes = static_cast<std::uint64_t>(*bytes);
    if (const std::string* problem = text_in(line.fields, "problem")) known->problem = *problem;
}

} // namespace

Result<TaskResults> read_results(int task_dir_fd)
{
    BGT_TRY_ASSIGN(
        const EventsRead read,
        detail::read_event_file(task_dir_fd, file_name, std::numeric_limits<std::size_t>::max()));
    TaskResults results;
    results.damaged_lines = read.damaged_lines;
    for (const TaskEvent& event : read.events) {
        const std::string* text = text_in(event.fields, "text");
        if (event.event == "summary" && text != nullptr) results.summary = *text;
        if (event.event == "metric") take_metric(event, results);
        if (event.event == "artifact") take_artifact(event, results);
    }
    return results;
}

Result<ResultsWriter> ResultsWriter::open(int task_dir_fd)
{
    ResultsWriter writer;
    writer.fd_ = open_file(task_dir_fd, file_name, O_RDWR | O_CREAT | O_APPEND);
    if (!writer.fd_) return Error::system("can't open results.jsonl", errno);
    return writer;
}

Result<void> ResultsWriter::summary(WallTime at, const std::string& text)
{
    return append_event(fd_.get(), at, "summary", {{"text", text}});
}

Result<void> ResultsWriter::metric(WallTime at, const std::string& name, double value)
{
    return append_event(fd_.get(), at, "metric",
                        {{"name", name}, {"value", fmt::format("{}", value)}});
}

Result<void> ResultsWriter::artifact(WallTime at, const std::string& path)
{
    return append_event(fd_.get(), at, "artifact", {{"path", path}});
}

Result<void> ResultsWriter::checked(WallTime at, const Artifact& artifact)
{
    std::vector<EventField> fields{{"path", artifact.path}};
    if (artifact.bytes) fields.push_back({"bytes", static_cast<std::int64_t>(*artifact.bytes)});
    else fields.push_back({"problem", artifact.problem});
    return append_event(fd_.get(), at, "artifact", fields);
}

} // namespace bgt::store
