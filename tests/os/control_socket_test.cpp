#include <bgt/os/clock.hpp>
#include <bgt/os/control_socket.hpp>

#include "support/catch.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <future>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace bgt;
using namespace bgt::os;
using namespace std::chrono_literals;

namespace {

constexpr auto test_timeout = 20s;

Result<std::string> ask(int folder, const char* name, const std::string& request, Duration timeout)
{
    auto question = Question::send(folder, name, request);
    if (!question) return question.error();
    return question->answer(-1, now() + timeout);
}

struct Folder {
    Folder()
    {
        char made[] = "/tmp/bgt-ctl-XXXXXX";
        REQUIRE(mkdtemp(made) != nullptr);
        path = made;
        fd.reset(open(made, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        REQUIRE(fd);
    }
    ~Folder() { std::filesystem::remove_all(path); }
    std::string path;
    Fd fd;
};

ControlSocket bound(const Folder& folder, const std::string& address = {})
{
    Result<ControlSocket> made = ControlSocket::bind(folder.fd.get(), "ctl.sock", address);
    REQUIRE(made);
    return std::move(*made);
}

Datagram next(ControlSocket& socket)
{
    pollfd wait{socket.fd(), POLLIN, 0};
    REQUIRE(poll(&wait, 1, 20'000) == 1);
    std::optional<Datagram> got = socket.receive();
    REQUIRE(got);
    return std::move(*got);
}

/// A connected sender.
Fd sender(const std::string& path)
{
    Fd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    REQUIRE(path.size() < sizeof to.sun_path);
    std::memcpy(to.sun_path, path.c_str(), path.size());
    REQUIRE(connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
    return fd;
}

void send_with(int socket, const std::string& text, const std::vector<int>& descriptors)
{
    iovec part{const_cast<char*>(text.data()), text.size()};
    std::vector<char> control(CMSG_SPACE(descriptors.size() * sizeof(int)));
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    cmsghdr* const rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
    std::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size() * sizeof(int));
    REQUIRE(sendmsg(socket, &header, 0) >= 0);
}

std::size_t open_descriptors()
{
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
        ++count;
    return count;
}

/// Sends beside the test; its result is for the test to check.
std::future<bool> send_beside(const std::string& address, const std::string& text)
{
    return std::async(std::launch::async, [=] {
        return static_cast<bool>(send_notification(address, text, test_timeout));
    });
}

bool is_at_end(int pipe)
{
    pollfd wait{pipe, POLLIN, 0};
    return poll(&wait, 1, 0) == 1 && (wait.revents & POLLHUP) != 0;
}

} // namespace

TEST_CASE("A message comes with the sender that the kernel vouches for")
{
    const Folder folder;
    ControlSocket control = bound(folder);
    CHECK_FALSE(control.receive());
    const Fd from = sender(folder.path + "/ctl.sock");
    REQUIRE(send(from.get(), "READY=1", 7, 0) == 7);
    const Datagram got = next(control);
    CHECK(got.bytes == "READY=1");
    CHECK(got.pid == getpid());
    CHECK(got.uid == getuid());
    CHECK_FALSE(got.cut);
    CHECK(got.descriptors.empty());
    CHECK_FALSE(control.receive());
}

TEST_CASE("A message that is too long is cut and says so")
{
    const Folder folder;
    ControlSocket control = bound(folder);
    const Fd from = sender(folder.path + "/ctl.sock");
    const std::string text(64 * 1024, 'x');
    REQUIRE(send(from.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
    const Datagram got = next(control);
    CHECK(got.cut);
    CHECK(got.bytes.size() == max_datagram);
    REQUIRE(send(from.get(), text.data(), max_datagram, 0) > 0);
    CHECK_FALSE(next(control).cut);
    REQUIRE(send(from.get(), "", 0, 0) == 0);
    CHECK(next(control).bytes.empty());
}

TEST_CASE("Descriptors are handed on, and closed with the message")
{
    const Folder folder;
    ControlSocket control = bound(folder);
    const Fd from = sender(folder.path + "/ctl.sock");
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    const Fd reader(ends[0]);
    Fd writer(ends[1]);
    send_with(from.get(), "BARRIER=1", {writer.get()});
    writer.reset();
    {
        const Datagram got = next(control);
        REQUIRE(got.descriptors.size() == 1);
        CHECK((fcntl(got.descriptors[0].get(), F_GETFD) & FD_CLOEXEC) != 0);
        CHECK_FALSE(is_at_end(reader.get()));
    }
    CHECK(is_at_end(reader.get()));
}

TEST_CASE("Descriptors beyond a few are closed and counted")
{
    const Folder folder;
    ControlSocket control = bound(folder);
    const Fd from = sender(folder.path + "/ctl.sock");
    const Fd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
    const std::size_t before = open_descriptors();
    {
        send_with(from.get(), "READY=1", std::vector<int>(250, null.get()));
        const Datagram got = next(control);
        CHECK(got.descriptors.size() == max_descriptors);
        CHECK(got.closed_descriptors == 250 - max_descriptors);
        CHECK(got.pid == getpid());
        CHECK(open_descriptors() == before + max_descriptors);
    }
    CHECK(open_descriptors() == before);
}

TEST_CASE("Requests and answers")
{
    const Folder folder;
    ControlSocket control = bound(folder);
    auto asked = std::async(std::launch::async, [&] {
        return ask(folder.fd.get(), "ctl.sock", "well?", test_timeout);
    });
    const Datagram got = next(control);
    control.reply(got, "yes: " + got.bytes);
    const Result<std::string> answer = asked.get();
    REQUIRE(answer);
    CHECK(*answer == "yes: well?");
    CHECK_FALSE(ask(folder.fd.get(), "ctl.sock", "well?", 10ms));
    CHECK_FALSE(ask(folder.fd.get(), "other", "well?", 10ms));
}

TEST_CASE("A socket that a dead supervisor left is replaced")
{
    const Folder folder;
    {
        const ControlSocket dead = bound(folder);
    }
    ControlSocket control = bound(folder);
    const Fd from = sender(folder.path + "/ctl.sock");
    REQUIRE(send(from.get(), "x", 1, 0) == 1);
    CHECK(next(control).bytes == "x");
}

TEST_CASE("A request does not go through a symlink to another's socket")
{
    Folder theirs;
    ControlSocket other = bound(theirs);
    Folder folder;
    std::filesystem::create_symlink(theirs.path + "/ctl.sock", folder.path + "/ctl.sock");
    const auto answer = ask(folder.fd.get(), "ctl.sock", "{}", 5s);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().sys_errno == ENOTSOCK);
    CHECK_FALSE(other.receive());
}

TEST_CASE("A folder too deep for a socket's path has an abstract address")
{
    CHECK(ControlSocket::notify_address("/run/bgt/tasks/7", "ctl.sock", "secret") ==
          "/run/bgt/tasks/7/ctl.sock");
    CHECK(ControlSocket::notify_address("/" + std::string(97, 'd'), "ctl.sock", "secret").size() ==
          107);
    const std::string deep = "/" + std::string(98, 'd');
    const std::string address = ControlSocket::notify_address(deep, "ctl.sock", "secret");
    CHECK(address.starts_with("@bgt-"));
    CHECK(address == ControlSocket::notify_address(deep + "/more", "ctl.sock", "secret"));
    CHECK(address != ControlSocket::notify_address(deep, "ctl.sock", "other"));
    CHECK(address.find("secret") == std::string::npos);
}

TEST_CASE("Both addresses of a socket are heard")
{
    const Folder folder;
    const std::string address = "@bgt-test-" + std::to_string(getpid());
    ControlSocket control = bound(folder, address);
    REQUIRE(control.has_notify_address());
    std::future<bool> sent = send_beside(address, "READY=1");
    CHECK(next(control).bytes == "READY=1");
    CHECK(next(control).bytes == "BARRIER=1");
    CHECK(sent.get());
    const Fd from = sender(folder.path + "/ctl.sock");
    REQUIRE(send(from.get(), "stop", 4, 0) == 4);
    CHECK(next(control).bytes == "stop");
    // The name is taken: the second one does without.
    const Folder other;
    ControlSocket second = bound(other, address);
    CHECK_FALSE(second.has_notify_address());
    const Fd to_second = sender(other.path + "/ctl.sock");
    REQUIRE(send(to_second.get(), "x", 1, 0) == 1);
    CHECK(next(second).bytes == "x");
}

TEST_CASE("A notification is sent, and waits until it is taken")
{
    const Folder folder;
    ControlSocket control = bound(folder);
    const std::string address = folder.path + "/ctl.sock";
    std::future<bool> sent = send_beside(address, "READY=1\nSTATUS=up");
    CHECK(next(control).bytes == "READY=1\nSTATUS=up");
    {
        const Datagram barrier = next(control);
        CHECK(barrier.bytes == "BARRIER=1");
        CHECK(barrier.descriptors.size() == 1);
    }
    CHECK(sent.get());
    const Result<void> late = send_notification(address, "READY=1", 50ms);
    REQUIRE_FALSE(late);
    CHECK(late.error().message.find("in time") != std::string::npos);
}

TEST_CASE("A queue that is full ends in an error, not in a wait for ever")
{
    const Folder folder;
    const ControlSocket control = bound(folder);
    Result<void> sent{};
    for (int i = 0; i < 5000 && sent; ++i)
        sent = send_notification(folder.path + "/ctl.sock", "WATCHDOG=1", 5ms);
    REQUIRE_FALSE(sent);
    CHECK(sent.error().sys_errno == ETIMEDOUT);
}

TEST_CASE("A path longer than an address can be is reached all the same")
{
    const Folder folder;
    const std::string deep = folder.path + "/" + std::string(120, 'd');
    REQUIRE(std::filesystem::create_directory(deep));
    const Fd fd(open(deep.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    Result<ControlSocket> control = ControlSocket::bind(fd.get(), "ctl.sock");
    REQUIRE(control);
    std::future<bool> sent = send_beside(deep + "/ctl.sock", "READY=1");
    CHECK(next(*control).bytes == "READY=1");
    CHECK(next(*control).bytes == "BARRIER=1");
    CHECK(sent.get());
}

TEST_CASE("Addresses at which nobody can be")
{
    for (const std::string& address :
         {std::string(), std::string("/"), std::string("@"), std::string("vsock:2:1234"),
          std::string("relative/path"), "/no/such/folder/" + std::string(200, 'x'),
          "@" + std::string(200, 'x'), std::string("/no/such/socket"), std::string("/dev/null")}) {
        INFO(address);
        const Result<void> sent = send_notification(address, "READY=1", 50ms);
        REQUIRE_FALSE(sent);
        CHECK_FALSE(sent.error().message.empty());
    }
}
