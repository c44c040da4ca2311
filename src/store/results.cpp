#include <bgt/store/results.hpp>

#include "event_file.hpp"
#include "files.hpp"

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
constexpr const char* made_as = "results.jsonl.new";
/// A file that has grown to this is written anew, with the newest value of each metric only.
constexpr std::uint64_t max_bytes = 1u << 20;
/// What is told for the first time adds to this: the rest of the room is for newer values.
constexpr std::uint64_t max_kept_bytes = max_bytes / 2;
/// With what became of the artefacts, which comes last.
constexpr std::uint64_t max_read = 4 * max_bytes;

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
    else ++into.dropped;
}

void take_artifact(const TaskEvent& line, TaskResults& into)
{
    const std::string* path = text_in(line.fields, "path");
    if (path == nullptr) return;
    auto known = std::ranges::find(into.artifacts, *path, &Artifact::path);
    if (known == into.artifacts.end()) {
        if (into.artifacts.size() >= max_results) {
            ++into.dropped;
            return;
        }
        known = into.artifacts.insert(known, {*path});
    }
    if (const auto bytes = number_in(line.fields, "bytes"); bytes && *bytes >= 0)
        known->bytes = static_cast<std::uint64_t>(*bytes);
    if (const std::string* problem = text_in(line.fields, "problem")) known->problem = *problem;
}

std::string line_of(WallTime at, std::string_view event, const std::vector<EventField>& fields)
{
    return encode_event(at, event, fields) + "\n";
}
std::string summary_line(WallTime at, const std::string& text)
{
    return line_of(at, "summary", {{"text", text}});
}
std::string metric_line(WallTime at, const std::string& name, double value)
{
    return line_of(at, "metric", {{"name", name}, {"value", fmt::format("{}", value)}});
}
std::string artifact_line(WallTime at, const Artifact& artifact)
{
    std::vector<EventField> fields{{"path", artifact.path}};
    if (artifact.bytes) fields.push_back({"bytes", static_cast<std::int64_t>(*artifact.bytes)});
    if (!artifact.problem.empty()) fields.push_back({"problem", artifact.problem});
    return line_of(at, "artifact", fields);
}
std::string dropped_line(WallTime at, std::uint64_t count)
{
    return line_of(at, "dropped", {{"count", static_cast<std::int64_t>(count)}});
}

} // namespace

Result<TaskResults> read_results(int task_dir_fd)
{
    BGT_TRY_ASSIGN(const EventsRead read,
                   detail::read_event_file(task_dir_fd, file_name,
                                           std::numeric_limits<std::size_t>::max(), max_read));
    TaskResults results;
    results.damaged_lines = read.damaged_lines;
    results.unread_bytes = read.unread_bytes;
    std::uint64_t dropped = 0;
    for (const TaskEvent& event : read.events) {
        const std::string* text = text_in(event.fields, "text");
        if (event.event == "summary" && text != nullptr) results.summary = *text;
        if (event.event == "metric") take_metric(event, results);
        if (event.event == "artifact") take_artifact(event, results);
        if (event.event == "dropped")
            dropped = static_cast<std::uint64_t>(
                std::max<std::int64_t>(number_in(event.fields, "count").value_or(0), 0));
    }
    results.dropped += dropped;
    return results;
}

Result<ResultsWriter> ResultsWriter::open(int task_dir_fd)
{
    ResultsWriter writer;
    writer.folder_ = task_dir_fd;
    if (auto before = read_results(task_dir_fd)) writer.kept_ = *std::move(before);
    writer.fd_ = open_file(task_dir_fd, file_name, O_RDWR | O_CREAT | O_APPEND);
    if (!writer.fd_) return Error::system("can't open results.jsonl", errno);
    writer.size_ =
        static_cast<std::uint64_t>(std::max<off_t>(::lseek(writer.fd_.get(), 0, SEEK_END), 0));
    writer.kept_bytes_ = writer.size_ == 0 ? 0 : writer.whole({}).size();
    return writer;
}

/// All that counts, as lines.
std::string ResultsWriter::whole(WallTime at) const
{
    std::string lines;
    if (!kept_.summary.empty()) lines += summary_line(at, kept_.summary);
    for (const auto& [name, value] : kept_.metrics) lines += metric_line(at, name, value);
    for (const Artifact& artifact : kept_.artifacts) lines += artifact_line(at, artifact);
    if (kept_.dropped > 0) lines += dropped_line(at, kept_.dropped);
    return lines;
}

Result<void> ResultsWriter::rewrite(WallTime at)
{
    const std::string lines = whole(at);
    if (const int err = detail::replace_file(folder_, made_as, file_name, lines))
        return Error::system("can't write results.jsonl", err);
    Fd fd = open_file(folder_, file_name, O_RDWR | O_APPEND);
    if (!fd) return Error::system("can't open results.jsonl", errno);
    fd_ = std::move(fd);
    size_ = kept_bytes_ = lines.size();
    is_behind_ = false;
    return {};
}

/// Of what is in kept_ already. What a full disk refuses comes with the next line that it takes.
Result<void> ResultsWriter::append(WallTime at, const std::string& line)
{
    if (is_behind_ || size_ + line.size() > max_bytes) {
        is_behind_ = true;
        return rewrite(at);
    }
    Result<void> written = detail::append_line(fd_.get(), file_name, line);
    if (written) size_ += line.size();
    else is_behind_ = true;
    return written;
}

/// Whether there is room for something that was not told of before.
bool ResultsWriter::has_room(std::size_t told, const std::string& line)
{
    if (told >= max_results || kept_bytes_ + line.size() > max_kept_bytes) return false;
    kept_bytes_ += line.size();
    return true;
}

Result<void> ResultsWriter::drop(WallTime at)
{
    return append(at, dropped_line(at, ++kept_.dropped));
}

Result<void> ResultsWriter::summary(WallTime at, const std::string& text)
{
    kept_.summary = text;
    return append(at, summary_line(at, text));
}

Result<void> ResultsWriter::metric(WallTime at, const std::string& name, double value)
{
    const std::string line = metric_line(at, name, value);
    if (!kept_.metrics.contains(name) && !has_room(kept_.metrics.size(), line)) return drop(at);
    kept_.metrics[name] = value;
    return append(at, line);
}

Result<void> ResultsWriter::artifact(WallTime at, const std::string& path)
{
    const auto known = std::ranges::find(kept_.artifacts, path, &Artifact::path);
    if (known != kept_.artifacts.end()) return {};
    const std::string line = artifact_line(at, {path});
    if (!has_room(kept_.artifacts.size(), line)) return drop(at);
    kept_.artifacts.push_back({path});
    return append(at, line);
}

Result<void> ResultsWriter::checked(WallTime at, const Artifact& artifact)
{
    return detail::append_line(fd_.get(), file_name, artifact_line(at, artifact));
}

} // namespace bgt::store
