/// What a process waits for, and what it sends: terminals, FIFOs, sockets.
#include "sandbox.hpp"
#include "support/catch.hpp"

#include <bgt/os/sample.hpp>
#include <bgt/os/tree.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <functional>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

using namespace bgt;
using namespace bgt::core;
using namespace std::chrono_literals;

namespace {

using Body = std::function<void()>;

std::int32_t in_child(const Body& body)
{
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    ::alarm(600);
    body();
    for (;;) ::pause();
}

std::vector<os::ProcStat> members_of(std::int32_t root)
{
    auto members = os::descendants_of(root);
    if (const auto stat = os::read_stat(root)) members.insert(members.begin(), *stat);
    return members;
}

/// A FIFO, open for reading and writing so that nobody blocks in open.
struct Fifo {
    explicit Fifo(const std::string& path)
    {
        struct stat info {};
        if (::mkfifo(path.c_str(), 0600) != 0 || ::stat(path.c_str(), &info) != 0) return;
        fd = Fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
        id = {info.st_dev, info.st_ino};
    }
    Fd fd;
    os::StdinFifo id;
};

void read_one(int fd)
{
    char c = 0;
    if (::read(fd, &c, 1) < 0) ::_exit(3);
}

void poll_for(std::vector<pollfd> asked, int timeout)
{
    ::poll(asked.data(), asked.size(), timeout);
}

void select_for(int fd, bool endless)
{
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fd, &set);
    timeval timeout{600, 0};
    ::select(fd + 1, &set, nullptr, nullptr, endless ? nullptr : &timeout);
}

void epoll_for(int fd)
{
    const Fd poller(::epoll_create1(EPOLL_CLOEXEC));
    epoll_event event{};
    event.events = EPOLLIN;
    ::epoll_ctl(poller.get(), EPOLL_CTL_ADD, fd, &event);
    ::epoll_wait(poller.get(), &event, 1, -1);
}

/// What the only process is seen to wait for when it sleeps in the end: `expected` once it is seen,
/// but `other` only if nothing else is seen for a while.
WaitsFor waits_for(std::int32_t pid, const os::StdinFifo& fifo, WaitsFor expected)
{
    WaitsFor seen = WaitsFor::other;
    const auto look = [&] {
        const Sample sample = os::take_sample(members_of(pid), fifo);
        if (sample.processes.empty() || sample.processes[0].state != 'S') return false;
        seen = sample.processes[0].waits_for;
        return seen != WaitsFor::other && seen == expected;
    };
    test::eventually(look,
                     expected == WaitsFor::other ? Duration(50ms) : Duration(test::test_timeout));
    return seen;
}

/// A pseudo-terminal; both ends belong to the test.
struct Pty {
    Pty() : master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC))
    {
        if (::grantpt(master.get()) != 0 || ::unlockpt(master.get()) != 0) return;
        slave = Fd(::open(::ptsname(master.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
    }
    Fd master, slave;
};

} // namespace

TEST_CASE("who reads the task's stdin waits for input, who reads another pipe does not")
{
    test::Sandbox sandbox;
    const std::string folder = sandbox.folder();
    const Fifo in(folder + "/in"), other(folder + "/other");
    REQUIRE((in.fd && other.fd));
    std::array<int, 2> pipe{};
    REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
    const Fd unread(pipe[0]), unwritten(pipe[1]);
    const int fd = in.fd.get(), wrong = other.fd.get();
    struct Row {
        const char* what;
        Body body;
        WaitsFor expected;
    };
    const std::vector<Row> table = {
        {"read", [&] { read_one(fd); }, WaitsFor::input},
        {"read as descriptor 0", [&] { ::dup2(fd, 0), read_one(0); }, WaitsFor::input},
        {"read another FIFO", [&] { read_one(wrong); }, WaitsFor::other},
        {"read a pipe", [&] { read_one(pipe[0]); }, WaitsFor::other},
        {"sleep with it open", [&] { ::dup2(fd, 0); }, WaitsFor::other},
        {"poll it alone",
         [&] {
             poll_for({{fd, POLLIN, 0}}, -1);
         },
         WaitsFor::input},
        {"poll it alone for a while",
         [&] {
             poll_for({{fd, POLLIN, 0}}, 600'000);
         },
         WaitsFor::maybe_input},
        {"poll it and a pipe of its own",
         [&] {
             poll_for({{pipe[0], POLLIN, 0}, {fd, POLLIN, 0}}, -1);
         },
         WaitsFor::input},
        {"poll it and a pipe of others",
         [&] {
             ::close(pipe[1]), poll_for({{pipe[0], POLLIN, 0}, {fd, POLLIN, 0}}, -1);
         },
         WaitsFor::maybe_input},
        {"poll a pipe",
         [&] {
             ::dup2(fd, 0), poll_for({{pipe[0], POLLIN, 0}}, -1);
         },
         WaitsFor::other},
        {"poll it for errors",
         [&] {
             poll_for({{fd, 0, 0}, {-1, POLLIN, 0}}, -1);
         },
         WaitsFor::other},
        {"poll nothing", [&] { ::dup2(fd, 0), poll_for({}, -1); }, WaitsFor::other},
        {"select it", [&] { select_for(fd, true); }, WaitsFor::input},
        {"select it for a while", [&] { select_for(fd, false); }, WaitsFor::maybe_input},
        {"select a pipe", [&] { select_for(pipe[0], true); }, WaitsFor::other},
        {"epoll it", [&] { epoll_for(fd); }, WaitsFor::input},
        {"epoll a pipe", [&] { epoll_for(pipe[0]); }, WaitsFor::other},
    };
    for (const Row& row : table) {
        INFO(row.what);
        const auto pid = in_child(row.body);
        CHECK(waits_for(pid, in.id, row.expected) == row.expected);
        CHECK(waits_for(pid, {}, WaitsFor::other) == WaitsFor::other);
    }
}

TEST_CASE("who turns to the task's output for input waits for input, as an editor does whose stdin "
          "is at its end")
{
    test::Sandbox sandbox;
    const std::string path = sandbox.folder() + "/" + GENERATE("out", "err");
    const Fifo fifo(path);
    const Fd writer(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    REQUIRE((fifo.fd && writer));
    const os::StdinFifo id = path.ends_with("/out") ? os::StdinFifo{fifo.id.dev, 0, fifo.id.ino, 0}
                                                    : os::StdinFifo{fifo.id.dev, 0, 0, fifo.id.ino};
    const auto pid = in_child([&] { ::dup2(writer.get(), 0), select_for(0, true); });
    CHECK(waits_for(pid, id, WaitsFor::input) == WaitsFor::input);
    CHECK(waits_for(pid, {fifo.id.dev, fifo.id.ino + 1}, WaitsFor::other) == WaitsFor::other);
}

TEST_CASE("a thread beside the main one is seen to read")
{
    test::Sandbox sandbox;
    const Fifo in(sandbox.folder() + "/in");
    const auto pid = in_child([&] {
        ::dup2(in.fd.get(), 0);
        std::thread([] { read_one(0); }).detach();
    });
    CHECK(waits_for(pid, in.id, WaitsFor::input) == WaitsFor::input);
    const auto alone = in_child([&] { // goes on without its main thread: a zombie in `stat`
        ::dup2(in.fd.get(), 0);
        std::thread([] { read_one(0); }).detach();
        ::syscall(SYS_exit, 0);
    });
    Sample sample;
    CHECK(test::eventually([&] {
        sample = os::take_sample(members_of(alone), in.id);
        return sample.processes.size() == 1 && sample.processes[0].waits_for == WaitsFor::input;
    }));
    CHECK(sample.processes[0].state == 'S');
}

TEST_CASE("who waits for a time, or for a child to execute a program, is told from who is stuck")
{
    test::Sandbox sandbox;
    const auto sleeper = in_child([] { poll_for({}, 600'000); });
    CHECK(waits_for(sleeper, {}, WaitsFor::sleep) == WaitsFor::sleep);
    const auto parent = in_child([] {
        if (::vfork() == 0) // NOLINT: that is what is looked at
            for (;;) ::pause();
    });
    CHECK(test::eventually([&] { // in state D for the kernel
        const Sample sample = os::take_sample(members_of(parent), {});
        return sample.processes.size() == 2 && sample.processes[0].state == 'S';
    }));
}

TEST_CASE("who reads a terminal waits for input")
{
    test::Sandbox sandbox;
    const Pty pty;
    REQUIRE(pty.slave);
    const int fd = pty.slave.get();
    const auto owner = in_child([&] {
        ::setsid();
        ::ioctl(fd, TIOCSCTTY, 0);
        const Fd own(::open("/dev/tty", O_RDWR | O_CLOEXEC));
        read_one(own.get());
    });
    CHECK(waits_for(owner, {}, WaitsFor::input) == WaitsFor::input);
    const auto stranger = in_child([&] { ::setsid(), ::dup2(fd, 0), epoll_for(0); });
    CHECK(waits_for(stranger, {}, WaitsFor::input) == WaitsFor::input);
    const auto reader = in_child([&] { ::setsid(), read_one(fd); });
    CHECK(waits_for(reader, {}, WaitsFor::input) == WaitsFor::input);
    const auto master = in_child([&] { read_one(pty.master.get()); }); // the terminal program's end
    CHECK(waits_for(master, {}, WaitsFor::other) == WaitsFor::other);
}

TEST_CASE("a background reader that its terminal stopped is told from one that somebody stopped")
{
    test::Sandbox sandbox;
    const Pty pty;
    REQUIRE(pty.slave);
    const int fd = pty.slave.get();
    const auto shell = in_child([&] {
        ::setsid();
        ::ioctl(fd, TIOCSCTTY, 0);
        if (::fork() != 0) return;
        ::setpgid(0, 0);
        read_one(fd);
    });
    Sample now;
    REQUIRE(test::eventually([&] {
        now = os::take_sample(members_of(shell), {});
        return now.processes.size() == 2 && now.processes[1].state == 'T';
    }));
    CHECK(now.processes[1].stopped_for_terminal);
    CHECK_FALSE(now.processes[0].stopped_for_terminal);
    CHECK(classify({1s}, now, now, false) == Activity::waiting_input);
    for (const bool terminal :
         {false, true}) { // the foreground group of a terminal, or none at all
        const auto plain = terminal ? shell : in_child([] { ::setsid(); });
        ::kill(plain, SIGSTOP);
        const auto stopped = [&] {
            now = os::take_sample(members_of(plain), {});
            return !now.processes.empty() && now.processes[0].state == 'T';
        };
        REQUIRE(test::eventually(stopped));
        CHECK_FALSE(now.processes[0].stopped_for_terminal);
        if (!terminal) CHECK(classify({1s}, now, now, false) == Activity::stopped);
    }
}

TEST_CASE("bytes over TCP are counted for those who hold the socket")
{
    test::Sandbox sandbox;
    const int family = GENERATE(AF_INET, AF_INET6);
    const Fd listener(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_storage address{};
    address.ss_family = static_cast<sa_family_t>(family);
    if (family == AF_INET)
        reinterpret_cast<sockaddr_in&>(address).sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else reinterpret_cast<sockaddr_in6&>(address).sin6_addr = in6addr_loopback;
    auto* const name = reinterpret_cast<sockaddr*>(&address);
    socklen_t length = sizeof address;
    if (!listener || ::bind(listener.get(), name, length) != 0) return; // no IPv6 here
    REQUIRE(::listen(listener.get(), 8) == 0);
    REQUIRE(::getsockname(listener.get(), name, &length) == 0);
    const auto client = in_child([&] {
        const Fd out(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (::connect(out.get(), name, length) != 0) ::_exit(3);
        read_one(out.get());
        const std::string data(100'000, 'x');
        if (::write(out.get(), data.data(), data.size()) < 0) ::_exit(3);
        read_one(out.get());
    });
    const Fd peer(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    REQUIRE(peer);
    const auto look = [&] {
        Sample sample = os::take_sample(members_of(client), {});
        os::add_sockets(sample, members_of(client));
        return sample;
    };
    const Sample before = look();
    REQUIRE(before.sockets_known);
    REQUIRE(before.sockets.size() == 1); // and not the listener, which the child has as well
    REQUIRE(::write(peer.get(), "g", 1) == 1);
    std::array<char, 64 * 1024> buffer;
    std::size_t got = 0;
    while (got < 100'000) {
        const ssize_t some = ::read(peer.get(), buffer.data(), buffer.size());
        REQUIRE(some > 0);
        got += static_cast<std::size_t>(some);
    }
    CHECK(test::eventually([&] { return compare(before, look()).net_bytes >= 100'001; }));
    CHECK(compare(before, look()).net_bytes < 101'000);
    Sample sleeper = os::take_sample({}, {});
    os::add_sockets(sleeper, {});
    CHECK(sleeper.sockets_known);
    CHECK(sleeper.sockets.empty());
}
