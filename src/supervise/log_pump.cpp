#include "log_pump.hpp"

#include <bgt/base/descriptor.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/store/make_fifo.hpp>
#include <bgt/store/open_file.hpp>

#include <algorithm>
#include <fcntl.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace bgt::supervise {
namespace {

constexpr std::uint64_t bytes_per_call = 16u << 20;
/// For so long a command of high throughput is left to fill its FIFO: who takes each page as soon
/// as it is written is at the FIFO's lock more often than the writer, and both do a system call for
/// a page instead of for many.
constexpr auto fill_time = std::chrono::microseconds(100);
/// Of the mark of a stage: nothing is in it that is not in the log. A mode takes no space on a full
/// disk.
constexpr mode_t saved_mode = 0400, unsaved_mode = 0600;

} // namespace

Result<LogPump> LogPump::open(const store::TaskDir& task, const Files& files, std::uint64_t log_max,
                              std::uint64_t freed)
{
    LogPump pump;
    BGT_TRY(store::make_fifo(task, files.fifo));
    BGT_TRY_ASSIGN(Fd fifo, store::open_fifo(task, files.fifo, O_RDWR));
    pump.fifo_ = os::OutputFifo(std::move(fifo));
    BGT_TRY_ASSIGN(pump.log_, store::LogWriter::open(task, files.log, files.index, log_max, freed));
    pump.folder_ = task.fd();
    pump.stage_name_ = files.stage;
    return pump;
}

LogPump::Moved LogPump::pump(WallTime now)
{
    Moved moved;
    fifo_.begin_burst(now);
    while (staged_ > 0 || moved.bytes + moved.dropped < bytes_per_call) {
        const bool staged = staged_ > 0 || fill_stage();
        const std::uint64_t chunk =
            log_.take(staged ? stage_->reader() : fifo_.fd(), high_throughput_capacity, now, moved);
        if (staged) staged_ -= std::min(chunk, staged_);
        if (chunk == 0) return moved;
        if (fifo_.taken(chunk)) wants_stage_ = can_stage_ && log_.can_splice();
        log_.free_head(moved);
        if (fifo_.is_large() && chunk < os::OutputFifo::idle_capacity && staged_ == 0) {
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
    const std::int64_t count = stage_->fill(fifo_.fd(), high_throughput_capacity);
    if (count > 0) staged_ = static_cast<std::uint64_t>(count);
    return count > 0;
}

pid_t LogPump::begin_stage(int lock)
{
    wants_stage_ = false;
    const Fd mark = store::open_file(folder_, stage_name_, O_WRONLY | O_CREAT, saved_mode);
    if (!mark) return 0; // a full disk
    std::vector<int> keep = log_.descriptors();
    keep.push_back(lock);
    Result<os::OutputStage> stage = os::OutputStage::start(high_throughput_capacity, keep,
                                                           [this](int from) { save_stage(from); });
    can_stage_ = stage && fchmod(mark.get(), unsaved_mode) == 0;
    if (!can_stage_) {
        unlinkat(folder_, stage_name_, 0);
        return 0;
    }
    stage_ = std::make_unique<os::OutputStage>(std::move(*stage));
    return stage_->keeper();
}

/// In the keeper. Its supervisor has ended: what is in the stage belongs behind what is in the log.
void LogPump::save_stage(int stage)
{
    log_.go_on_at_end();
    Moved moved;
    while (log_.take(stage, high_throughput_capacity, os::wall_now(), moved) > 0) {}
    // Not removed: while the mark is there, the task's lock may be this process's. A full disk's
    // loss stays said by it.
    if (moved.dropped == 0) fchmodat(folder_, stage_name_, saved_mode, 0);
}

void LogPump::end_stage()
{
    if (!stage_) return;
    stage_.reset();
    unlinkat(folder_, stage_name_, 0); // of a keeper that was killed
    fifo_.shrink();
}

bool LogPump::ends_like_prompt() const
{
    std::string tail = log_.tail(8);
    if (tail.empty()) return false;
    if (tail.back() != '\n') return true;
    const std::size_t last = tail.find_last_not_of(" \r\n");
    return last != tail.npos && (tail[last] == '?' || tail[last] == ':');
}

bool LogPump::take_loss(const store::TaskDir& task, const Files& files)
{
    struct stat mark {};
    if (fstatat(task.fd(), files.stage, &mark, AT_SYMLINK_NOFOLLOW) != 0) return false;
    return unlinkat(task.fd(), files.stage, 0) == 0 && (mark.st_mode & 0777) != saved_mode;
}

} // namespace bgt::supervise
