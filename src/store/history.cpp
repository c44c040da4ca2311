// Who appends to a file of the history holds a read lock on it, who drops files a write lock: so no
// record goes into a file that was counted already. history/lock keeps readers and those who drop
// files apart. Files are dropped in two steps, each of which leaves everything counted once
// whoever is killed: what stays is written to a new file (records that are in two files count
// once), then the totals say up to which file they count.
#include <bgt/store/history.hpp>

#include "files.hpp"
#include "history_format.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::store {
namespace {

constexpr const char* folder_name = "history";
constexpr const char* current_file = "history/current";
constexpr const char* lock_file = "lock";
constexpr const char* totals_file = "totals";
constexpr int append_tries = 8;
constexpr std::size_t largest_file = 1u << 30;
constexpr std::size_t largest_totals = 16u << 20;
/// Of the current file, before it is worth a look whether there are too many records.
constexpr std::uint64_t tidy_size = 1u << 20;
constexpr std::uint64_t usual_record = 64;
/// Before they become one.
constexpr std::size_t most_files = 64;
constexpr auto lock_timeout = std::chrono::seconds(5);

std::string where(const Root& root)
{
    return root.path() + "/" + folder_name;
}

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
    if (::mkdirat(root.fd(), folder_name, 0700) != 0 && errno != EEXIST) return false;
    const Fd folder = detail::open_below(root.fd(), folder_name, O_RDONLY | O_DIRECTORY);
    return folder && open_lock_file(folder.get(), lock_file, O_RDWR | O_CREAT);
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

struct Segment {
    std::int64_t number = 0; ///< 0: the current one
    Fd fd;
};

/// What is in the folder, under its lock.
class Files {
public:
    enum class For : std::uint8_t { reading, changing };
    static Result<Files> open(const Root&, For);

    /// False: there has never been a record.
    explicit operator bool() const { return static_cast<bool>(folder_); }
    const detail::Totals& totals() const { return totals_; }
    const std::string& problem() const { return problem_; }

    /// Those that count, the oldest first.
    Result<std::vector<Segment>> open_segments() const;
    Result<detail::RunScan> read(const std::vector<Segment>&,
                                 const std::function<void(const core::PastRun&, std::string_view)>&,
                                 const std::function<void(std::uint64_t bytes)>& size = {}) const;

    /// The current file becomes an old one.
    Result<void> close_current();
    /// Puts these records in the place of all files, and `totals` in that of the totals.
    Result<void> replace(std::string_view records, detail::Totals totals);

private:
    Result<void> read_totals();
    Error problem_with(std::string_view what, int err) const
    {
        return detail::explain(std::string(what) + path_, err);
    }
    std::vector<std::int64_t> numbers() const;
    void remove_dropped() const;

    std::string path_;
    For what_ = For::reading;
    Fd folder_, lock_;
    detail::Totals totals_;
    std::string problem_;
};

Result<Files> Files::open(const Root& root, For what)
{
    Files files;
    files.path_ = where(root);
    files.what_ = what;
    if (!root.exists()) return files;
    Fd folder = detail::open_below(root.fd(), folder_name, O_RDONLY | O_DIRECTORY);
    if (!folder && errno == ENOENT) return files;
    if (!folder) return files.problem_with("can't open ", errno);
    const bool changes = what == For::changing;
    files.lock_ = open_lock_file(folder.get(), lock_file, changes ? O_RDWR | O_CREAT : O_RDONLY);
    if (!files.lock_ && (changes || errno != ENOENT))
        return files.problem_with("can't lock ", errno);
    if (files.lock_)
        if (const int err = detail::lock_waiting(files.lock_.get(), lock_timeout, !changes))
            return files.problem_with("can't lock ", err);
    files.folder_ = std::move(folder);
    BGT_TRY(files.read_totals());
    if (changes) files.remove_dropped();
    return files;
}

Result<void> Files::read_totals()
{
    const auto bytes = detail::read_file(folder_.get(), totals_file, largest_totals,
                                         "can't read " + path_ + "/" + totals_file);
    if (!bytes && bytes.error().sys_errno == ENOENT) return {};
    if (!bytes) return bytes.error();
    if (auto totals = detail::decode_totals(*bytes)) totals_ = *std::move(totals);
    else
        problem_ = path_ + "/" + totals_file +
                   " is damaged: what was counted of older tasks is lost (remove it to begin anew)";
    return {};
}

std::vector<std::int64_t> Files::numbers() const
{
    std::vector<std::int64_t> all;
    detail::Listing listing(detail::open_below(folder_.get(), ".", O_RDONLY | O_DIRECTORY));
    if (!listing) return all;
    while (const char* entry = listing.next())
        if (const TaskId number = detail::id_of_entry(entry); number.value > 0)
            all.push_back(number.value);
    std::ranges::sort(all);
    return all;
}

/// What somebody who was killed had counted, and not removed.
void Files::remove_dropped() const
{
    for (const std::int64_t number : numbers())
        if (number <= totals_.dropped_files)
            ::unlinkat(folder_.get(), std::to_string(number).c_str(), 0);
}

Result<std::vector<Segment>> Files::open_segments() const
{
    std::vector<Segment> out;
    const auto add = [&](std::int64_t number, const char* name) -> Result<void> {
        Fd fd = open_file(folder_.get(), name, what_ == For::changing ? O_RDWR : O_RDONLY);
        if (!fd && errno != ENOENT)
            return problem_with(std::string("can't open ") + name + " in ", errno);
        if (fd) out.push_back({number, std::move(fd)});
        return {};
    };
    for (const std::int64_t number : numbers())
        if (number > totals_.dropped_files) BGT_TRY(add(number, std::to_string(number).c_str()));
    BGT_TRY(add(0, "current"));
    return out;
}

/// Ids with attempts that came already. 64 ids that follow each other are one entry of a table with
/// open addressing: a set of the library took as long as all the rest.
class Seen {
public:
    /// False: it came before.
    bool add(std::int64_t id, std::uint32_t attempts)
    {
        if (count_ * 2 >= entries_.size()) grow();
        const auto number = static_cast<std::uint64_t>(id);
        Entry& entry = find(number >> 6, attempts);
        if (entry.ids == 0) ++count_;
        const std::uint64_t bit = std::uint64_t{1} << (number & 63);
        return (std::exchange(entry.ids, entry.ids | bit) & bit) == 0;
    }

private:
    struct Entry {
        std::uint64_t block = 0; ///< of ids
        std::uint64_t ids = 0;   ///< a bit each; 0: the entry is free
        std::uint32_t attempts = 0;
    };
    Entry& find(std::uint64_t block, std::uint32_t attempts)
    {
        const std::uint64_t key = block + (std::uint64_t{attempts} << 32);
        std::size_t at = (key * 0x9e3779b97f4a7c15ull >> 20) & (entries_.size() - 1);
        while (entries_[at].ids != 0 &&
               (entries_[at].block != block || entries_[at].attempts != attempts))
            at = (at + 1) & (entries_.size() - 1);
        entries_[at].block = block;
        entries_[at].attempts = attempts;
        return entries_[at];
    }
    void grow()
    {
        const std::vector<Entry> old =
            std::exchange(entries_, std::vector<Entry>(entries_.size() * 4));
        for (const Entry& entry : old)
            if (entry.ids != 0) find(entry.block, entry.attempts).ids = entry.ids;
    }
    std::vector<Entry> entries_ = std::vector<Entry>(1024);
    std::size_t count_ = 0;
};

Result<detail::RunScan> Files::read(
    const std::vector<Segment>& segments,
    const std::function<void(const core::PastRun&, std::string_view)>& take,
    const std::function<void(std::uint64_t)>& size) const
{
    detail::RunScan all;
    Seen seen;
    for (const Segment& segment : segments) {
        struct stat info {};
        if (::fstat(segment.fd.get(), &info) != 0) return problem_with("can't read ", errno);
        const auto bytes = std::min(static_cast<std::size_t>(info.st_size), largest_file);
        const auto buffer = std::make_unique_for_overwrite<char[]>(bytes);
        const auto got = detail::read_at(segment.fd.get(),
                                         std::as_writable_bytes(std::span(buffer.get(), bytes)), 0);
        if (got < 0) return problem_with("can't read ", errno);
        if (size) size(static_cast<std::uint64_t>(got));
        const detail::RunScan scan =
            detail::scan_runs({buffer.get(), static_cast<std::size_t>(got)},
                              [&](const core::PastRun& run, std::string_view frame) {
                                  if (seen.add(run.id, run.attempts)) take(run, frame);
                              });
        all.damaged_places += scan.damaged_places;
        all.damaged_bytes += scan.damaged_bytes;
        all.from_newer += scan.from_newer;
    }
    return all;
}

Result<void> Files::close_current()
{
    const auto all = numbers();
    const std::int64_t last = std::max(all.empty() ? 0 : all.back(), totals_.dropped_files);
    if (::renameat(folder_.get(), "current", folder_.get(), std::to_string(last + 1).c_str()) !=
            0 &&
        errno != ENOENT)
        return problem_with("can't change ", errno);
    return {};
}

Result<void> Files::replace(std::string_view records, detail::Totals totals)
{
    const auto all = numbers();
    totals.dropped_files = all.empty() ? totals_.dropped_files : all.back();
    if (!records.empty())
        if (const int err = detail::replace_file(
                folder_.get(), "new", std::to_string(totals.dropped_files + 1).c_str(), records))
            return problem_with("can't write to ", err);
    if (const int err =
            detail::replace_file(folder_.get(), "new", totals_file, detail::encode_totals(totals)))
        return problem_with("can't write to ", err);
    totals_ = std::move(totals);
    remove_dropped();
    return {};
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
    if (!fd) return detail::explain("can't write to " + where(root), errno != 0 ? errno : EAGAIN);
    // In one piece, and once: half a record is passed over by who reads it.
    const ssize_t written = ::write(fd.get(), bytes.data(), bytes.size());
    if (written != static_cast<ssize_t>(bytes.size()))
        return detail::explain("can't write to " + where(root), written < 0 ? errno : ENOSPC);
    return {};
}

Result<History> read_history(const Root& root, const TakeRun& take)
{
    History history;
    BGT_TRY_ASSIGN(Files files, Files::open(root, Files::For::reading));
    if (!files) return history;
    BGT_TRY_ASSIGN(const auto segments, files.open_segments());
    BGT_TRY_ASSIGN(const detail::RunScan scan,
                   files.read(segments, [&](const core::PastRun& run, std::string_view) {
                       ++history.records;
                       take(run);
                   }));
    history.damaged_places = scan.damaged_places;
    history.damaged_bytes = scan.damaged_bytes;
    history.from_newer = scan.from_newer;
    history.trimmed = files.totals().runs;
    history.damaged_before = files.totals().damaged_places;
    history.problem = files.problem();
    return history;
}

Result<HistoryTrimmed> trim_history(const Root& root, const HistoryKeep& keep, bool dry_run)
{
    using For = Files::For;
    HistoryTrimmed done;
    BGT_TRY_ASSIGN(Files files, Files::open(root, dry_run ? For::reading : For::changing));
    if (!files) return done;
    if (!dry_run) BGT_TRY(files.close_current());
    BGT_TRY_ASSIGN(auto segments, files.open_segments());
    if (!dry_run) {
        // A file that has come meanwhile is not looked at.
        std::erase_if(segments, [](const Segment& segment) { return segment.number == 0; });
        for (const Segment& segment : segments)
            if (const int err = detail::lock_waiting(segment.fd.get(), lock_timeout);
                err == detail::lock_timed_out)
                return detail::explain("can't lock " + where(root), err);
    }
    std::uint64_t all = 0, bytes = 0;
    BGT_TRY_ASSIGN(const detail::RunScan scan,
                   files.read(
                       segments, [&](const core::PastRun&, std::string_view) { ++all; },
                       [&](std::uint64_t size) { bytes += size; }));
    if (scan.from_newer > 0) return HistoryTrimmed{0, all, 0}; // for the bgt that can read them
    if (all <= keep.most && !keep.since && segments.size() <= most_files)
        return HistoryTrimmed{0, all, 0};
    detail::Totals totals = files.totals();
    std::string kept;
    std::uint64_t at = 0;
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
    kept.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(bytes, largest_file)));
    BGT_TRY(files.read(segments, sort_out));
    if (done.removed == 0 && segments.size() <= most_files) return done;
    done.damaged_places = scan.damaged_places;
    totals.damaged_places += scan.damaged_places;
    if (!dry_run) BGT_TRY(files.replace(kept, std::move(totals)));
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
