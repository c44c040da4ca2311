#pragma once
/// The journal of waiting tasks, queue/journal in the state root: records one after the other, each
/// with its size and a checksum (CRC-32C), appended under the lock of queue/lock. The head of the
/// file says how much of it counts, so that what a killed writer left is written over. It is there
/// only while something waits or runs from a queue. A crash of the machine may cut off its end,
/// which is passed over; damage is an error of whoever reads or writes (damaged_file).
#include <bgt/base/fd.hpp>
#include <bgt/base/process_key.hpp>
#include <bgt/store/queue_records.hpp>
#include <bgt/store/root.hpp>
#include <cerrno>
#include <functional>
#include <sys/types.h>

namespace bgt::store {

/// The errno for a file of the queues that does not hold what was written. No system call on files
/// gives it.
inline constexpr int damaged_file = ENOTNAM;
/// The errno for a journal that was written for another folder.
inline constexpr int copied_journal = EXDEV;
/// That error, of the journal at this path.
Error copied_error(const std::string& journal);

/// Where a record stands in the file.
struct RecordPlace {
    std::uint64_t offset = 0;
    std::uint32_t size = 0;
};

class QueueFile {
public:
    /// Opens the folder queue/, and the journal where there is one. `create`: makes the folder
    /// where it is missing. `boot` is that of now: only before it the machine can have crashed, and
    /// cut off the end of the journal. Empty: that is not known. Error (damaged_file,
    /// copied_journal): nothing of it can be used.
    static Result<QueueFile> open(const Root&, bool create, const BootId& boot = {});
    /// The same without the journal, whatever that is: for replace().
    static Result<QueueFile> open_folder(const Root&, bool create, const BootId& boot = {});
    /// Whether the root has a journal: one system call.
    static bool is_there(const Root&);

    /// queue/: what else belongs to the queues is there, too. Empty where it is missing.
    int folder() const { return folder_.get(); }
    std::string folder_path() const { return path_.substr(0, path_.rfind('/')); }

    /// One writer at a time, and no reader sees half a change. Lasts until the value is destroyed.
    /// Error: the time is over.
    Result<Fd> lock(Duration timeout = std::chrono::seconds(5)) const;

    /// Opens the journal that is there now, where another has taken the place of the one that was
    /// read. True: it has, or there is none any more; whoever built on what was read begins anew.
    Result<bool> reopen();

    using Take = std::function<Result<void>(std::string_view, RecordPlace)>;
    /// Hands over the bytes of each record that was not read yet. Error: the first one of `take`,
    /// after which reading stops; (damaged_file) there are more records, and they can't be read.
    Result<void> read_new(const Take& take);
    /// Reads what this object has not read or written itself, so that what is appended can be read.
    /// Error: that of read_new().
    Result<void> check();
    /// Reads one again.
    Result<QueueRecord> read(RecordPlace) const;

    enum class Durability : std::uint8_t {
        process, ///< outlives every bgt process
        machine, ///< and a crash of the machine (man 2 fdatasync)
    };
    /// Appends under the lock, after check(); makes the journal where there is none. Error: nothing
    /// of them counts.
    Result<void> append(const std::vector<QueueRecord>&, Durability);
    /// Puts a new journal with these records in its place (under the lock), and reads on behind
    /// them.
    Result<void> replace(const std::vector<QueueRecord>&);
    /// Removes the journal (under the lock).
    Result<void> remove();
    /// Bytes of the journal that count.
    std::uint64_t size() const { return end_; }

private:
    Error damaged(const std::string& what) const;
    Result<void> judge_end(std::uint64_t at, std::string_view rest);
    /// From `at` on, which moves behind what was taken.
    Result<void> read_from(std::uint64_t& at, const Take&);
    Result<void> read_head();
    Result<void> write_head(std::uint64_t end);
    Result<void> open_writer();
    Result<void> create_file(const char* name);

    Fd folder_;
    Fd file_;   ///< for reading: closing a file that could be written wakes who watches it (man 7
                ///< inotify)
    Fd writer_; ///< of the same file, once something was appended
    std::uint64_t end_ = 0;     ///< what counts
    std::uint64_t at_ = 0;      ///< what was read
    std::uint64_t checked_ = 0; ///< up to here it is whole
    BootId boot_{};
    bool is_of_this_boot_ = false; ///< when it was written last
    std::string path_;             ///< for messages
};

} // namespace bgt::store
