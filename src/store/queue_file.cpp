#include <bgt/store/queue_file.hpp>

#include "files.hpp"
#include "queue_format.hpp"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace bgt::store {
namespace {

constexpr const char* folder_name = "queue";
constexpr const char* journal_name = "journal";
constexpr const char* next_journal = "journal.new";
constexpr const char* lock_name = "lock";

using detail::journal_frame_size;
using detail::journal_head_size;

/// Read at a time; a larger record is read whole.
constexpr std::size_t block_size = 1u << 20;
constexpr int head_tries = 5;
constexpr auto head_pause = std::chrono::milliseconds(1);

std::string frames_of(const std::vector<QueueRecord>& records)
{
    std::string out;
    for (const QueueRecord& record : records) out += detail::frame(encode_record(record));
    return out;
}

} // namespace

Error copied_error(const std::string& journal)
{
    return {ErrorKind::failed,
            journal +
                " was written for another folder, of which this is a copy: nothing of it is "
                "started; remove " +
                journal + " to use queues here",
            copied_journal};
}

Result<QueueFile> QueueFile::open_folder(const Root& root, bool create, const BootId& boot)
{
    QueueFile queue;
    queue.boot_ = boot;
    queue.path_ = root.path() + "/" + folder_name + "/" + journal_name;
    if (!root.exists()) return queue;
    queue.folder_ = detail::open_below(root.fd(), folder_name, O_RDONLY | O_DIRECTORY);
    if (!queue.folder_ && errno == ENOENT && create &&
        (::mkdirat(root.fd(), folder_name, 0700) == 0 || errno == EEXIST)) {
        // Who waits for a task watches these.
        for (const char* watched : {"tasks", "active"})
            static_cast<void>(::mkdirat(root.fd(), watched, 0700));
        queue.folder_ = detail::open_below(root.fd(), folder_name, O_RDONLY | O_DIRECTORY);
    }
    if (!queue.folder_) {
        if (errno == ENOENT && !create) return queue;
        return detail::explain("can't open " + root.path() + "/" + folder_name, errno);
    }
    return queue;
}

Result<QueueFile> QueueFile::open(const Root& root, bool create, const BootId& boot)
{
    BGT_TRY_ASSIGN(QueueFile queue, open_folder(root, create, boot));
    if (auto opened = queue.reopen(); !opened) return opened.error();
    return queue;
}

bool QueueFile::is_there(const Root& root)
{
    return root.exists() && ::faccessat(root.fd(), "queue/journal", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

Result<Fd> QueueFile::lock(Duration timeout) const
{
    Fd fd = open_file(folder_.get(), lock_name, O_RDWR | O_CREAT);
    if (!fd) return detail::explain("can't open the lock of the queues, beside " + path_, errno);
    if (const int err = detail::lock_waiting(fd.get(), timeout))
        return detail::explain("can't lock " + path_, err);
    return fd;
}

Error QueueFile::damaged(const std::string& what) const
{
    return {ErrorKind::failed,
            path_ + " is damaged: " + what +
                "; bgt queue repair keeps what can be read of it, and until then nothing can be "
                "submitted or changed",
            damaged_file};
}

Result<void> QueueFile::read_head()
{
    detail::JournalHead head;
    struct stat info {};
    // Who reads without the lock may see half of what is just being written.
    for (int tries = 0; tries < head_tries && !head.is_whole; ++tries) {
        if (tries > 0) std::this_thread::sleep_for(head_pause);
        std::array<char, journal_head_size> bytes{};
        const auto got = detail::read_at(file_.get(), std::as_writable_bytes(std::span(bytes)), 0);
        if (got < 0 || ::fstat(file_.get(), &info) != 0)
            return detail::explain("can't read " + path_, errno);
        head = detail::decode_head(bytes);
        if (got < static_cast<std::ptrdiff_t>(journal_head_size) || !head.is_journal)
            return damaged("it does not begin as a journal does");
    }
    if (!head.is_whole)
        return damaged(
            fmt::format("its head, bytes 0 to {}, is not what was written", journal_head_size - 1));
    if (!head.is_known) return Error::failed(path_ + " was written by a newer bgt: use that one");
    if (head.folder != detail::identity_of(folder_.get())) return copied_error(path_);
    is_of_this_boot_ = boot_ != BootId{} && head.boot == boot_;
    const auto size = static_cast<std::uint64_t>(info.st_size);
    if (is_of_this_boot_ && (head.end > size || head.end < journal_head_size))
        return damaged(fmt::format("of {} bytes there are {}", head.end, size));
    end_ = std::clamp<std::uint64_t>(head.end, journal_head_size,
                                     std::max<std::uint64_t>(journal_head_size, size));
    return {};
}

Result<bool> QueueFile::reopen()
{
    if (!folder_) return false;
    struct stat before {
    }, after{};
    const bool is_there = ::fstatat(folder_.get(), journal_name, &after, AT_SYMLINK_NOFOLLOW) == 0;
    if (!is_there && errno != ENOENT) return detail::explain("can't look at " + path_, errno);
    if (!is_there && !file_) return false;
    const bool same = is_there && file_ && ::fstat(file_.get(), &before) == 0 &&
                      before.st_ino == after.st_ino && before.st_dev == after.st_dev;
    if (!same) {
        writer_.reset();
        file_ = open_file(folder_.get(), journal_name, O_RDONLY);
        if (!file_ && errno != ENOENT) return detail::explain("can't open " + path_, errno);
        at_ = checked_ = end_ = journal_head_size;
    }
    if (file_) BGT_TRY(read_head());
    return !same;
}

/// Under the lock, after reopen(): no other file takes its place meanwhile.
Result<void> QueueFile::open_writer()
{
    if (!writer_) writer_ = open_file(folder_.get(), journal_name, O_RDWR);
    if (!writer_) return detail::explain("can't open " + path_, errno);
    return {};
}

Result<QueueRecord> QueueFile::read(RecordPlace place) const
{
    std::string bytes(journal_frame_size + place.size, '\0');
    const std::uint64_t at = place.offset - journal_frame_size;
    if (detail::read_at(file_.get(), std::as_writable_bytes(std::span(bytes)), at) < 0)
        return detail::explain("can't read " + path_, errno);
    const auto record = detail::framed(bytes);
    if (!record) return damaged(fmt::format("the record at byte {} is not what was written", at));
    return decode_record(*record);
}

/// At `at` no whole record begins. A crash of the machine may have cut off the end, which counts no
/// more then: what follows is written over it. Whatever else it is, is damage.
Result<void> QueueFile::judge_end(std::uint64_t at, std::string_view rest)
{
    const auto size = detail::framed_size(rest);
    const std::size_t next = size ? journal_frame_size + *size : rest.size();
    const bool goes_on = next < rest.size() && detail::framed(rest.substr(next));
    if (is_of_this_boot_ || goes_on)
        return damaged(fmt::format("the record at byte {} is not what was written", at));
    end_ = at;
    return {};
}

Result<void> QueueFile::read_from(std::uint64_t& at, const Take& take)
{
    std::string bytes;
    std::size_t most = block_size;
    while (at < end_) {
        bytes.resize(static_cast<std::size_t>(std::min<std::uint64_t>(end_ - at, most)));
        const auto got = detail::read_at(file_.get(), std::as_writable_bytes(std::span(bytes)), at);
        if (got < 0) return detail::explain("can't read " + path_, errno);
        bytes.resize(static_cast<std::size_t>(got));
        const bool is_all = at + bytes.size() >= end_ || bytes.size() < most;
        std::string_view rest(bytes);
        const std::uint64_t before = at;
        while (const auto record = detail::framed(rest)) {
            const auto size = static_cast<std::uint32_t>(record->size());
            if (auto taken = take(*record, {at + journal_frame_size, size}); !taken)
                return Error{ErrorKind::failed,
                             fmt::format("{}, byte {}: {}", path_, at, taken.error().message),
                             taken.error().sys_errno};
            at += journal_frame_size + size;
            rest.remove_prefix(journal_frame_size + size);
        }
        if (rest.empty() && at > before) continue;
        if (is_all) return judge_end(at, rest);
        // The block ends within a record, or within the one behind a damaged one.
        if (at == before) most *= 2;
    }
    return {};
}

Result<void> QueueFile::read_new(const Take& take)
{
    if (!file_) return {};
    BGT_TRY(read_from(at_, take));
    checked_ = std::max(checked_, at_);
    return {};
}

Result<void> QueueFile::check()
{
    std::uint64_t at = std::max(at_, checked_);
    if (!file_ || at >= end_) return {};
    BGT_TRY(read_from(at, [](std::string_view, RecordPlace) { return Result<void>(); }));
    checked_ = at;
    at_ = std::min(at_, end_);
    return {};
}

Result<void> QueueFile::write_head(std::uint64_t end)
{
    const auto bytes =
        detail::encode_head({end, boot_, detail::identity_of(folder_.get()), true, true, true});
    if (const int err = detail::write_all_at(writer_.get(), std::as_bytes(std::span(bytes)), 0))
        return detail::explain("can't write " + path_, err);
    end_ = end;
    is_of_this_boot_ = boot_ != BootId{};
    return {};
}

Result<void> QueueFile::create_file(const char* name)
{
    Fd made = open_file(folder_.get(), name, O_RDWR | O_CREAT | O_TRUNC);
    if (!made) return detail::explain("can't create " + path_, errno);
    writer_ = std::move(made);
    file_ = open_file(folder_.get(), name, O_RDONLY);
    if (!file_) return detail::explain("can't open " + path_, errno);
    at_ = checked_ = journal_head_size;
    return write_head(journal_head_size);
}

Result<void> QueueFile::append(const std::vector<QueueRecord>& records, Durability durability)
{
    const std::string bytes = frames_of(records);
    // A journal begins whole: nobody finds one without a head.
    if (!file_) {
        BGT_TRY(create_file(next_journal));
        if (::renameat(folder_.get(), next_journal, folder_.get(), journal_name) != 0)
            return detail::explain("can't create " + path_, errno);
    }
    BGT_TRY(open_writer());
    // What stands behind damage would be read by nobody, and what a crash of the machine cut off is
    // found by reading only.
    BGT_TRY(check());
    const bool is_whole = checked_ >= end_;
    if (const int err = detail::write_all_at(writer_.get(), std::as_bytes(std::span(bytes)), end_))
        return detail::explain("can't write " + path_, err);
    const std::uint64_t before = end_;
    BGT_TRY(write_head(end_ + bytes.size()));
    if (durability == Durability::machine && ::fdatasync(writer_.get()) != 0) {
        const int err = errno;
        // What is told as not submitted must not start. Whoever dispatches reads under the lock.
        static_cast<void>(write_head(before));
        return detail::explain("can't write " + path_, err);
    }
    if (is_whole) checked_ = end_;
    return {};
}

Result<void> QueueFile::replace(const std::vector<QueueRecord>& records)
{
    Fd before = std::move(file_), writer_before = std::move(writer_);
    const std::uint64_t end = end_, at = at_;
    const auto fill = [&]() -> Result<void> {
        BGT_TRY(create_file(next_journal));
        const std::string bytes = frames_of(records);
        if (const int err = detail::write_all_at(writer_.get(), std::as_bytes(std::span(bytes)),
                                                 journal_head_size))
            return detail::explain("can't write " + path_, err);
        BGT_TRY(write_head(journal_head_size + bytes.size()));
        if (::fdatasync(writer_.get()) != 0 ||
            ::renameat(folder_.get(), next_journal, folder_.get(), journal_name) != 0)
            return detail::explain("can't replace " + path_, errno);
        return {};
    };
    if (auto filled = fill(); !filled) {
        file_ = std::move(before);
        writer_ = std::move(writer_before);
        end_ = end;
        at_ = at;
        return filled.error();
    }
    return {};
}

Result<void> QueueFile::remove()
{
    if (::unlinkat(folder_.get(), journal_name, 0) != 0 && errno != ENOENT)
        return detail::explain("can't remove " + path_, errno);
    file_.reset();
    writer_.reset();
    end_ = at_ = 0;
    return {};
}

} // namespace bgt::store
