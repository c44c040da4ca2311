#include <bgt/supervise/task_evidence.hpp>

#include <bgt/base/terminal_text.hpp>
#include <bgt/base/text.hpp>
#include <bgt/store/report.hpp>

#include <algorithm>
#include <sys/stat.h>
#include <utility>

namespace bgt::supervise {
namespace {

struct Tail {
    std::vector<std::string> lines;
    bool unfinished = false;
    timespec changed{};
};

Tail tail_of(const store::TaskDir& task, store::WhichLog which, std::uint64_t tail_bytes)
{
    Tail tail;
    auto log = store::LogFile::open(task, which);
    struct stat info {};
    if (!log || !log->exists() || ::fstat(log->fd(), &info) != 0) return tail;
    tail.changed = info.st_mtim;
    const std::uint64_t size = log->size();
    std::uint64_t at = std::max(log->freed(0), size > tail_bytes ? size - tail_bytes : 0);
    LineRenderer renderer(4096);
    std::string text;
    while (at < size) {
        const auto block = log->read(at, size);
        if (!block || block->bytes.empty()) break;
        renderer.feed(block->bytes, text);
        at = block->offset + block->bytes.size();
    }
    const std::size_t finished = text.size();
    tail.unfinished = renderer.flush(text) && text.find_first_not_of(" \t", finished) != text.npos;
    for (std::string_view rest = text; !rest.empty();) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        tail.lines.push_back(
            fit(printable(line.substr(0, 4 * core::max_line_columns)), core::max_line_columns));
    }
    return tail;
}

void keep_last(std::vector<std::string>& lines, std::size_t most)
{
    if (lines.size() > most)
        lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(most));
}

bool is_older(const timespec& a, const timespec& b)
{
    return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

} // namespace

std::vector<std::string> last_lines(const store::TaskDir& task, std::size_t most)
{
    core::Evidence evidence;
    TaskEvidence(task).add_output(evidence);
    keep_last(evidence.output, most);
    return std::move(evidence.output);
}

std::vector<std::string> last_lines(const store::TaskDir& task, std::size_t most,
                                    std::uint64_t bytes)
{
    core::Evidence evidence;
    TaskEvidence(task, bytes).add_output(evidence);
    keep_last(evidence.output, most);
    return std::move(evidence.output);
}

store::LogFile* TaskEvidence::log()
{
    if (!log_) log_.emplace(store::LogFile::open(task_, store::WhichLog::out));
    return *log_ && (*log_)->exists() ? &**log_ : nullptr;
}

std::uint64_t TaskEvidence::output_end()
{
    const store::LogFile* out = log();
    return out ? out->size() : 0;
}

std::optional<std::string> TaskEvidence::read_output(std::uint64_t& from)
{
    store::LogFile* out = log();
    if (!out) return std::nullopt;
    const auto block = out->read(from, out->size());
    if (!block) return std::nullopt;
    from = block->offset + block->bytes.size();
    return std::string(block->bytes);
}

void TaskEvidence::add_output(core::Evidence& evidence)
{
    Tail older = tail_of(task_, store::WhichLog::out, tail_bytes_),
         newer = tail_of(task_, store::WhichLog::err, tail_bytes_);
    if (is_older(newer.changed, older.changed)) std::swap(older, newer);
    if (!newer.lines.empty() && !older.lines.empty())
        keep_last(older.lines, core::max_lines_shown / 2);
    evidence.unfinished_line = newer.lines.empty() ? older.unfinished : newer.unfinished;
    evidence.output = std::move(older.lines);
    evidence.output.insert(evidence.output.end(), newer.lines.begin(), newer.lines.end());
    keep_last(evidence.output, core::max_lines_shown);
}

std::string TaskEvidence::encode(const core::Report& report) const
{
    return store::encode_report(report);
}

Result<core::Report> TaskEvidence::decode(std::string_view text) const
{
    return store::decode_report(text);
}

} // namespace bgt::supervise
