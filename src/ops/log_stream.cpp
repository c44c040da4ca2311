#include "log_stream.hpp"

#include <bgt/base/descriptor.hpp>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <poll.h>
#include <sys/stat.h>

namespace bgt::ops {

namespace {

constexpr std::size_t read_size = 64 * 1024;

/// A pipe that poll calls writable takes PIPE_BUF bytes at least (man 7 pipe); a file takes any
/// number.
std::size_t unblocked_piece(int fd)
{
    struct stat info = {};
    return ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode) ? read_size : PIPE_BUF;
}

} // namespace

LogStream::LogStream(Fd log, int out_fd)
    : log_(std::move(log)),
      out_fd_(out_fd),
      piece_(unblocked_piece(out_fd)),
      buffer_(read_size, '\0')
{}

/// False: nobody reads any more.
Result<bool> LogStream::write_all(std::string_view bytes, int wake_fd,
                                  const std::function<void()>& on_wake)
{
    while (!bytes.empty()) {
        pollfd fds[] = {{out_fd_, POLLOUT, 0}, {wake_fd, POLLIN, 0}};
        if (::poll(fds, 2, -1) < 0 && errno != EINTR) return Error::system("poll", errno);
        if ((fds[1].revents & POLLIN) != 0) on_wake();
        if (fds[0].revents == 0) continue;
        const ssize_t n = ::write(out_fd_, bytes.data(), std::min(bytes.size(), piece_));
        if (n >= 0) bytes.remove_prefix(static_cast<std::size_t>(n));
        else if (errno == EPIPE) return false;
        else if (errno != EINTR && errno != EAGAIN)
            return Error::system("can't pass the output on", errno);
    }
    return true;
}

Result<std::uint64_t> LogStream::pump(std::uint64_t freed, int wake_fd,
                                      const std::function<void()>& on_wake)
{
    std::uint64_t skipped = 0;
    if (offset_ < freed) skipped = freed - std::exchange(offset_, freed);
    while (log_) {
        const ssize_t n = retry_on_eintr([&] {
            return ::pread(log_.get(), buffer_.data(), buffer_.size(), static_cast<off_t>(offset_));
        });
        if (n < 0) return Error::system("can't read the log", errno);
        if (n == 0) break;
        auto written = write_all(std::string_view(buffer_.data(), static_cast<std::size_t>(n)),
                                 wake_fd, on_wake);
        if (!written) {
            log_.reset();
            return written.error();
        }
        if (!*written) log_.reset();
        offset_ += static_cast<std::uint64_t>(n);
    }
    return skipped;
}

} // namespace bgt::ops
