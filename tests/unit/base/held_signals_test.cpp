#include "support/catch.hpp"
#include <bgt/base/held_signals.hpp>
#include <poll.h>
#include <unistd.h>

using bgt::HeldSignals;

namespace {

bool is_readable(int fd)
{
    pollfd one{fd, POLLIN, 0};
    return poll(&one, 1, 0) == 1;
}

bool is_blocked(int signal)
{
    sigset_t mask;
    sigprocmask(SIG_SETMASK, nullptr, &mask);
    return sigismember(&mask, signal) == 1;
}

} // namespace

TEST_CASE("signals are held back and read one by one")
{
    {
        const HeldSignals held{SIGUSR1, SIGUSR2};
        CHECK(is_blocked(SIGUSR1));
        CHECK_FALSE(is_readable(held.fd()));
        CHECK(held.take() == 0);
        kill(getpid(), SIGUSR2);
        kill(getpid(), SIGUSR1);
        CHECK(is_readable(held.fd()));
        CHECK(held.take() + held.take() == SIGUSR1 + SIGUSR2);
        CHECK(held.take() == 0);
    }
    CHECK_FALSE(is_blocked(SIGUSR1));
}

TEST_CASE("what was blocked before stays so, and what the caller ignores stays ignored")
{
    const sigset_t set = bgt::signal_set({SIGUSR1});
    sigset_t before;
    sigprocmask(SIG_BLOCK, &set, &before);
    {
        const HeldSignals held{SIGUSR1};
    }
    CHECK(is_blocked(SIGUSR1));
    sigprocmask(SIG_SETMASK, &before, nullptr);

    const auto was = std::signal(SIGHUP, SIG_IGN);
    {
        const HeldSignals held{SIGHUP};
        kill(getpid(), SIGHUP);
        CHECK(held.take() == 0);
    }
    std::signal(SIGHUP, was);
}
