#include "history_files.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::store::detail {
namespace {

constexpr const char* totals_file = "totals";
/// Totals that could not be read when records were dropped.
constexpr const char* damaged_totals = "totals.damaged";
constexpr std::size_t max_totals_size = 16u << 20;

/// What there is of a file. A hole has no bytes, however large it makes the file.
struct Content {
    struct Piece {
        off_t from = 0, to = 0;
    };
    std::vector<Piece> pieces;
    std::uint64_t bytes = 0, hole_bytes = 0;
};

Result<Content> content_of(int fd)
{
    Content content;
    struct stat info {};
    if (::fstat(fd, &info) != 0) return Error::system({}, errno);
    off_t at = 0;
    while (at < info.st_size && content.bytes <= max_history_file) {
        const off_t from = ::lseek(fd, at, SEEK_DATA);
        if (from < 0 && errno == ENXIO) { // nothing more
            content.hole_bytes += static_cast<std::uint64_t>(info.st_size - at);
            return content;
        }
        const off_t to = from < 0 ? -1 : std::min(::lseek(fd, from, SEEK_HOLE), info.st_size);
        if (to <= from) break; // a file system that does not tell
        content.pieces.push_back({from, to});
        content.bytes += static_cast<std::uint64_t>(to - from);
        content.hole_bytes += static_cast<std::uint64_t>(from - at);
        at = to;
    }
    if (at < info.st_size) {
        content.pieces.push_back({at, info.st_size});
        content.bytes += static_cast<std::uint64_t>(info.st_size - at);
    }
    return content;
}

/// The last `most` bytes of it.
Result<std::string> read_content(int fd, const Content& content, std::size_t most)
{
    std::string bytes;
    std::uint64_t skip = content.bytes - std::min<std::uint64_t>(content.bytes, most);
    bytes.reserve(static_cast<std::size_t>(content.bytes - skip));
    for (Content::Piece piece : content.pieces) {
        const auto size = static_cast<std::uint64_t>(piece.to - piece.from);
        const std::uint64_t left_out = std::min(size, skip);
        skip -= left_out;
        const std::size_t had = bytes.size();
        bytes.resize(had + static_cast<std::size_t>(size - left_out));
        const auto got = read_at(fd, std::as_writable_bytes(std::span(bytes)).subspan(had),
                                 static_cast<std::uint64_t>(piece.from) + left_out);
        if (got < 0) return Error::system({}, errno);
        bytes.resize(had + static_cast<std::size_t>(got));
    }
    return bytes;
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

} // namespace

std::string history_path(const Root& root)
{
    return root.path() + "/" + history_folder;
}

Result<Files> Files::open(const Root& root, For what)
{
    Files files;
    files.path_ = history_path(root);
    files.what_ = what;
    if (!root.exists()) return files;
    Fd folder = open_below(root.fd(), history_folder, O_RDONLY | O_DIRECTORY);
    if (!folder && errno == ENOENT) return files;
    if (!folder) return files.problem_with("can't open ", errno);
    const bool changes = what == For::changing;
    files.lock_ = open_lock_file(folder.get(), history_lock, changes ? O_RDWR | O_CREAT : O_RDONLY);
    if (!files.lock_ && (changes || errno != ENOENT))
        return files.problem_with("can't lock ", errno);
    if (files.lock_)
        if (const int err = lock_waiting(files.lock_.get(), history_timeout, !changes))
            return files.problem_with("can't lock ", err);
    files.folder_ = std::move(folder);
    BGT_TRY(files.read_totals());
    files.look_for_damaged_totals();
    if (changes) files.remove_dropped();
    return files;
}

Result<void> Files::read_totals()
{
    const auto bytes = read_file(folder_.get(), totals_file, max_totals_size,
                                 "can't read " + path_ + "/" + totals_file);
    if (!bytes && bytes.error().sys_errno == ENOENT) return {};
    if (!bytes) return bytes.error();
    const std::string path = path_ + "/" + totals_file;
    decoded_ = decode_totals(*bytes, totals_);
    if (decoded_ == TotalsDecoded::damaged)
        problem_ = path + " is damaged: what was counted of older tasks is not known (remove it to "
                          "begin anew)";
    else if (has_newer_totals())
        problem_ = path + " was written by a newer bgt: what it counts of older tasks is not "
                          "shown, and no records are dropped";
    return {};
}

/// What was put aside once is said as long as it is there.
void Files::look_for_damaged_totals()
{
    struct stat info {};
    if (!problem_.empty() ||
        ::fstatat(folder_.get(), damaged_totals, &info, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    problem_ = path_ + "/" + totals_file + " was damaged: what was counted of older tasks until " +
               "then is not known, and is not in the totals (remove " + path_ + "/" +
               damaged_totals + " when you know it)";
}

Result<void> Files::put_damaged_totals_aside()
{
    if (decoded_ != TotalsDecoded::damaged) return {};
    if (::renameat(folder_.get(), totals_file, folder_.get(), damaged_totals) != 0)
        return problem_with("can't keep the damaged totals of ", errno);
    return {};
}

std::vector<std::int64_t> Files::numbers() const
{
    std::vector<std::int64_t> all;
    Listing listing(open_below(folder_.get(), ".", O_RDONLY | O_DIRECTORY));
    if (!listing) return all;
    while (const char* entry = listing.next())
        if (const TaskId number = id_of_entry(entry); number.value > 0) all.push_back(number.value);
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

Result<std::uint64_t> Files::size_of(const std::vector<Segment>& segments) const
{
    std::uint64_t all = 0;
    for (const Segment& segment : segments) {
        const auto content = content_of(segment.fd.get());
        if (!content) return problem_with("can't read ", content.error().sys_errno);
        if (content->bytes > max_history_file)
            return Error::system(name_of(segment) + ", a file of the history, is larger than 1 GiB",
                                 EFBIG);
        all += content->bytes;
    }
    return all;
}

Result<RunScan> Files::read(const std::vector<Segment>& segments, std::uint64_t most,
                            const Take& take) const
{
    RunScan all;
    std::vector<Content> contents;
    for (const Segment& segment : segments) {
        auto content = content_of(segment.fd.get());
        if (!content) return problem_with("can't read ", content.error().sys_errno);
        contents.push_back(*std::move(content));
    }
    std::vector<std::uint64_t> read_of(contents.size());
    for (std::size_t at = contents.size(); at-- > 0; most -= read_of[at]) // the newest are the last
        read_of[at] = std::min(contents[at].bytes, most);
    Seen seen;
    for (std::size_t at = 0; at < contents.size(); ++at) {
        const auto bytes = read_content(segments[at].fd.get(), contents[at],
                                        static_cast<std::size_t>(read_of[at]));
        if (!bytes) return problem_with("can't read ", bytes.error().sys_errno);
        const RunScan scan =
            scan_runs(*bytes, [&](const core::PastRun& run, std::string_view frame) {
                if (seen.add(run.id, run.attempts)) take(run, frame);
            });
        const bool has_hole = contents[at].hole_bytes > 0;
        all.damaged_places += scan.damaged_places + (has_hole ? 1 : 0);
        all.damaged_bytes += scan.damaged_bytes + contents[at].hole_bytes;
        all.from_newer += scan.from_newer;
        all.unread_bytes += contents[at].bytes - read_of[at];
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

Result<void> Files::replace(std::string_view records, Totals totals)
{
    const auto all = numbers();
    totals.dropped_files = all.empty() ? totals_.dropped_files : all.back();
    if (!records.empty())
        if (const int err = replace_file(folder_.get(), "new",
                                         std::to_string(totals.dropped_files + 1).c_str(), records))
            return problem_with("can't write to ", err);
    if (const int err = replace_file(folder_.get(), "new", totals_file, encode_totals(totals)))
        return problem_with("can't write to ", err);
    totals_ = std::move(totals);
    remove_dropped();
    return {};
}

} // namespace bgt::store::detail
