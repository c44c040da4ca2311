#include <bgt/supervise/ready_watch.hpp>

#include <bgt/os/background.hpp>
#include <bgt/os/tree.hpp>

#include "support/eventually.hpp"
#include "support/task_folder.hpp"

#include <arpa/inet.h>
#include <csignal>
#include <filesystem>
#include <map>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace bgt;
using namespace bgt::supervise;
using bgt::test::eventually;
using bgt::test::TaskFolder;
using bgt::test::test_timeout;
using Kind = ReadyWatch::Answer::Kind;

namespace {

ReadyWatch::What what(const std::vector<std::string>& conditions)
{
    ReadyWatch::What out;
    out.conditions = conditions;
    out.cwd = "/";
    out.members = [pid = getpid()] { return os::descendants_of(pid); };
    return out;
}

ReadyWatch started(const TaskFolder& folder, const ReadyWatch::What& asked)
{
    Result<ReadyWatch> watch = ReadyWatch::start(folder.dir(), asked);
    if (!watch) FAIL(watch.error().message);
    return std::move(*watch);
}

bool answers_within(const ReadyWatch& watch, int ms)
{
    pollfd wait{watch.fd(), POLLIN, 0};
    return poll(&wait, 1, ms) == 1;
}

ReadyWatch::Answer answer_of(ReadyWatch& watch)
{
    while (true) {
        REQUIRE(answers_within(watch, 20'000));
        const ReadyWatch::Answer answer = watch.answer();
        if (answer.is_final()) return answer;
    }
}

/// A FIFO that is at its end once nobody who was given it lives.
struct Lifeline {
    explicit Lifeline(const TaskFolder& folder) : path(folder.path("lifeline"))
    {
        REQUIRE(mkfifo(path.c_str(), 0600) == 0);
        reader.reset(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    }
    /// Waits for the first byte: somebody holds it.
    bool is_held() const
    {
        pollfd wait{reader.get(), POLLIN, 0};
        char byte = 0;
        return poll(&wait, 1, 20'000) == 1 && read(reader.get(), &byte, 1) == 1;
    }
    bool is_let_go() const
    {
        char bytes[64];
        return eventually(test_timeout,
                          [&] { return read(reader.get(), bytes, sizeof bytes) == 0; });
    }
    std::string path;
    Fd reader;
};

Fd listening_socket(std::uint16_t& port)
{
    Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(fd.get(), 1) == 0);
    socklen_t length = sizeof address;
    REQUIRE(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
    port = ntohs(address.sin_port);
    return fd;
}

/// A child that holds what it inherits until the test is over.
struct Holder {
    Holder() : pid(fork())
    {
        if (pid != 0) return;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        while (true) pause();
    }
    ~Holder()
    {
        kill(pid, SIGKILL);
        waitpid(pid, nullptr, 0);
    }
    Holder(const Holder&) = delete;
    Holder& operator=(const Holder&) = delete;
    pid_t pid;
};

} // namespace

TEST_CASE("A line of the output makes ready")
{
    const TaskFolder folder;
    folder.write("out.log", "starting\n");
    ReadyWatch watch = started(folder, what({"log:^ready on [0-9]+"}));
    CHECK_FALSE(answers_within(watch, 50));
    folder.write("out.log", "ready on 80");
    const ReadyWatch::Answer answer = answer_of(watch);
    CHECK(answer.kind == Kind::ready);
    CHECK(answer.text == "its output matched \"^ready on [0-9]+\"");
}

TEST_CASE("Output of an earlier attempt does not count")
{
    const TaskFolder folder;
    folder.write("out.log", "ready\n");
    ReadyWatch::What asked = what({"log:ready"});
    asked.out_from = 6;
    ReadyWatch watch = started(folder, asked);
    CHECK_FALSE(answers_within(watch, 100));
    folder.write("out.log", "ready\n");
    CHECK(answer_of(watch).kind == Kind::ready);
}

TEST_CASE("A log that is not there yet is waited for")
{
    const TaskFolder folder;
    ReadyWatch watch = started(folder, what({"log:ready"}));
    folder.write("out.log", "ready\n");
    CHECK(answer_of(watch).kind == Kind::ready);
}

TEST_CASE("A line that matches a guard means never")
{
    const TaskFolder folder;
    ReadyWatch watch = started(folder, what({"log:ready", "log-fail:EADDRINUSE"}));
    folder.write("out.log", "error: EADDRINUSE\nready\n");
    const ReadyWatch::Answer answer = answer_of(watch);
    CHECK(answer.kind == Kind::never);
    CHECK(answer.text.find("EADDRINUSE") != std::string::npos);
}

TEST_CASE("All conditions must come, each once")
{
    const TaskFolder folder;
    ReadyWatch::What asked =
        what({"log:up", "file:mark", "cmd:test -e " + folder.path("other"), "log-fail:never said"});
    asked.cwd = folder.dir().path();
    ReadyWatch watch = started(folder, asked);
    folder.write("out.log", "up\n");
    folder.write("mark", "");
    REQUIRE(answers_within(watch, 20'000));
    const ReadyWatch::Answer told = watch.answer();
    CHECK(told.kind == Kind::told);
    CHECK(told.text == asked.conditions[2] + ": exit 1");
    CHECK_FALSE(answers_within(watch, 100)); // the same answer is told once
    std::filesystem::remove(folder.path("mark"));
    folder.write("other", "");
    CHECK(answer_of(watch).kind == Kind::ready);
}

TEST_CASE("What somebody answered who was asked is told apart from all else, whatever its words")
{
    const TaskFolder folder;
    std::uint16_t port = 0;
    const Fd listener = listening_socket(port);
    const std::string url = "http:127.0.0.1:" + std::to_string(port);
    ReadyWatch watch = started(folder, what({url, "cmd:false # x: answered 5"}));
    std::map<Kind, std::string> told;
    while (told.size() < 2) {
        pollfd either[] = {{listener.get(), POLLIN, 0}, {watch.fd(), POLLIN, 0}};
        REQUIRE(poll(either, 2, 20'000) > 0);
        if (either[0].revents != 0) {
            const Fd client(accept(listener.get(), nullptr, nullptr));
            const std::string head = "HTTP/1.0 404 Not Found\r\n\r\n";
            REQUIRE(write(client.get(), head.data(), head.size()) > 0);
            shutdown(client.get(), SHUT_WR);
            char request[4096];
            while (read(client.get(), request, sizeof request) > 0) continue;
        }
        if (either[1].revents == 0) continue;
        const ReadyWatch::Answer answer = watch.answer();
        REQUIRE_FALSE(answer.is_final());
        told[answer.kind] = answer.text;
    }
    CHECK(told[Kind::responded] == url + ": answered 404");
    CHECK(told[Kind::told] == "cmd:false # x: answered 5: exit 1");
}

TEST_CASE("A port of the tree makes ready, one of the supervisor or of others does not")
{
    const TaskFolder folder;
    std::uint16_t port = 0;
    Fd listener = listening_socket(port);
    ReadyWatch watch = started(folder, what({"port:" + std::to_string(port)}));
    CHECK_FALSE(answers_within(watch, 150));
    const Holder member;
    const ReadyWatch::Answer answer = answer_of(watch);
    CHECK(answer.kind == Kind::ready);
    CHECK(answer.text == "it listened on port " + std::to_string(port));
    ReadyWatch any = started(folder, what({"port"}));
    CHECK(answer_of(any).kind == Kind::ready);
}

TEST_CASE("A Unix socket makes ready once it accepts")
{
    const TaskFolder folder;
    ReadyWatch watch = started(folder, what({"unix:" + folder.path("sock")}));
    const Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    folder.path("sock").copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    CHECK_FALSE(answers_within(watch, 60));
    REQUIRE(listen(fd.get(), 4) == 0);
    CHECK(answer_of(watch).kind == Kind::ready);
}

TEST_CASE("The end of the watch ends its commands, what they left in the background too")
{
    const TaskFolder folder;
    const Lifeline line(folder);
    const std::string open_it = "exec 3>" + line.path + "; echo x >&3; ";
    const std::string command = GENERATE("sleep 1000", "(setsid sleep 1000 &) ; sleep 1000",
                                         "(setsid sleep 1000 &) ; exit 0");
    ReadyWatch watch = started(folder, what({"cmd:" + open_it + command}));
    REQUIRE(line.is_held());
    if (command.ends_with("exit 0")) CHECK(answer_of(watch).kind == Kind::ready);
    const pid_t pid = watch.pid();
    watch.stop();
    CHECK(watch.pid() == 0);
    CHECK(line.is_let_go());
    CHECK(waitpid(pid, nullptr, WNOHANG) == -1); // reaped
    watch.stop();
}

TEST_CASE("The watch dies with its supervisor, and its command too")
{
    const TaskFolder folder;
    const Lifeline line(folder);
    const pid_t supervisor = fork();
    if (supervisor == 0) {
        Result<ReadyWatch> watch = ReadyWatch::start(
            folder.dir(), what({"cmd:exec 3>" + line.path + "; echo x >&3; sleep 1000"}));
        while (watch) pause();
        _exit(1);
    }
    REQUIRE(line.is_held());
    REQUIRE(kill(supervisor, SIGKILL) == 0);
    REQUIRE(waitpid(supervisor, nullptr, 0) == supervisor);
    CHECK(line.is_let_go());
}

TEST_CASE("The watch keeps nothing of its supervisor's open, least of all the lock")
{
    const TaskFolder folder;
    store::TaskDir dir(store::TaskId{7}, folder.dir().path(), Fd(dup(folder.dir().fd())));
    folder.write("lock", "");
    Result<bool> locked = dir.try_lock();
    REQUIRE(locked);
    REQUIRE(*locked);
    Result<ReadyWatch> watch = ReadyWatch::start(dir, what({"log:ready"}));
    REQUIRE(watch);
    const std::string fds = "/proc/" + std::to_string(watch->pid()) + "/fd";
    CHECK(eventually(test_timeout, [&] {
        std::error_code closed; // meanwhile
        for (const auto& entry : std::filesystem::directory_iterator(fds))
            if (std::filesystem::read_symlink(entry, closed).filename() == "lock") return false;
        return true;
    }));
    dir.unlock();
    locked = folder.dir().is_locked();
    REQUIRE(locked);
    CHECK_FALSE(*locked);
    folder.write("out.log", "ready\n");
    CHECK(answer_of(*watch).kind == Kind::ready);
}

TEST_CASE("A watch that is killed says so")
{
    const TaskFolder folder;
    ReadyWatch watch = started(folder, what({"log:ready"}));
    REQUIRE(kill(watch.pid(), SIGKILL) == 0);
    const ReadyWatch::Answer answer = answer_of(watch);
    CHECK(answer.kind == Kind::failed);
    CHECK(answer.text.find("died") != std::string::npos);
}

TEST_CASE("A watch that was reaped by somebody else is stopped without harm")
{
    const TaskFolder folder;
    ReadyWatch watch = started(folder, what({"log:ready"}));
    REQUIRE(kill(watch.pid(), SIGKILL) == 0);
    REQUIRE(waitpid(watch.pid(), nullptr, 0) == watch.pid());
    watch.stop();
    CHECK(watch.pid() == 0);
}

TEST_CASE("The watch and its commands are told from the members of the tree")
{
    const TaskFolder folder;
    const Lifeline line(folder);
    const Holder member;
    ReadyWatch watch =
        started(folder, what({"cmd:exec 3>" + line.path + "; echo x >&3; sleep 1000"}));
    REQUIRE(line.is_held());
    CHECK(os::descendants_of(getpid()).size() >= 4); // member, watch, prober, command
    const std::vector<os::ProcStat> members =
        os::without_trees(os::descendants_of(getpid()), {watch.pid()});
    REQUIRE(members.size() == 1);
    CHECK(members[0].key.pid == member.pid);
}

TEST_CASE("What can't make a task ready is refused before anything is started")
{
    const TaskFolder folder;
    for (const auto& conditions : std::vector<std::vector<std::string>>{{},
                                                                        {"log-fail:x"},
                                                                        {"exit"},
                                                                        {"ready"},
                                                                        {"quiet:5s"},
                                                                        {"progress=4"},
                                                                        {"log:("},
                                                                        {"nonsense"},
                                                                        {"log:x", "stalled"}}) {
        const Result<ReadyWatch> watch = ReadyWatch::start(folder.dir(), what(conditions));
        REQUIRE_FALSE(watch);
        CHECK(watch.error().kind == ErrorKind::usage);
    }
    CHECK(os::descendants_of(getpid()).empty());
}
