#include <bgt/os/output_fifo.hpp>

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <utility>

namespace bgt::os {
namespace {

/// So often in a row the FIFO was full, or so much came in so short a time, when the throughput
/// counts as high.
constexpr unsigned high_throughput_chunks = 4;
constexpr std::uint64_t high_throughput_burst = 1u << 20;
constexpr auto burst_time = std::chrono::milliseconds(10);
/// A second in which less comes is an idle one.
constexpr std::uint64_t idle_bytes = 16u << 20;
constexpr std::uint64_t block = 4096;

} // namespace

OutputFifo::OutputFifo(Fd fifo)
    : path_(fmt::format("/proc/self/fd/{}", fifo.get())), fd_(std::move(fifo))
{}

Result<Fd> OutputFifo::writer() const
{
    Fd fd{::open(path_.c_str(), O_WRONLY | O_CLOEXEC)};
    if (!fd)
        return Error::system("opening the output FIFO for the command, by /proc/self/fd", errno);
    return fd;
}

void OutputFifo::begin_burst(WallTime now)
{
    if (now >= burst_began_ && now - burst_began_ <= burst_time) return;
    burst_began_ = now;
    burst_ = 0;
}

/// Pipe pages of one user are limited (man 7 pipe): only a task of high throughput gets a large
/// one.
bool OutputFifo::taken(std::uint64_t chunk)
{
    recent_ += chunk;
    if (is_large()) return false;
    burst_ += chunk;
    full_chunks_ = chunk + block >= idle_capacity ? full_chunks_ + 1 : 0;
    if (full_chunks_ < high_throughput_chunks && burst_ < high_throughput_burst) return false;
    const int size = fcntl(fd_.get(), F_SETPIPE_SZ, static_cast<int>(high_throughput_capacity));
    capacity_ = high_throughput_capacity; // or as much as there was: it is not tried again
    recent_ = 0;
    return size > 0;
}

bool OutputFifo::has_become_idle()
{
    return std::exchange(recent_, 0) < idle_bytes;
}

void OutputFifo::shrink()
{
    fcntl(fd_.get(), F_SETPIPE_SZ, static_cast<int>(idle_capacity)); // refused while more is in it
    capacity_ = idle_capacity;
    full_chunks_ = 0;
    burst_ = 0;
}

} // namespace bgt::os
