#include "support/catch.hpp"

#include <bgt/os/terminal.hpp>

#include <cstdlib>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

using namespace bgt;

namespace {

struct Pair {
    Fd master{::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)};
    Fd slave;
    Pair()
    {
        REQUIRE(::grantpt(master.get()) == 0);
        REQUIRE(::unlockpt(master.get()) == 0);
        slave.reset(::open(::ptsname(master.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
        REQUIRE(slave);
    }
    tcflag_t modes() const
    {
        termios now{};
        ::tcgetattr(slave.get(), &now);
        return now.c_lflag;
    }
};

} // namespace

TEST_CASE("the width is the terminal's, else that of COLUMNS, else 80")
{
    const Pair pair;
    const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    CHECK(os::is_terminal(pair.slave.get()));
    CHECK_FALSE(os::is_terminal(null.get()));
    const winsize size{33, 123, 0, 0};
    REQUIRE(::ioctl(pair.slave.get(), TIOCSWINSZ, &size) == 0);
    CHECK(os::terminal_width(pair.slave.get()) == 123);
    CHECK(os::terminal_height(pair.slave.get()) == 33);
    ::setenv("COLUMNS", "61", 1);
    CHECK(os::terminal_width(null.get()) == 61);
    CHECK(os::terminal_width(-1) == 61);
    for (const char* bad : {"", "-3", "0", "12x", "99999999999999"}) {
        ::setenv("COLUMNS", bad, 1);
        CHECK(os::terminal_width(null.get()) == 80);
    }
    ::unsetenv("COLUMNS");
    CHECK(os::terminal_width(null.get()) == 80);
}

TEST_CASE("raw keys are given back")
{
    const Pair pair;
    const tcflag_t before = pair.modes();
    REQUIRE((before & ICANON) != 0);
    {
        const os::RawKeys keys(pair.slave.get());
        CHECK((pair.modes() & (ICANON | ECHO)) == 0);
        CHECK((pair.modes() & ISIG) != 0);
        CHECK(::write(pair.master.get(), "q", 1) == 1);
        char key = 0;
        CHECK(::read(pair.slave.get(), &key, 1) == 1);
        CHECK(key == 'q');
    }
    CHECK(pair.modes() == before);
    const os::RawKeys none(-1);
}
