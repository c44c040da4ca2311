#include <bgt/os/stdin_keeper.hpp>

#include <bgt/base/descriptor.hpp>
#include <bgt/base/file_lock.hpp>
#include <bgt/os/background.hpp>
#include <bgt/os/proc.hpp>

#include <csignal>
#include <fcntl.h>
#include <poll.h>

namespace bgt::os {
namespace {

/// By its lock, which tells the pid of who holds it (man 2 fcntl, F_GETLK); 0: there is none.
pid_t keeper_of(int fifo)
{
    struct flock lock = whole_file();
    return fcntl(fifo, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? lock.l_pid : 0;
}

void await_last_reader(int writer)
{
    pollfd end{writer, 0, 0}; // POLLERR comes unasked (man 2 poll)
    retry_on_eintr([&] { return poll(&end, 1, -1); });
}

} // namespace

Result<pid_t> keep_stdin_open(Fd writer)
{
    if (keeper_of(writer.get()) != 0) return 0;
    return fork_helper({writer.get()}, true, [fd = writer.get()] {
        block_signals();
        struct flock lock = whole_file();
        fcntl(fd, F_SETLK, &lock); // by which a later supervisor finds it
        await_last_reader(fd);
        return 0;
    });
}

void end_stdin_keeper(int fifo)
{
    const pid_t pid = keeper_of(fifo);
    if (pid <= 0) return;
    const std::optional<ProcessKey> keeper = key_of(pid);
    // Asked again: it may have ended before that, and the pid be somebody else's by now.
    if (keeper && keeper_of(fifo) == pid)
        static_cast<void>(send_signal(*keeper, SIGKILL).operator bool());
}

} // namespace bgt::os
