#pragma once
/// The journal of waiting tasks, queue/journal in the state root: records one after the other, each
/// with its size and a checksum (CRC-32C), appended under the lock of queue/lock. The head of the
/// file says how much of it counts, so that what a killed writer left is written over. It is there
/// only while something waits or runs from a queue.
#include <bgt/base/fd.hpp>
#include <bgt/base/process_key.hpp>
#include <bgt/store/queue_records.hpp>
#include <bgt/store/root.hpp>
#include <functional>
#include <sys/types.h>

namespace bgt::store {

/// Where a record stands in the file.
struct RecordPlace {
    std::uint64_t offset = 0;
    std::uint32_t size = 0;
};

class QueueFile {
public:
    /// Opens the folder queue/, and the journal where there is one. `create`: makes the folder
    /// where it is missing. `boot` is that of now: a journal that was written before the machine
    /// crashed is read whole before anything is appended.
    static Result<QueueFile> open(const Root&, bool create, const BootId& boot = {});
    /// Whether the root has a journal: one system call.
    static bool is_there(const Root&);

    /// queue/: what else belongs to the queues is there, too. Empty where it is missing.
    int folder() const { return folder_.get(); }

    /// One writer at a time, and no reader sees half a change. Lasts until the value is destroyed.
    /// Error: the time is over.
    Result<Fd> lock(Duration timeout = std::chrono::seconds(5)) const;

    /// Opens the journal that is there now, where another has taken the place of the one that was
    /// read. True: it has, or there is none any more; whoever built on what was read begins anew.
    Result<bool> reopen();

    /// Hands over the bytes of each record that was not read yet. Error: the first one of `take`,
    /// after which reading stops.
    Result<void> read_new(const std::function<Result<void>(std::string_view, RecordPlace)>& take);
    /// Reads one again.
    Result<QueueRecord> read(RecordPlace) const;

    enum class Durability : std::uint8_t {
        process, ///< outlives every bgt process
        machine, ///< and a crash of the machine (man 2 fdatasync)
    };
    /// Appends under the lock; makes the journal where there is none. Error: nothing of them
    /// counts.
    Result<void> append(const std::vector<QueueRecord>&, Durability);
    /// Puts a new journal with these records in its place (under the lock), and reads on behind
    /// them.
    Result<void> replace(const std::vector<QueueRecord>&);
    /// Removes the journal (under the lock).
    Result<void> remove();
    /// Bytes of the journal that count.
    std::uint64_t size() const { return end_; }

private:
    /// Finds the end of the last whole record.
    Result<void> check();
    Result<void> read_head();
    Result<void> write_head(std::uint64_t end);
    Result<void> open_writer();
    Result<void> create_file(const char* name);

    Fd folder_;
    Fd file_;   ///< for reading: closing a file that could be written wakes who watches it (man 7
                ///< inotify)
    Fd writer_; ///< of the same file, once something was appended
    std::uint64_t end_ = 0; ///< what counts
    std::uint64_t at_ = 0;  ///< what was read
    BootId boot_{};
    bool is_checked_ = false; ///< all that counts is whole
    std::string path_;        ///< for messages
};

} // namespace bgt::store
