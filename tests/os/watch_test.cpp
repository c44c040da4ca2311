#include "sandbox.hpp"
#include "support/catch.hpp"

#include <bgt/os/clock.hpp>
#include <bgt/os/watch.hpp>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

using namespace bgt;
using namespace std::chrono_literals;

namespace {

void append(const std::string& path)
{
    std::ofstream(path, std::ios::app) << "x";
}

os::Watch make()
{
    auto watch = os::Watch::create();
    REQUIRE(watch);
    return std::move(*watch);
}

os::Watch::Wake wait(os::Watch& watch, Duration limit = test::test_timeout)
{
    auto wake = watch.wait(os::now() + limit);
    REQUIRE(wake);
    return *wake;
}

/// Takes all events that have happened: some changes give several.
void drain(os::Watch& watch)
{
    while (!wait(watch, 0s).timed_out) {}
}

} // namespace

TEST_CASE("a watch sleeps until its deadline, and not at all after it")
{
    auto watch = make();
    const Instant deadline = os::now() + 20ms;
    const auto wake = watch.wait(deadline);
    REQUIRE(wake);
    CHECK(wake->timed_out);
    CHECK(os::now() >= deadline);
    CHECK(wait(watch, -5s).timed_out);
}

TEST_CASE("a watch wakes for each change of a file")
{
    test::Sandbox sandbox;
    const std::string path = sandbox.folder() + "/log";
    append(path);
    auto watch = make();
    const auto token = watch.add_file(path);
    REQUIRE(token);
    CHECK(wait(watch, 0s).timed_out);

    SECTION("writing")
    {
        append(path);
        CHECK(wait(watch).tokens == std::vector{*token});
    }
    SECTION("truncating")
    {
        REQUIRE(::truncate(path.c_str(), 0) == 0);
        CHECK(wait(watch).tokens == std::vector{*token});
    }
    SECTION("removing, and the token stays harmless")
    {
        REQUIRE(::unlink(path.c_str()) == 0);
        CHECK(wait(watch).tokens == std::vector{*token});
        drain(watch);
        watch.remove(*token);
        watch.remove(*token);
        append(path);
        CHECK(wait(watch, 0s).timed_out);
    }
    SECTION("replacing")
    {
        append(path + ".new");
        REQUIRE(std::rename((path + ".new").c_str(), path.c_str()) == 0);
        CHECK(wait(watch).tokens == std::vector{*token});
    }
    SECTION("not after it was removed from the watch")
    {
        append(path);
        watch.remove(*token);
        CHECK(wait(watch, 0s).timed_out);
    }
}

TEST_CASE("one file watched twice has two tokens")
{
    test::Sandbox sandbox;
    const std::string path = sandbox.folder() + "/log";
    append(path);
    REQUIRE(::link(path.c_str(), (path + ".link").c_str()) == 0);
    auto watch = make();
    const auto first = watch.add_file(path), second = watch.add_file(path + ".link");
    REQUIRE(first);
    REQUIRE(second);
    CHECK(*first != *second);
    append(path);
    CHECK(wait(watch).tokens == std::vector{*first, *second});
    drain(watch);
    watch.remove(*first);
    append(path);
    CHECK(wait(watch).tokens == std::vector{*second});
}

TEST_CASE("a folder wakes for its entries, not for what is written to them")
{
    test::Sandbox sandbox;
    const std::string folder = sandbox.folder(), path = folder + "/entry";
    auto watch = make();
    const auto token = watch.add_folder(folder);
    REQUIRE(token);
    append(path);
    CHECK(wait(watch).tokens == std::vector{*token});
    drain(watch);
    append(path);
    CHECK(wait(watch, 0s).timed_out);
    REQUIRE(std::rename(path.c_str(), (path + "2").c_str()) == 0);
    CHECK(wait(watch).tokens == std::vector{*token});
    drain(watch);
    REQUIRE(::unlink((path + "2").c_str()) == 0);
    CHECK(wait(watch).tokens == std::vector{*token});
}

TEST_CASE("what can't be watched is an error")
{
    auto watch = make();
    const auto missing = watch.add_file("/nonexistent/file");
    REQUIRE_FALSE(missing);
    CHECK(missing.error().sys_errno == ENOENT);
    CHECK(missing.error().message.find("/nonexistent/file") != std::string::npos);
}

TEST_CASE("without an inotify instance every wake is soon and says: look at everything again")
{
    test::Sandbox sandbox;
    const std::string path = sandbox.folder() + "/log";
    append(path);
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    rlimit none = before;
    none.rlim_cur = 0;
    os::Watch watch = make();
    CHECK_FALSE(wait(watch, 0s).overflow); // no file yet
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
    const auto missing = watch.add_file(path + ".none"); // EMFILE, as with too many instances
    const auto token = watch.add_file(path);
    const auto folder = watch.add_folder(sandbox.folder());
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    REQUIRE_FALSE(missing);
    CHECK(missing.error().sys_errno == ENOENT);
    REQUIRE(token);
    REQUIRE(folder);
    CHECK(*token != *folder);
    const auto wake = watch.wait(std::nullopt); // returns, although there is no deadline
    REQUIRE(wake);
    CHECK(wake->overflow);
    CHECK_FALSE(wake->timed_out);
    CHECK(wait(watch, 0s).timed_out);

    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const Fd reader(ends[0]), writer(ends[1]);
    watch.add_fd(reader.get());
    REQUIRE(::write(writer.get(), "x", 1) == 1);
    const auto readable = wait(watch);
    CHECK(readable.fds == std::vector{reader.get()});
    CHECK(readable.overflow);
    watch.remove_fd(reader.get());

    watch.remove(*token);
    CHECK(wait(watch).overflow);
    watch.remove(*folder);
    const auto last = wait(watch, 40ms);
    CHECK(last.timed_out);
    CHECK_FALSE(last.overflow);
}

TEST_CASE("a watch wakes when a process ends, at once")
{
    test::Sandbox sandbox;
    auto sleeper = sandbox.start({"trap-exit0"});
    REQUIRE(sleeper.line() == "ready");
    const auto key = os::key_of(sleeper.pid);
    REQUIRE(key);
    const auto pidfd = os::open_pidfd(*key);
    REQUIRE(pidfd);
    auto watch = make();
    watch.add_fd(pidfd->get());
    watch.add_fd(pidfd->get());
    CHECK(wait(watch, 0s).timed_out);
    ::kill(sleeper.pid, SIGTERM);
    CHECK(wait(watch).fds == std::vector{pidfd->get()});
    watch.remove_fd(pidfd->get());
    CHECK(wait(watch, 0s).timed_out);
}

TEST_CASE("a signal interrupts the sleep")
{
    auto watch = make();
    struct sigaction action {
    }, before{};
    action.sa_handler = [](int) {};
    ::sigaction(SIGALRM, &action, &before);
    const itimerval each{{0, 10'000}, {0, 10'000}}, none{};
    ::setitimer(ITIMER_REAL, &each, nullptr); // again and again: one could come before the sleep
    const auto wake = watch.wait(os::now() + test::test_timeout);
    ::setitimer(ITIMER_REAL, &none, nullptr);
    ::sigaction(SIGALRM, &before, nullptr);
    REQUIRE(wake);
    CHECK(wake->interrupted);
    CHECK_FALSE(wake->timed_out);
}
