#include <bgt/store/log_file.hpp>

#include <bgt/base/descriptor.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <limits>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::store {
namespace {

constexpr std::size_t block_size = 256 * 1024;
constexpr std::uint64_t back_step = 64 * 1024;
constexpr std::size_t entries_a_read = 1024;

/// Where data begins at or after `offset` (man 2 lseek, SEEK_DATA); nullopt: the file system can't
/// tell.
std::optional<std::uint64_t> data_from(int fd, std::uint64_t offset, std::uint64_t size)
{
    const off_t data = lseek(fd, static_cast<off_t>(offset), SEEK_DATA);
    if (data >= 0) return static_cast<std::uint64_t>(data);
    if (errno == ENXIO) return size; // nothing but a hole follows
    return std::nullopt;
}

} // namespace

Result<LogFile> LogFile::open(const TaskDir& task, WhichLog stream)
{
    LogFile log;
    const char* const name = stream == WhichLog::out ? file::out_log : file::err_log;
    Result<Fd> fd = task.open(name, O_RDONLY);
    if (fd) {
        log.fd_ = std::move(*fd);
        (void)log.size();
    } else if (fd.error().sys_errno != ENOENT) {
        return fd.error();
    } else if (stream == WhichLog::err) {
        return Error::usage("task " + to_string(task.id()) +
                            " has no separate stderr: it was not started with --split, read its "
                            "log without --stderr");
    }
    return log;
}

std::uint64_t LogFile::size() const
{
    struct stat info {};
    // It never shrinks. A disk that does not answer just now has made it no shorter: reading it
    // will tell.
    if (fd_ && fstat(fd_.get(), &info) == 0) known_size_ = static_cast<std::uint64_t>(info.st_size);
    return known_size_;
}

std::uint64_t LogFile::freed(std::uint64_t recorded) const
{
    if (!fd_) return 0;
    return std::max(recorded, data_from(fd_.get(), 0, size()).value_or(recorded));
}

Result<std::string_view> LogFile::read_once(std::uint64_t offset, std::uint64_t end)
{
    if (!fd_ || offset >= end) return std::string_view{};
    if (!buffer_) buffer_ = std::make_unique_for_overwrite<char[]>(block_size);
    const std::size_t want =
        static_cast<std::size_t>(std::min<std::uint64_t>(end - offset, block_size));
    const ssize_t got = retry_on_eintr(
        [&] { return pread(fd_.get(), buffer_.get(), want, static_cast<off_t>(offset)); });
    if (got < 0) return Error::system("reading the log", errno);
    return std::string_view(buffer_.get(), static_cast<std::size_t>(got));
}

Result<LogFile::Block> LogFile::read(std::uint64_t offset, std::uint64_t end)
{
    while (true) {
        Result<std::string_view> bytes = read_once(offset, end);
        if (!bytes) return bytes.error();
        // Zeros may be a hole that was made just now, or one of a TiB in a log that somebody else
        // made; the bytes read after it are whole.
        const bool zeros =
            !bytes->empty() && std::memchr(bytes->data(), 0, bytes->size()) != nullptr;
        const std::uint64_t first =
            zeros ? std::min(data_from(fd_.get(), offset, size()).value_or(0), end) : 0;
        if (first <= offset) return Block{offset, *bytes};
        if (first < offset + bytes->size()) return Block{first, bytes->substr(first - offset)};
        offset = first;
    }
}

Result<std::uint64_t> LogFile::line_start(std::uint64_t offset, std::uint64_t end)
{
    if (offset == 0 || offset >= end) return std::min(offset, end);
    std::uint64_t at =
        offset - 1; // a line begins after a newline, which may be the byte just before
    while (at < end) {
        Result<Block> block = read(at, end);
        if (!block) return block.error();
        if (block->bytes.empty()) return end;
        const std::size_t newline = block->bytes.find('\n');
        if (newline != std::string_view::npos) return block->offset + newline + 1;
        at = block->offset + block->bytes.size();
    }
    return end;
}

Result<std::uint64_t> LogFile::last_lines(std::uint64_t lines, std::uint64_t begin,
                                          std::uint64_t end)
{
    if (lines == 0 || begin >= end) return end;
    std::uint64_t found = 0;
    std::uint64_t upper = end - 1; // the newline that ends the last line is no start of another
    while (upper > begin) {
        const std::uint64_t lower = upper - std::min(back_step, upper - begin);
        Result<std::string_view> bytes = read_once(lower, upper);
        if (!bytes) return bytes.error();
        std::string_view rest = *bytes;
        for (std::size_t at = rest.rfind('\n'); at != std::string_view::npos;
             at = rest.rfind('\n')) {
            if (++found == lines) return lower + at + 1;
            rest = rest.substr(0, at);
        }
        // bgt makes no hole behind the freed head: what is before one in a log that somebody else
        // made is not read.
        if (bytes->find_first_not_of('\0') == std::string_view::npos &&
            data_from(fd_.get(), lower, size()).value_or(0) >= upper)
            return upper;
        upper = lower;
    }
    return begin;
}

/// The first entry of type bytes in [from, bound).
std::optional<IndexEntry> IndexCursor::bytes_entry_near(std::size_t from, std::size_t bound) const
{
    for (std::size_t i = from; i < bound; ++i) {
        const IndexEntry entry = index_.at(i);
        if (entry.type == IndexEntry::Type::bytes) return entry;
    }
    return std::nullopt;
}

IndexCursor::IndexCursor(LogIndex index, std::uint64_t offset)
    : index_(std::move(index)), begin_(offset)
{
    std::size_t low = 0, high = index_.size(); // entries before `low` begin before the offset
    while (low < high) {
        const std::size_t middle = low + (high - low) / 2;
        const std::optional<IndexEntry> entry = bytes_entry_near(middle, high);
        if (entry && entry->value < offset) low = middle + 1;
        else high = middle;
    }
    next_ = low > 0 ? low - 1 : 0; // walked over by the first time_of, which so learns the time
}

IndexEntry IndexCursor::next_entry()
{
    if (next_ < block_at_ || next_ >= block_at_ + block_.size()) {
        block_ = index_.read(next_, entries_a_read);
        block_at_ = next_;
    }
    return block_.empty() ? IndexEntry{} : block_[next_ - block_at_];
}

std::optional<WallTime> IndexCursor::time_of(std::uint64_t offset)
{
    if (offset < same_until_) return current_;
    same_until_ = std::numeric_limits<std::uint64_t>::max();
    for (; next_ < index_.size(); ++next_) {
        const IndexEntry entry = next_entry();
        if (entry.type == IndexEntry::Type::dropped) {
            gap_ += entry.value;
            continue;
        }
        if (entry.value > offset) {
            same_until_ = entry.value;
            break;
        }
        if (entry.value >= begin_) dropped_ += gap_;
        gap_ = 0;
        current_ = entry.at;
    }
    return current_;
}

std::uint64_t IndexCursor::dropped_before(std::uint64_t end, bool is_last)
{
    if (end > begin_ || is_last) time_of(end - (end > 0 ? 1 : 0));
    return dropped_ + (is_last ? gap_ : 0);
}

} // namespace bgt::store
