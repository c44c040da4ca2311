#include <bgt/store/log_writer.hpp>

#include <bgt/base/descriptor.hpp>
#include <bgt/store/open_file.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <linux/falloc.h>
#include <span>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::store {
namespace {

/// Writers that write every few microseconds get one entry a millisecond: enough for people, and
/// small.
constexpr auto index_resolution = std::chrono::milliseconds(1);
/// Beyond the bound of the index, one entry (16 bytes) for so many bytes of the log or so much
/// time.
constexpr std::uint64_t coarse_bytes = 4096;
constexpr auto coarse_resolution = std::chrono::seconds(1);
constexpr std::uint64_t min_index_bound = 1u << 20, index_bound_without_max = 64u << 20;
constexpr std::uint64_t block = 4096;
constexpr ssize_t index_entry_size = 16;

/// The size of the index from which on its entries are coarser.
std::uint64_t index_bound(std::uint64_t log_max)
{
    return log_max == 0 ? index_bound_without_max : std::max(log_max / 16, min_index_bound);
}

ssize_t read_some(int fd, std::span<char> into)
{
    return retry_on_eintr([&] { return read(fd, into.data(), into.size()); });
}

} // namespace

Result<LogWriter> LogWriter::open(const TaskDir& task, const char* log, const char* index,
                                  std::uint64_t log_max, std::uint64_t freed)
{
    LogWriter writer;
    BGT_TRY_ASSIGN(writer.log_, task.open(log, O_RDWR | O_CREAT));
    struct stat info {};
    if (fstat(writer.log_.get(), &info) != 0) return Error::system(task.path(), errno);
    writer.offset_ = static_cast<std::uint64_t>(info.st_size);
    writer.folder_ = task.fd();
    writer.index_name_ = index;
    writer.max_ = log_max;
    writer.freed_ = freed;
    return writer;
}

std::string LogWriter::tail(std::size_t max) const
{
    std::string bytes(std::min<std::uint64_t>(max, offset_ - std::min(offset_, freed_)), '\0');
    const ssize_t count =
        pread(log_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset_ - bytes.size()));
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
}

std::vector<int> LogWriter::descriptors() const
{
    std::vector<int> all{log_.get(), folder_};
    if (index_) all.push_back(index_.get());
    return all;
}

void LogWriter::go_on_at_end()
{
    struct stat info {};
    if (fstat(log_.get(), &info) == 0) offset_ = static_cast<std::uint64_t>(info.st_size);
    if (index_ && fstat(index_.get(), &info) == 0)
        index_at_ = info.st_size / index_entry_size * index_entry_size;
}

std::uint64_t LogWriter::take(int pipe, std::size_t max, WallTime now, Moved& moved)
{
    if (can_splice_) {
        loff_t at = static_cast<loff_t>(offset_);
        const ssize_t count = retry_on_eintr(
            [&] { return splice(pipe, nullptr, log_.get(), &at, max, SPLICE_F_NONBLOCK); });
        if (count > 0) {
            note(now, offset_, false);
            offset_ += static_cast<std::uint64_t>(count);
            moved.bytes += static_cast<std::uint64_t>(count);
            return static_cast<std::uint64_t>(count);
        }
        if (count == 0 || errno == EAGAIN) return 0;
        // A file system without splice (some of FUSE and 9p), or a sandbox: it is not tried again.
        // Whatever else is said (full, stale), only a write tells how much of the bytes the log can
        // take.
        can_splice_ = errno != EINVAL && errno != ENOSYS && errno != EPERM;
    }
    return copy_chunk(pipe, now, moved);
}

/// Where nothing can be spliced. The bytes are in a buffer for a moment: a supervisor killed just
/// then loses them. What the log does not take is dropped: the task must not wait for it.
std::uint64_t LogWriter::copy_chunk(int pipe, WallTime now, Moved& moved)
{
    std::array<char, 64 * 1024> buffer;
    const ssize_t got = read_some(pipe, buffer);
    if (got <= 0) return 0;
    ssize_t done = 0;
    while (done < got) {
        const ssize_t put = retry_on_eintr([&] {
            return pwrite(log_.get(), buffer.data() + done, static_cast<std::size_t>(got - done),
                          static_cast<off_t>(offset_) + done);
        });
        if (put <= 0) break;
        done += put;
    }
    if (done > 0) note(now, offset_, false);
    offset_ += static_cast<std::uint64_t>(done);
    moved.bytes += static_cast<std::uint64_t>(done);
    if (done < got) count_drop(now, static_cast<std::uint64_t>(got - done), moved);
    return static_cast<std::uint64_t>(got);
}

void LogWriter::count_drop(WallTime now, std::uint64_t dropped, Moved& moved)
{
    moved.dropped += dropped;
    undated_drop_ += dropped;
    note(now, offset_, true);
}

/// Whether an entry is worth its space. The clock may have been set back: what comes then is later
/// all the same.
bool LogWriter::is_due(WallTime now, std::uint64_t value, bool dropped) const
{
    if (now < last_note_) return true;
    if (!dropped && (after_drop_ || undated_drop_ > 0)) return true;
    const Duration since = now - last_note_;
    if (static_cast<std::uint64_t>(index_at_) <= index_bound(max_))
        return dropped || since >= index_resolution;
    return since >= coarse_resolution || value - last_value_ + undated_drop_ >= coarse_bytes;
}

void LogWriter::note(WallTime now, std::uint64_t value, bool dropped)
{
    if (!is_due(now, value, dropped)) return;
    if (!index_) {
        index_ = open_file(folder_, index_name_, O_WRONLY | O_CREAT);
        if (!index_) return;
        struct stat info {};
        if (fstat(index_.get(), &info) == 0)
            index_at_ = info.st_size / index_entry_size * index_entry_size;
    }
    using Type = IndexEntry::Type;
    if (undated_drop_ > 0) {
        if (!append_entry({now, Type::dropped, undated_drop_})) return;
        undated_drop_ = 0;
        after_drop_ = true;
    }
    if (!dropped) {
        if (!append_entry({now, Type::bytes, value})) return;
        after_drop_ = false;
    }
    last_note_ = now;
    last_value_ = value;
}

/// A full disk tears entries; the next one goes to the same place.
bool LogWriter::append_entry(const IndexEntry& entry)
{
    const auto bytes = encode_index_entry(entry);
    if (pwrite(index_.get(), bytes.data(), bytes.size(), index_at_) != index_entry_size)
        return false;
    index_at_ += index_entry_size;
    return true;
}

/// In steps, for each costs a system call.
void LogWriter::free_head(Moved& moved)
{
    if (max_ == 0 || !can_free_) return;
    const std::uint64_t slack = std::clamp<std::uint64_t>(max_ / 16, block, 16u << 20);
    if (offset_ - freed_ <= max_ + slack) return;
    const std::uint64_t upto = (offset_ - max_) / block * block;
    if (upto <= freed_) return;
    if (fallocate(log_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                  static_cast<off_t>(upto)) != 0) {
        can_free_ = errno != EOPNOTSUPP && errno != ENOSYS &&
                    errno != EPERM; // others may pass: a full disk, a server that is away
        moved.cannot_free = can_free_ ? 0 : errno;
        return;
    }
    freed_ = upto;
    moved.freed = true;
}

} // namespace bgt::store
