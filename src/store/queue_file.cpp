#include <bgt/store/queue_file.hpp>

#include "crc32c.hpp"
#include "files.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::store {
namespace {

constexpr const char* folder_name = "queue";
constexpr const char* journal_name = "journal";
constexpr const char* next_journal = "journal.new";
constexpr const char* lock_name = "lock";

/// The head: "BGTQ", schema (u32), the bytes that count (u64), the boot in which it was written
/// last, and the folder for which it was written: device, inode and birth (u64 each). What waits in
/// a copy waits there no more: it would be started twice.
constexpr std::string_view magic = "BGTQ";
constexpr std::uint32_t schema = 1;
constexpr std::size_t head_size = 56;
constexpr std::size_t at_boot = 16, at_folder = 32;
/// Before each record: its size and its checksum (u32 each).
constexpr std::size_t frame_size = 8;
constexpr std::uint32_t largest_record = 256u << 20;

template <class T>
T load(const char* from)
{
    T value{};
    std::memcpy(&value, from, sizeof value);
    return value;
}

template <class T>
void store(char* to, T value)
{
    std::memcpy(to, &value, sizeof value);
}

std::uint32_t checksum(std::string_view bytes)
{
    return detail::crc32c(std::as_bytes(std::span(bytes)));
}

/// By what a folder is told from its copies, and can't be known beforehand (man 2 statx). The birth
/// is 0 where the file system knows none.
std::array<std::uint64_t, 3> identity_of(int folder)
{
    struct statx info {};
    if (::statx(folder, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &info) != 0) {
        struct stat older {};
        if (::fstat(folder, &older) != 0) return {};
        return {older.st_dev, older.st_ino, 0};
    }
    const std::uint64_t device = (std::uint64_t{info.stx_dev_major} << 32) | info.stx_dev_minor;
    if ((info.stx_mask & STATX_BTIME) == 0) return {device, info.stx_ino, 0};
    return {device, info.stx_ino,
            static_cast<std::uint64_t>(info.stx_btime.tv_sec) * 1'000'000'000 +
                info.stx_btime.tv_nsec};
}

std::string frame(const QueueRecord& record)
{
    const std::string body = encode_record(record);
    std::string out(frame_size, '\0');
    store(out.data(), static_cast<std::uint32_t>(body.size()));
    store(out.data() + 4, checksum(body));
    return out + body;
}

} // namespace

Result<QueueFile> QueueFile::open(const Root& root, bool create, const BootId& boot)
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

Result<void> QueueFile::read_head()
{
    std::array<char, head_size> head{};
    const auto got = detail::read_at(file_.get(), std::as_writable_bytes(std::span(head)), 0);
    if (got < 0) return detail::explain("can't read " + path_, errno);
    struct stat info {};
    if (::fstat(file_.get(), &info) != 0) return detail::explain("can't read " + path_, errno);
    if (got < static_cast<std::ptrdiff_t>(head_size) || std::string_view(head.data(), 4) != magic)
        return Error::failed(path_ + " is damaged: it does not begin as a journal does; move it "
                                     "away (what waited is lost with it)");
    if (load<std::uint32_t>(head.data() + 4) != schema)
        return Error::failed(path_ + " was written by a newer bgt: use that one");
    end_ = std::clamp<std::uint64_t>(
        load<std::uint64_t>(head.data() + 8), head_size,
        std::max<std::uint64_t>(head_size, static_cast<std::uint64_t>(info.st_size)));
    BootId written_in{};
    std::memcpy(written_in.data(), head.data() + at_boot, written_in.size());
    std::array<std::uint64_t, 3> written_for{};
    std::memcpy(written_for.data(), head.data() + at_folder, sizeof written_for);
    if (written_for != identity_of(folder_.get()))
        return Error::failed(path_ +
                             " was written for another folder, of which this is a copy: nothing of "
                             "it is started; remove " +
                             path_ + " to use queues here");
    is_checked_ = boot_ != BootId{} && written_in == boot_;
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
        at_ = head_size;
        end_ = head_size;
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
    std::string bytes(place.size, '\0');
    const auto got =
        detail::read_at(file_.get(), std::as_writable_bytes(std::span(bytes)), place.offset);
    if (got != static_cast<std::ptrdiff_t>(place.size))
        return detail::explain("can't read " + path_, got < 0 ? errno : EIO);
    return decode_record(bytes);
}

Result<void> QueueFile::read_new(
    const std::function<Result<void>(std::string_view, RecordPlace)>& take)
{
    if (!file_ || at_ >= end_) return {};
    std::string bytes(static_cast<std::size_t>(end_ - at_), '\0');
    const auto got = detail::read_at(file_.get(), std::as_writable_bytes(std::span(bytes)), at_);
    if (got < 0) return detail::explain("can't read " + path_, errno);
    std::string_view rest(bytes.data(), static_cast<std::size_t>(got));
    while (rest.size() >= frame_size) {
        const auto size = load<std::uint32_t>(rest.data());
        const std::string_view body = rest.substr(frame_size, size);
        // What a crash of the machine cut off counts no more: what follows is written over it.
        if (size > largest_record || body.size() < size ||
            checksum(body) != load<std::uint32_t>(rest.data() + 4))
            break;
        BGT_TRY(take(body, {at_ + frame_size, size}));
        at_ += frame_size + size;
        rest.remove_prefix(frame_size + size);
    }
    end_ = at_;
    is_checked_ = true;
    return {};
}

Result<void> QueueFile::check()
{
    const std::uint64_t read = at_;
    at_ = head_size;
    const Result<void> whole =
        read_new([](std::string_view, RecordPlace) { return Result<void>(); });
    at_ = std::min(read, end_);
    return whole;
}

Result<void> QueueFile::write_head(std::uint64_t end)
{
    std::array<char, head_size> head{};
    std::memcpy(head.data(), magic.data(), magic.size());
    store(head.data() + 4, schema);
    store(head.data() + 8, end);
    std::memcpy(head.data() + at_boot, boot_.data(), boot_.size());
    const auto folder = identity_of(folder_.get());
    std::memcpy(head.data() + at_folder, folder.data(), sizeof folder);
    if (const int err = detail::write_all_at(writer_.get(), std::as_bytes(std::span(head)), 0))
        return detail::explain("can't write " + path_, err);
    end_ = end;
    return {};
}

Result<void> QueueFile::create_file(const char* name)
{
    Fd made = open_file(folder_.get(), name, O_RDWR | O_CREAT | O_TRUNC);
    if (!made) return detail::explain("can't create " + path_, errno);
    writer_ = std::move(made);
    file_ = open_file(folder_.get(), name, O_RDONLY);
    if (!file_) return detail::explain("can't open " + path_, errno);
    at_ = head_size;
    is_checked_ = true;
    return write_head(head_size);
}

Result<void> QueueFile::append(const std::vector<QueueRecord>& records, Durability durability)
{
    std::string bytes;
    for (const QueueRecord& record : records) bytes += frame(record);
    // A journal begins whole: nobody finds one without a head.
    if (!file_) {
        BGT_TRY(create_file(next_journal));
        if (::renameat(folder_.get(), next_journal, folder_.get(), journal_name) != 0)
            return detail::explain("can't create " + path_, errno);
    }
    BGT_TRY(open_writer());
    // What a crash of the machine cut off behind the last whole record is found by reading only.
    if (!is_checked_) BGT_TRY(check());
    if (const int err = detail::write_all_at(writer_.get(), std::as_bytes(std::span(bytes)), end_))
        return detail::explain("can't write " + path_, err);
    BGT_TRY(write_head(end_ + bytes.size()));
    if (durability == Durability::machine && ::fdatasync(writer_.get()) != 0)
        return detail::explain("can't write " + path_, errno);
    return {};
}

Result<void> QueueFile::replace(const std::vector<QueueRecord>& records)
{
    Fd before = std::move(file_), writer_before = std::move(writer_);
    const std::uint64_t end = end_, at = at_;
    const auto fill = [&]() -> Result<void> {
        BGT_TRY(create_file(next_journal));
        std::string bytes;
        for (const QueueRecord& record : records) bytes += frame(record);
        if (const int err =
                detail::write_all_at(writer_.get(), std::as_bytes(std::span(bytes)), head_size))
            return detail::explain("can't write " + path_, err);
        BGT_TRY(write_head(head_size + bytes.size()));
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
