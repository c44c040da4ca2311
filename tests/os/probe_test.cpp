#include "sandbox.hpp"
#include "support/catch.hpp"

#include <bgt/os/clock.hpp>
#include <bgt/os/helper.hpp>
#include <bgt/os/probe.hpp>
#include <bgt/os/tree.hpp>

#include <arpa/inet.h>
#include <csignal>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

using namespace bgt;
using namespace std::chrono_literals;

namespace {

const std::vector<std::string> local{"127.0.0.1", "::1"};

/// A listening socket that this test itself answers for.
struct Server {
    Fd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    std::uint16_t port = 0;
    Server()
    {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        REQUIRE(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
        REQUIRE(::listen(socket.get(), 4) == 0);
        REQUIRE(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
        port = ntohs(address.sin_port);
    }
    /// Answers one connection with these bytes; what it was asked.
    std::string answer_once(const std::string& bytes)
    {
        const Fd connection(::accept4(socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
        std::string question(4096, '\0');
        const ssize_t got = ::recv(connection.get(), question.data(), question.size(), 0);
        question.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        ::send(connection.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        return question;
    }
};

struct Exchange {
    Result<int> status;
    std::string question;
};
Exchange exchange(const std::string& answer, const std::string& target = "/")
{
    Server server;
    std::string question;
    std::thread serving([&] { question = server.answer_once(answer); });
    auto status =
        os::http_get_status({"localhost", server.port, target}, local, test::test_timeout);
    serving.join();
    return {std::move(status), question};
}

} // namespace

TEST_CASE("an answer without an end is given up, whatever it consists of")
{
    struct Endless {
        std::string begin;
        std::string again;
    };
    const Endless endless =
        GENERATE(Endless{"", "HTTP/1.1 100 Continue\r\n\r\n"}, Endless{"HTTP/1.1 ", "9"},
                 Endless{"HTTP/1.1 200 ", "x"}, Endless{"HTTP/1.1 200 OK\r\n", "A: b\r\n"},
                 Endless{"", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"});
    INFO(endless.begin << endless.again);
    Server server;
    std::size_t sent = 0;
    std::thread serving([&] {
        const Fd connection(::accept4(server.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
        std::string block = endless.begin;
        while (true) {
            const ssize_t got = ::send(connection.get(), block.data(), block.size(), MSG_NOSIGNAL);
            if (got < 0) return;
            sent += static_cast<std::size_t>(got);
            block.clear();
            for (int i = 0; i < 64; ++i) block += endless.again;
        }
    });
    const Instant before = os::now();
    const auto status =
        os::http_get_status({"localhost", server.port, "/"}, {"127.0.0.1"}, test::test_timeout);
    serving.join();
    CHECK_FALSE(status);
    CHECK(os::now() - before < test::test_timeout / 2);
    CHECK(sent < 64u << 20); // what the kernel's buffers hold beside the 64 KiB that are read
}

TEST_CASE("an answer that comes a byte at a time has no more time than any other")
{
    Server server;
    std::thread serving([&] {
        const Fd connection(::accept4(server.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
        while (::send(connection.get(), "H", 1, MSG_NOSIGNAL) == 1)
            std::this_thread::sleep_for(1ms);
    });
    const Instant before = os::now();
    CHECK_FALSE(os::http_get_status({"localhost", server.port, "/"}, {"127.0.0.1"}, 300ms));
    serving.join();
    CHECK(os::now() - before < 10s);
}

TEST_CASE("addresses of a host")
{
    CHECK(*os::resolve("10.1.2.3", 1s) == std::vector<std::string>{"10.1.2.3"});
    CHECK(*os::resolve("::1", 1s) == std::vector<std::string>{"::1"});
    CHECK(*os::resolve("localhost", 1s) == local);
    const auto own = os::resolve("ip6-localhost.invalid", 20s);
    REQUIRE_FALSE(own);
    CHECK(own.error().message.find("ip6-localhost.invalid") != std::string::npos);
    for (const char* bad : {"", "-x", "a b", "a\nb", "$(reboot)\t"})
        CHECK_FALSE(os::resolve(bad, 1s));
}

TEST_CASE("a TCP connection is accepted or it is not")
{
    test::Sandbox sandbox;
    auto server = sandbox.start({"listen", "0"});
    const auto numbers = server.numbers();
    REQUIRE(numbers.size() == 1);
    const auto port = static_cast<std::uint16_t>(numbers[0]);
    CHECK(os::tcp_connects(local, port, 5s));
    CHECK(os::tcp_connects({"not an address", "127.0.0.1"}, port, 5s));
    CHECK_FALSE(os::tcp_connects({"::1"}, port, 5s));
    CHECK_FALSE(os::tcp_connects({}, port, 5s));
    ::kill(server.pid, SIGKILL);
    sandbox.reap(server.pid);
    CHECK_FALSE(os::tcp_connects(local, port, 5s));
}

TEST_CASE("a connection attempt ends with its timeout")
{
    Server server;
    std::vector<Fd> full; // the queue of a server that accepts nobody
    for (int i = 0; i < 16; ++i) {
        Fd& socket =
            full.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(server.port);
        static_cast<void>(
            ::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address));
    }
    const Instant before = os::now();
    CHECK_FALSE(os::tcp_connects({"127.0.0.1"}, server.port, 50ms));
    CHECK(os::now() - before < 5s);
}

TEST_CASE("the status of an HTTP answer")
{
    const auto plain = exchange("HTTP/1.1 204 No Content\r\n\r\n", "/health?x=1");
    REQUIRE(plain.status);
    CHECK(*plain.status == 204);
    CHECK(plain.question.starts_with("GET /health?x=1 HTTP/1.1\r\n"));
    CHECK(plain.question.find("Host: localhost:") != std::string::npos);

    CHECK(*exchange("HTTP/1.0 503 x\r\nContent-Length: 1000000\r\n\r\nsome").status == 503);
    CHECK(
        *exchange(
             "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n")
             .status == 301);
    CHECK_FALSE(exchange("SSH-2.0-OpenSSH_9.2\r\n\r\n").status);
    CHECK_FALSE(exchange("").status);
    CHECK(*exchange("HTTP/1.1 200\r\n").status == 200); // and then the connection is closed
    const auto flood = exchange("HTTP/1.1 200 OK\r\nX: " + std::string(200'000, 'a') + "\r\n\r\n");
    CHECK_FALSE(flood.status);
}

TEST_CASE("no HTTP answer is an error that says why")
{
    Server mute;
    const Instant before = os::now();
    const auto late = os::http_get_status({"localhost", mute.port, "/"}, {"127.0.0.1"}, 50ms);
    CHECK(os::now() - before < 5s);
    REQUIRE_FALSE(late);
    CHECK(late.error().message.find("in time") != std::string::npos);
    const std::uint16_t port = mute.port;
    mute.socket.reset();
    const auto refused = os::http_get_status({"localhost", port, "/"}, local, 5s);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find("refused") != std::string::npos);
    CHECK_FALSE(os::http_get_status({"localhost", port, "/"}, {}, 5s));
}

TEST_CASE("the fixture's HTTP server answers")
{
    test::Sandbox sandbox;
    auto server = sandbox.start({"http", "0", "418"});
    const auto numbers = server.numbers();
    REQUIRE(numbers.size() == 1);
    const core::HttpUrl url{"localhost", static_cast<std::uint16_t>(numbers[0]), "/"};
    CHECK(*os::http_get_status(url, local, test::test_timeout) == 418);
    CHECK(*os::http_get_status(url, local, test::test_timeout) == 418);
}

TEST_CASE("a command's exit code")
{
    CHECK(*os::run_command("exit 7", test::test_timeout) == 7);
    CHECK(*os::run_command("true", test::test_timeout) == 0);
    CHECK(*os::run_command("kill -KILL $$", test::test_timeout) == 128 + SIGKILL);
    CHECK(*os::run_command("/nonexistent/program", test::test_timeout) == 127);
    CHECK(*os::run_command("read line", test::test_timeout) == 1); // stdin is empty
    CHECK(*os::run_command("echo to-nobody; echo x >&2", test::test_timeout) == 0);
}

TEST_CASE(
    "a command has its own process group, no blocked or ignored signal and no stray descriptor")
{
    test::Sandbox sandbox;
    const Fd stray(::open("/dev/null", O_RDONLY)); // inheritable on purpose
    sigset_t term, before;
    ::sigemptyset(&term);
    ::sigaddset(&term, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &term, &before);
    const auto ignored = ::signal(SIGPIPE, SIG_IGN);
    const auto ended = os::run_helper(BGT_FIXTURE, {"env"}, true, test::test_timeout);
    ::signal(SIGPIPE, ignored);
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    REQUIRE(ended);
    CHECK(ended->code == 0);
    CHECK(ended->output.find("\nsignals blocked\nsignals ignored\n") != std::string::npos);
    CHECK(ended->output.find("\nfd " + std::to_string(stray.get()) + " ") == std::string::npos);
    const auto value = [&](const std::string& label) {
        const auto at = ended->output.find(label + " ");
        return at == std::string::npos ? -1
                                       : std::atoi(ended->output.c_str() + at + label.size() + 1);
    };
    CHECK(value("pid") == value("\npgrp"));
}

TEST_CASE("a command that takes too long is killed with its group")
{
    test::Sandbox sandbox;
    const std::string path = sandbox.folder() + "/pid";
    const Instant before = os::now();
    // The child of the shell must have been started: the file says so.
    const auto code = os::run_command("sleep 600 & echo $! > " + path + "; wait", 300ms);
    REQUIRE(code);
    CHECK(*code == 124);
    CHECK(os::now() - before < 10s);
    CHECK(test::eventually([] { return os::descendants_of(::getpid()).empty(); }));
}

TEST_CASE("a helper's output is kept, and one that can't be started is an error")
{
    const auto said = os::run_helper("/bin/echo", {"two words", "*"}, true, test::test_timeout);
    REQUIRE(said);
    CHECK(said->code == 0);
    CHECK(said->output == "two words *\n");
    const auto much = os::run_helper(BGT_FIXTURE, {"spew", "1000000"}, true, test::test_timeout);
    REQUIRE(much);
    CHECK(much->code == 0);
    CHECK(much->output.size() == 64 * 1024);
    const auto missing = os::run_helper("/nonexistent/program", {}, true, 5s);
    REQUIRE_FALSE(missing);
    CHECK(missing.error().message.find("/nonexistent/program") != std::string::npos);
    CHECK_FALSE(os::run_helper("/", {}, false, 5s));
    const auto held =
        os::run_helper("/bin/sh", {"-c", "sleep 600 & echo $!; exit 3"}, true, test::test_timeout);
    REQUIRE(held); // the child that keeps the pipe open delays nothing
    CHECK(held->code == 3);
    ::kill(std::atoi(held->output.c_str()), SIGKILL);
}
