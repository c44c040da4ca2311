#pragma once
/// Reading the log of a task while it is being written, and while its head may be given back.
#include <bgt/base/fd.hpp>
#include <bgt/store/log_index.hpp>
#include <bgt/store/task_dir.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace bgt::store {

enum class WhichLog : std::uint8_t { out, err };

class LogFile {
public:
    /// Opens out.log or err.log. A task that has no out.log yet reads as one without output. Error:
    /// a task without err.log (usage: it was not started with --split), no access.
    static Result<LogFile> open(const TaskDir&, WhichLog);

    /// False: there is no file yet.
    bool exists() const { return static_cast<bool>(fd_); }
    int fd() const { return fd_.get(); }
    /// Bytes written so far, those freed since included.
    std::uint64_t size() const;
    /// The first byte that is still there: the log begins with a hole up to here (man 2 lseek,
    /// SEEK_DATA). The file system is asked, not the record, which is written a moment after the
    /// hole is made. `recorded` counts where the file system knows no holes.
    std::uint64_t freed(std::uint64_t recorded) const;

    struct Block {
        std::uint64_t offset = 0; ///< later than asked for when bytes were freed meanwhile
        std::string_view bytes;   ///< empty: nothing there (yet). Valid until the next call.
    };
    /// Up to 256 KiB from `offset` on, never beyond `end`. A freed head is passed over, never given
    /// as zeros.
    Result<Block> read(std::uint64_t offset, std::uint64_t end);

    /// Where the first line begins at `offset` or after it, at most `end`.
    Result<std::uint64_t> line_start(std::uint64_t offset, std::uint64_t end);
    /// Where the last `lines` lines of [begin, end) begin; an unfinished line counts. Reads
    /// backwards.
    Result<std::uint64_t> last_lines(std::uint64_t lines, std::uint64_t begin, std::uint64_t end);

private:
    Result<std::string_view> read_once(std::uint64_t offset, std::uint64_t end);

    Fd fd_;
    mutable std::uint64_t known_size_ = 0;
    std::unique_ptr<char[]> buffer_;
};

/// Walks the entries of an index along with the bytes of the log: forwards only, many entries a
/// read.
class IndexCursor {
public:
    IndexCursor(LogIndex index, std::uint64_t offset);
    /// When the byte at `offset` came; offsets only grow from call to call.
    std::optional<WallTime> time_of(std::uint64_t offset);
    /// Takes a newer look at the same index (it has grown).
    void refresh(LogIndex index)
    {
        index_ = std::move(index);
        block_.clear();
        same_until_ = 0;
    }
    /// Bytes that were dropped just before those from the offset given at the start up to `end`;
    /// with `is_last` also those dropped after all others. So a reader that goes on from cursor to
    /// cursor is told of each gap once.
    std::uint64_t dropped_before(std::uint64_t end, bool is_last);

private:
    std::optional<IndexEntry> bytes_entry_near(std::size_t from, std::size_t bound) const;
    IndexEntry next_entry();

    LogIndex index_;
    std::vector<IndexEntry> block_; ///< entries from `block_at_` on
    std::size_t block_at_ = 0;
    std::uint64_t same_until_ =
        0;                 ///< the bytes before this place came at `current_`, as far as walked
    std::size_t next_ = 0; ///< the first entry not yet walked over
    std::optional<WallTime> current_; ///< of the bytes before that entry
    std::uint64_t begin_ = 0;         ///< gaps before this place are not counted
    std::uint64_t dropped_ = 0;       ///< in the gaps walked over
    std::uint64_t gap_ = 0;           ///< in the gap before `next_`
};

} // namespace bgt::store
