// bgt notify: what it says, to whoever listens at NOTIFY_SOCKET.
#include "support/catch.hpp"
#include "support/lab.hpp"

#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

using namespace bgt::test;

namespace {

/// A supervisor by the protocol that is not bgt.
class Listener {
public:
    explicit Listener(const std::string& path) : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0))
    {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        REQUIRE(path.size() < sizeof address.sun_path);
        std::memcpy(address.sun_path, path.c_str(), path.size());
        REQUIRE(bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    }
    ~Listener() { close(fd_); }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    /// The next message; descriptors that come with it are closed, as a supervisor does that has
    /// done all before.
    std::string next() const
    {
        pollfd wait{fd_, POLLIN, 0};
        REQUIRE(poll(&wait, 1, 20'000) == 1);
        char bytes[4096];
        iovec part{bytes, sizeof bytes};
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
        msghdr header{};
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        header.msg_control = control;
        header.msg_controllen = sizeof control;
        const ssize_t got = recvmsg(fd_, &header, MSG_CMSG_CLOEXEC);
        REQUIRE(got >= 0);
        for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(c), sizeof fd);
            close(fd);
        }
        return {bytes, static_cast<std::size_t>(got)};
    }

private:
    int fd_;
};

} // namespace

TEST_CASE("notify says all of it in one message, and waits until it is taken")
{
    Lab lab;
    const std::string path = lab.work() + "/sock";
    const Listener listener(path);
    lab.set_env("NOTIFY_SOCKET=" + path);
    Child notify(lab.bgt({"notify", "--ready", "--status", "up\nand\x1b[2J running", "--progress",
                          "40%", "--step", "linking", "--total-steps", "5", "--beat", "--extend",
                          "1m30s", "--watchdog", "10s", "--pid", "42", "--stopping"}));
    CHECK(
        listener.next() ==
        "STATUS=up and?[2J "
        "running\nX_BGT_STEP=linking\nX_BGT_PROGRESS=0.400000\nX_BGT_TOTAL=5\nMAINPID=42\n"
        "EXTEND_TIMEOUT_USEC=90000000\nWATCHDOG_USEC=10000000\nWATCHDOG=1\nREADY=1\nSTOPPING=1\n");
    CHECK(eventually(test_timeout, [&] { return state_of(notify.pid()) == 'S'; })); // not taken yet
    CHECK(listener.next() == "BARRIER=1");
    const Ran ran = notify.finish();
    INFO(ran);
    CHECK(ran.code == 0);
    CHECK(ran.out.empty());
    CHECK(ran.err.empty());
}

TEST_CASE("notify turns its watchdog off, and takes a fraction")
{
    Lab lab;
    const std::string path = lab.work() + "/sock";
    const Listener listener(path);
    lab.set_env("NOTIFY_SOCKET=" + path);
    Child notify(lab.bgt({"notify", "--watchdog", "off", "--progress", "1"}));
    CHECK(listener.next() == "X_BGT_PROGRESS=1.000000\nWATCHDOG_USEC=0\n");
    CHECK(listener.next() == "BARRIER=1");
    CHECK(notify.finish().code == 0);
}

TEST_CASE("notify outside of a task, and where nobody listens, says so")
{
    Lab lab;
    const Ran outside = lab({"notify", "--ready"});
    CHECK(outside.code == 125);
    CHECK(outside.out.empty());
    CHECK(outside.err ==
          "bgt notify: this is not inside a task: neither NOTIFY_SOCKET nor BGT_TASK_DIR is set\n");
    lab.set_env("NOTIFY_SOCKET=" + lab.work() + "/nobody");
    const Ran nobody = lab({"notify", "--ready"});
    CHECK(nobody.code == 125);
    CHECK(nobody.err.starts_with("bgt notify: "));
    lab.set_env("NOTIFY_SOCKET=vsock:2:1");
    CHECK(lab({"notify", "--ready"}).code == 125);
}

TEST_CASE("notify refuses what makes no sense")
{
    const Lab lab;
    const Words words =
        GENERATE(Words{}, Words{"--progress", "2"}, Words{"--progress", "-1"},
                 Words{"--progress", "101%"}, Words{"--progress", "nan"}, Words{"--progress", ""},
                 Words{"--total-steps", "0"}, Words{"--total-steps", "x"}, Words{"--extend", "x"},
                 Words{"--watchdog", "-1s"}, Words{"--pid", "0"}, Words{"--pid", "99999999999"},
                 Words{"--status", std::string(20'000, 'x')}, Words{"word"});
    Words all{"notify"};
    all.insert(all.end(), words.begin(), words.end());
    const Ran ran = lab(all);
    INFO(ran);
    CHECK(ran.code == 125);
    CHECK(std::count(ran.err.begin(), ran.err.end(), '\n') == 1);
}
