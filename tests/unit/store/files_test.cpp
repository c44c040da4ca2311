// The way of opening files that is taken on kernels without openat2, and the locks.
#include "temp_folder.hpp"

#include "../../../src/store/files.hpp"

#include <fcntl.h>
#include <thread>

using namespace bgt;
using namespace bgt::store;
using namespace bgt::store::test;
using namespace std::chrono_literals;

TEST_CASE("opening step by step answers as openat2 does")
{
    TempFolder temp;
    std::filesystem::create_directories(temp / "a/b");
    put(temp / "a/b/file", "x");
    std::filesystem::create_symlink("file", temp / "a/b/link");
    std::filesystem::create_symlink("b", temp / "a/linked");
    const Fd dir(::open((temp / ".").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    REQUIRE(dir);
    const auto answer = [](const Fd& fd) { return fd ? 0 : errno; };
    for (const char* path : {"a/b/file", "a/b/link", "a/linked/file", "a/b/file/x", "a/none/x", "none", "a/b"}) {
        INFO(path);
        const int direct = answer(detail::open_below(dir.get(), path, O_RDONLY));
        const int stepwise = answer(detail::open_stepwise(dir.get(), path, O_RDONLY, 0));
        CHECK(direct == stepwise);
    }
    const Fd made = detail::open_stepwise(dir.get(), "a/b/made", O_WRONLY | O_CREAT, 0600);
    REQUIRE(made);
    CHECK((::fcntl(made.get(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(exists(temp / "a/b/made"));
}

TEST_CASE("a lock that another holds is waited for, and not for ever")
{
    TempFolder temp;
    put(temp / "lock", "");
    const auto open = [&] { return Fd(::open((temp / "lock").c_str(), O_RDWR | O_CLOEXEC)); };
    Fd holder = open();
    const Fd other = open();
    REQUIRE(detail::lock_waiting(holder.get()) == 0);

    REQUIRE(detail::lock_waiting(other.get(), 5ms) == detail::lock_timed_out);
    const Error error = detail::explain("can't lock " + (temp / "lock"), detail::lock_timed_out);
    CHECK(error.kind == ErrorKind::failed);
    CHECK(error.message.starts_with("can't lock " + (temp / "lock") + ": some bgt process"));

    std::thread releases([&] {
        std::this_thread::sleep_for(20ms);
        holder.reset();
    });
    CHECK(detail::lock_waiting(other.get(), 20s) == 0);
    releases.join();
    CHECK(detail::lock_waiting(-1) == EBADF);
}
