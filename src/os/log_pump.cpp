#include <bgt/os/log_pump.hpp>

#include <bgt/os/clock.hpp>
#include <bgt/store/log_index.hpp>
#include <bgt/store/open_file.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/falloc.h>
#include <span>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace bgt::os {
namespace {

constexpr std::uint64_t bytes_per_call = 16u << 20;
/// So often in a row the FIFO was full, or so much came in so short a time, when the command counts as loud.
constexpr unsigned high_throughput_chunks = 4;
constexpr std::uint64_t high_throughput_burst = 1u << 20;
constexpr auto burst_time = std::chrono::milliseconds(10);
/// For so long a loud command is left to fill its FIFO: who takes each page as soon as it is written is at the FIFO's lock more
/// often than the writer, and both do a system call for a page instead of for many.
constexpr auto fill_time = std::chrono::microseconds(100);
/// A second in which less comes is a calm one.
constexpr std::uint64_t idle_bytes = 16u << 20;
/// Writers that write every few microseconds get one entry a millisecond: enough for people, and small.
constexpr auto index_resolution = std::chrono::milliseconds(1);
/// Beyond the bound of the index, one entry (16 bytes) for so many bytes of the log or so much time.
constexpr std::uint64_t coarse_bytes = 4096;
constexpr auto coarse_resolution = std::chrono::seconds(1);
constexpr std::uint64_t min_index_bound = 1u << 20, index_bound_without_max = 64u << 20;
constexpr std::uint64_t block = 4096;
constexpr ssize_t index_entry_size = 16;
/// Of the mark of a stage: nothing is in it that is not in the log. A mode takes no space on a full disk.
constexpr mode_t saved_mode = 0400, unsaved_mode = 0600;

/// The size of the index from which on its entries are coarser.
std::uint64_t index_bound(std::uint64_t log_max)
{
    return log_max == 0 ? index_bound_without_max : std::max(log_max / 16, min_index_bound);
}

ssize_t read_some(int fd, std::span<char> into)
{
    ssize_t got = 0;
    do got = read(fd, into.data(), into.size());
    while (got < 0 && errno == EINTR);
    return got;
}

} // namespace

Result<LogPump> LogPump::open(const store::TaskDir& task, const Files& files, std::uint64_t log_max, std::uint64_t freed)
{
    LogPump pump;
    if (mkfifoat(task.fd(), files.fifo, 0600) != 0 && errno != EEXIST)
        return Error::system(fmt::format("making the FIFO {}/{}", task.path(), files.fifo), errno);
    Result<Fd> fifo = store::open_fifo(task, files.fifo, O_RDWR);
    if (!fifo) return fifo.error();
    struct stat info{};
    Result<Fd> log = task.open(files.log, O_RDWR | O_CREAT);
    if (!log) return log.error();
    if (fstat(log->get(), &info) != 0) return Error::system(task.path(), errno);
    pump.fifo_path_ = fmt::format("/proc/self/fd/{}", fifo->get());
    pump.fifo_ = std::move(*fifo);
    pump.log_ = std::move(*log);
    pump.offset_ = static_cast<std::uint64_t>(info.st_size);
    pump.folder_ = task.fd();
    pump.index_name_ = files.index;
    pump.stage_name_ = files.stage;
    pump.max_ = log_max;
    pump.freed_ = freed;
    return pump;
}

Result<Fd> LogPump::writer() const
{
    Fd fd{::open(fifo_path_.c_str(), O_RDWR | O_CLOEXEC)};
    if (!fd) return Error::system("opening the output FIFO for the command", errno);
    return fd;
}

LogPump::Moved LogPump::pump(WallTime now)
{
    Moved moved;
    if (now < burst_began_ || now - burst_began_ > burst_time) {
        burst_began_ = now;
        burst_ = 0;
    }
    while (staged_ > 0 || moved.bytes + moved.dropped < bytes_per_call) {
        const bool staged = staged_ > 0 || fill_stage();
        const std::uint64_t chunk = move_chunk(staged ? stage_->reader() : fifo_.get(), now, moved);
        if (staged) staged_ -= std::min(chunk, staged_);
        if (chunk == 0) return moved;
        grow_for_high_throughput(chunk);
        free_head(moved);
        if (capacity_ > quiet_capacity && chunk < quiet_capacity && staged_ == 0) {
            std::this_thread::sleep_for(fill_time);
            break;
        }
    }
    moved.more = true;
    return moved;
}

/// Hands over what is in the FIFO; false: nothing was, or there is no stage.
bool LogPump::fill_stage()
{
    if (!stage_) return false;
    ssize_t count = 0;
    do count = splice(fifo_.get(), nullptr, stage_->writer(), nullptr, high_throughput_capacity, SPLICE_F_NONBLOCK);
    while (count < 0 && errno == EINTR);
    if (count > 0) staged_ = static_cast<std::uint64_t>(count);
    return count > 0;
}

/// One splice; 0 when the pipe is empty.
std::uint64_t LogPump::move_chunk(int from, WallTime now, Moved& moved)
{
    while (can_splice_) {
        loff_t at = static_cast<loff_t>(offset_);
        const ssize_t count = splice(from, nullptr, log_.get(), &at, high_throughput_capacity, SPLICE_F_NONBLOCK);
        if (count > 0) {
            note(now, offset_, false);
            offset_ += static_cast<std::uint64_t>(count);
            moved.bytes += static_cast<std::uint64_t>(count);
            return static_cast<std::uint64_t>(count);
        }
        if (count == 0 || errno == EAGAIN) return 0;
        if (errno == EINTR) continue;
        // Whatever the log's file system says (full, stale, not permitted): the task must not wait for it.
        if (errno != EINVAL) return drop_chunk(from, now, moved);
        can_splice_ = false; // a file system without splice: some of FUSE and 9p
    }
    return copy_chunk(from, now, moved);
}

/// For file systems that can't splice. The bytes are in a buffer for a moment: a supervisor killed just then loses them.
std::uint64_t LogPump::copy_chunk(int from, WallTime now, Moved& moved)
{
    std::array<char, 64 * 1024> buffer;
    const ssize_t got = read_some(from, buffer);
    if (got <= 0) return 0;
    ssize_t done = 0;
    while (done < got) {
        const ssize_t put = pwrite(log_.get(), buffer.data() + done, static_cast<std::size_t>(got - done),
                                   static_cast<off_t>(offset_) + done);
        if (put < 0 && errno == EINTR) continue;
        if (put <= 0) break;
        done += put;
    }
    if (done > 0) note(now, offset_, false);
    offset_ += static_cast<std::uint64_t>(done);
    moved.bytes += static_cast<std::uint64_t>(done);
    if (done < got) count_drop(now, static_cast<std::uint64_t>(got - done), moved);
    return static_cast<std::uint64_t>(got);
}

/// The next bytes go to nowhere; what comes after them is tried again.
std::uint64_t LogPump::drop_chunk(int from, WallTime now, Moved& moved)
{
    std::array<char, 64 * 1024> buffer;
    const ssize_t got = read_some(from, buffer);
    if (got <= 0) return 0;
    count_drop(now, static_cast<std::uint64_t>(got), moved);
    return static_cast<std::uint64_t>(got);
}

void LogPump::count_drop(WallTime now, std::uint64_t dropped, Moved& moved)
{
    moved.dropped += dropped;
    undated_drop_ += dropped;
    note(now, offset_, true);
}

/// Whether an entry is worth its space. The clock may have been set back: what comes then is later all the same.
bool LogPump::is_due(WallTime now, std::uint64_t value, bool dropped) const
{
    if (now < last_note_) return true;
    if (!dropped && (after_drop_ || undated_drop_ > 0)) return true;
    const Duration since = now - last_note_;
    if (static_cast<std::uint64_t>(index_at_) <= index_bound(max_)) return dropped || since >= index_resolution;
    return since >= coarse_resolution || value - last_value_ + undated_drop_ >= coarse_bytes;
}

void LogPump::note(WallTime now, std::uint64_t value, bool dropped)
{
    if (!is_due(now, value, dropped)) return;
    if (!index_) {
        index_ = store::open_file(folder_, index_name_, O_WRONLY | O_CREAT);
        if (!index_) return;
        struct stat info{};
        if (fstat(index_.get(), &info) == 0) index_at_ = info.st_size / index_entry_size * index_entry_size;
    }
    using Type = store::IndexEntry::Type;
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
bool LogPump::append_entry(const store::IndexEntry& entry)
{
    const auto bytes = store::encode_index_entry(entry);
    if (pwrite(index_.get(), bytes.data(), bytes.size(), index_at_) != index_entry_size) return false;
    index_at_ += index_entry_size;
    return true;
}

/// Pipe pages of one user are limited (man 7 pipe): only a loud task gets a large one.
void LogPump::grow_for_high_throughput(std::uint64_t chunk)
{
    recent_ += chunk;
    if (capacity_ > quiet_capacity) return;
    burst_ += chunk;
    full_chunks_ = chunk + block >= quiet_capacity ? full_chunks_ + 1 : 0;
    if (full_chunks_ < high_throughput_chunks && burst_ < high_throughput_burst) return;
    const int size = fcntl(fifo_.get(), F_SETPIPE_SZ, static_cast<int>(high_throughput_capacity));
    capacity_ = high_throughput_capacity; // or as much as there was: it is not tried again
    wants_stage_ = size > 0 && can_stage_ && can_splice_;
    recent_ = 0;
}

bool LogPump::has_become_idle()
{
    return std::exchange(recent_, 0) < idle_bytes;
}

pid_t LogPump::begin_stage(int lock)
{
    wants_stage_ = false;
    const Fd mark = store::open_file(folder_, stage_name_, O_WRONLY | O_CREAT, saved_mode);
    if (!mark) return 0; // a full disk
    std::vector<int> keep{log_.get(), folder_, lock};
    if (index_) keep.push_back(index_.get());
    Result<OutputStage> stage = OutputStage::start(high_throughput_capacity, keep, [this](int from) { save_stage(from); });
    can_stage_ = stage && fchmod(mark.get(), unsaved_mode) == 0;
    if (!can_stage_) {
        unlinkat(folder_, stage_name_, 0);
        return 0;
    }
    stage_ = std::make_unique<OutputStage>(std::move(*stage));
    return stage_->keeper();
}

/// In the keeper. Its supervisor has ended: what is in the stage belongs behind what is in the log.
void LogPump::save_stage(int stage)
{
    struct stat info{};
    if (fstat(log_.get(), &info) == 0) offset_ = static_cast<std::uint64_t>(info.st_size);
    if (index_ && fstat(index_.get(), &info) == 0) index_at_ = info.st_size / index_entry_size * index_entry_size;
    Moved moved;
    while (move_chunk(stage, wall_now(), moved) > 0) {}
    // Not removed: while the mark is there, the task's lock may be this process's. A full disk's loss stays said by it.
    if (moved.dropped == 0) fchmodat(folder_, stage_name_, saved_mode, 0);
}

void LogPump::end_stage()
{
    if (!stage_) return;
    stage_.reset();
    unlinkat(folder_, stage_name_, 0); // of a keeper that was killed
    fcntl(fifo_.get(), F_SETPIPE_SZ, static_cast<int>(quiet_capacity)); // refused while more is in it
    capacity_ = quiet_capacity;
    full_chunks_ = 0;
    burst_ = 0;
}

bool LogPump::take_loss(const store::TaskDir& task, const Files& files)
{
    struct stat mark{};
    if (fstatat(task.fd(), files.stage, &mark, AT_SYMLINK_NOFOLLOW) != 0) return false;
    return unlinkat(task.fd(), files.stage, 0) == 0 && (mark.st_mode & 0777) != saved_mode;
}

/// Gives back the oldest blocks once the log is a sixteenth over its bound (in steps, for each costs a system call).
void LogPump::free_head(Moved& moved)
{
    if (max_ == 0 || !can_free_) return;
    const std::uint64_t slack = std::clamp<std::uint64_t>(max_ / 16, block, 16u << 20);
    if (offset_ - freed_ <= max_ + slack) return;
    const std::uint64_t upto = (offset_ - max_) / block * block;
    if (upto <= freed_) return;
    if (fallocate(log_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(upto)) != 0) {
        can_free_ = errno != EOPNOTSUPP && errno != ENOSYS; // others may pass: a full disk, a server that is away
        return;
    }
    freed_ = upto;
    moved.freed = true;
}

} // namespace bgt::os
