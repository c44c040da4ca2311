// Who appends to a file of the history holds a read lock on it, who drops files a write lock: so no
// record goes into a file that was counted already. history/lock keeps readers and those who drop
// files apart. Files are dropped in two steps, each of which leaves everything counted once
// whoever is killed: what stays is written to a new file (records that are in two files count
// once), then the totals say up to which file they count.
#include <bgt/store/history.hpp>

#include "files.hpp"
#include "history_files.hpp"
#include "history_format.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::store {
namespace {

constexpr const char* current_file = "history/current";
constexpr int append_tries = 8;
/// Of the current file, before it is worth a look whether there are too many records.
constexpr std::uint64_t tidy_size = 1u << 20;
constexpr std::uint64_t usual_record = 64;
/// Before they become one.
constexpr std::size_t max_files = 64;

core::PastRun run_of(const TaskSpec& spec, const Status& status, WallTime now,
                     const PastUsage& usage)
{
    core::PastRun run;
    run.id = spec.id.value;
    run.attempts = status.attempt;
    run.name = spec.name;
    run.queue = spec.queue;
    for (const auto& [key, value] : spec.tags) run.tags.emplace_back(key, value);
    run.kind = status.kind;
    run.outcome = status.outcome;
    run.created = status.created;
    run.started = status.started;
    run.ended = status.ended.value_or(now);
    if (status.started_at && status.ended_at) run.ran = *status.ended_at - *status.started_at;
    else if (status.started && status.ended) run.ran = *status.ended - *status.started;
    run.cpu = usage.cpu;
    if (!run.cpu && status.cpu_used > Duration::zero()) run.cpu = status.cpu_used;
    run.max_memory = usage.max_memory;
    run.hangs = usage.hangs;
    return run;
}

/// The folder comes with the first record, its lock before everything else in it.
bool make_folder(const Root& root)
{
    if (::mkdirat(root.fd(), detail::history_folder, 0700) != 0 && errno != EEXIST) return false;
    const Fd folder = detail::open_below(root.fd(), detail::history_folder, O_RDONLY | O_DIRECTORY);
    return folder && open_lock_file(folder.get(), detail::history_lock, O_RDWR | O_CREAT);
}

/// The file to append to, which nobody drops while it is open. Not set: errno; 0: try again.
Fd open_current(const Root& root)
{
    Fd fd = open_file(root.fd(), current_file, O_RDWR | O_APPEND | O_CREAT);
    if (!fd && errno == ENOENT && make_folder(root))
        fd = open_file(root.fd(), current_file, O_RDWR | O_APPEND | O_CREAT);
    if (!fd) return {};
    const int err = detail::lock_waiting(fd.get(), Duration::zero(), true);
    struct stat info {};
    const bool is_dropped =
        err == detail::lock_timed_out || (::fstat(fd.get(), &info) == 0 && info.st_nlink == 0);
    errno = 0;
    return is_dropped ? Fd{} : std::move(fd); // a file system without locks must do without
}

} // namespace

Result<void> append_history(const Root& root, const TaskSpec& spec, const Status& status,
                            WallTime now, const PastUsage& usage)
{
    if (!spec.keeps_history || status.copied) return {};
    const std::string bytes = detail::encode_run(run_of(spec, status, now, usage));
    Fd fd;
    errno = 0;
    for (int i = 0; i < append_tries && !fd && errno == 0; ++i) fd = open_current(root);
    if (!fd)
        return detail::explain("can't write to " + detail::history_path(root),
                               errno != 0 ? errno : EAGAIN);
    // In one piece, and once: half a record is passed over by who reads it.
    const ssize_t written = ::write(fd.get(), bytes.data(), bytes.size());
    if (written != static_cast<ssize_t>(bytes.size()))
        return detail::explain("can't write to " + detail::history_path(root),
                               written < 0 ? errno : ENOSPC);
    return {};
}

Result<History> read_history(const Root& root, const TakeRun& take, std::uint64_t max_bytes)
{
    History history;
    BGT_TRY_ASSIGN(detail::Files files, detail::Files::open(root, detail::Files::For::reading));
    if (!files) return history;
    BGT_TRY_ASSIGN(const auto segments, files.open_segments());
    BGT_TRY_ASSIGN(const detail::RunScan scan,
                   files.read(segments, max_bytes, [&](const core::PastRun& run, std::string_view) {
                       ++history.records;
                       take(run);
                   }));
    history.damaged_places = scan.damaged_places;
    history.damaged_bytes = scan.damaged_bytes;
    history.from_newer = scan.from_newer;
    history.unread_bytes = scan.unread_bytes;
    history.trimmed = files.totals().runs;
    history.damaged_before = files.totals().damaged_places;
    history.problem = files.problem();
    return history;
}

namespace {

/// A file that has come meanwhile is not looked at; nobody appends to the others any more.
Result<void> lock_segments(std::vector<detail::Segment>& segments, const Root& root)
{
    std::erase_if(segments, [](const detail::Segment& segment) { return segment.number == 0; });
    for (const detail::Segment& segment : segments)
        if (const int err = detail::lock_waiting(segment.fd.get(), detail::history_timeout);
            err == detail::lock_timed_out)
            return detail::explain("can't lock " + detail::history_path(root), err);
    return {};
}

} // namespace

Result<HistoryTrimmed> trim_history(const Root& root, const HistoryKeep& keep, bool dry_run)
{
    using For = detail::Files::For;
    HistoryTrimmed done;
    BGT_TRY_ASSIGN(detail::Files files,
                   detail::Files::open(root, dry_run ? For::reading : For::changing));
    if (!files) return done;
    if (!dry_run && !files.has_newer_totals()) BGT_TRY(files.close_current());
    BGT_TRY_ASSIGN(auto segments, files.open_segments());
    if (!dry_run && !files.has_newer_totals()) BGT_TRY(lock_segments(segments, root));
    BGT_TRY_ASSIGN(const std::uint64_t bytes, files.size_of(segments));
    std::uint64_t all = 0;
    BGT_TRY_ASSIGN(
        const detail::RunScan scan,
        files.read(segments, bytes, [&](const core::PastRun&, std::string_view) { ++all; }));
    done.problem = files.problem();
    done.kept = all;
    if (scan.from_newer > 0)
        done.problem = std::to_string(scan.from_newer) + " records in " +
                       detail::history_path(root) +
                       " were written by a newer bgt: no records are dropped";
    if (scan.from_newer > 0 || files.has_newer_totals()) return done;
    if (all <= keep.most && !keep.since && segments.size() <= max_files) return done;
    detail::Totals totals = files.totals();
    std::string kept;
    std::uint64_t at = 0;
    done.kept = 0;
    const auto sort_out = [&](const core::PastRun& run, std::string_view frame) {
        const bool stays = all - ++at < keep.most && (!keep.since || run.ended >= *keep.since);
        if (stays) {
            kept += frame;
            ++done.kept;
        } else {
            totals.runs.add(run);
            ++done.removed;
        }
    };
    kept.reserve(
        static_cast<std::size_t>(std::min<std::uint64_t>(bytes, detail::max_history_file)));
    BGT_TRY(files.read(segments, bytes, sort_out));
    if (done.removed == 0 && segments.size() <= max_files) return done;
    done.damaged_places = scan.damaged_places;
    totals.damaged_places += scan.damaged_places;
    if (dry_run) return done;
    BGT_TRY(files.put_damaged_totals_aside());
    BGT_TRY(files.replace(kept, std::move(totals)));
    return done;
}

void tidy_history(const Root& root, std::size_t most)
{
    struct stat info {};
    if (::fstatat(root.fd(), current_file, &info, AT_SYMLINK_NOFOLLOW) != 0) return;
    const std::uint64_t enough =
        std::min<std::uint64_t>(tidy_size, std::min<std::uint64_t>(most, tidy_size) * usual_record);
    if (info.st_size > 0 && static_cast<std::uint64_t>(info.st_size) >= enough)
        static_cast<void>(trim_history(root, {most, {}}));
}

} // namespace bgt::store
