#include "sandbox.hpp"
#include "support/catch.hpp"
#include "support/eventually.hpp"

#include <bgt/base/file_lock.hpp>
#include <bgt/os/stdin_keeper.hpp>

#include <csignal>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace bgt;
using bgt::test::eventually;
using bgt::test::test_timeout;

namespace {

/// A FIFO, with a reading end.
struct Pipe {
    Pipe() : path(sandbox.folder() + "/in")
    {
        REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
        reader = Fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    }
    Fd writer() const { return Fd(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)); }
    pid_t locked_by() const
    {
        struct flock lock = whole_file();
        return ::fcntl(reader.get(), F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? lock.l_pid
                                                                                    : 0;
    }
    bool is_at_end() const
    {
        char byte = 0;
        return ::read(reader.get(), &byte, 1) == 0;
    }

    ::test::Sandbox sandbox;
    std::string path;
    Fd reader;
};

/// The signal that ended this child, 0: it ended by itself; -1: it lives.
int end_of(pid_t pid)
{
    int status = -1;
    if (!eventually(test_timeout, [&] { return ::waitpid(pid, &status, WNOHANG) == pid; }))
        return -1;
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

} // namespace

TEST_CASE("a kept FIFO is at its end when the keeper is ended by another process, and not before")
{
    Pipe pipe;
    const auto keeper = os::keep_stdin_open(pipe.writer());
    REQUIRE(keeper);
    REQUIRE(*keeper > 0);
    REQUIRE(eventually(test_timeout, [&] { return pipe.locked_by() == *keeper; }));
    CHECK(*os::keep_stdin_open(pipe.writer()) == 0); // one is enough
    CHECK(!pipe.is_at_end());
    ::kill(*keeper, SIGTERM);
    CHECK(!pipe.is_at_end());
    os::end_stdin_keeper(pipe.reader.get());
    CHECK(end_of(*keeper) == SIGKILL);
    CHECK(pipe.is_at_end());
    os::end_stdin_keeper(pipe.reader.get()); // nobody is left
}

TEST_CASE("a keeper ends with the last reader")
{
    Pipe pipe;
    const auto keeper = os::keep_stdin_open(pipe.writer());
    REQUIRE(keeper);
    pipe.reader.reset();
    CHECK(end_of(*keeper) == 0);
}
