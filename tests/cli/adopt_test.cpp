// The supervisor is killed at any moment: the task lives on. Its output and stdin:
// adopt_output_test.cpp.
#include "adoption.hpp"
#include "support/skip.hpp"

#include <bgt/store/status.hpp>

#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

using namespace bgt::test;

TEST_CASE("a task whose supervisor is killed is adopted by the next verb")
{
    const Lab lab;
    const std::string id = lab.start_fixture({"--grace", "500ms"}, {"escape"});
    const std::vector<pid_t> pids = lab.pids_said(id);
    const auto before = lab.show(id);
    CHECK(at(before, "/adopted") == false);
    kill_supervisor(supervisor_of(before));
    for (const pid_t pid : pids) CHECK(is_alive(pid));

    const auto after = lab.show(id);
    CHECK(text_at(after, "/lifecycle") == "running");
    CHECK(at(after, "/adopted") == true);
    CHECK(at(after, "/outcome").is_null());
    CHECK(number_at(after, "/pid") == pids[0]);
    const pid_t second = supervisor_of(after);
    CHECK(second != supervisor_of(before));
    CHECK(is_alive(second));

    SECTION("and killed whole")
    {
        const Ran ran = lab({"kill", id});
        INFO(ran);
        CHECK(ran.code == 0);
        CHECK(ran.took < 500ms + 200ms + 1s);
        CHECK(all_gone(pids));
        CHECK(find_task_members(lab.folder()).empty());
        CHECK(lab.wait(id) == 122);
        CHECK(text_at(lab.show(id), "/outcome/kind") == "lost");
        CHECK(text_at(lab.show(id), "/outcome/reason") == "killed");
    }
    SECTION("and adopted again")
    {
        kill_supervisor(second);
        CHECK(text_at(lab.show(id), "/lifecycle") == "running");
        CHECK(lab({"kill", id, "--now"}).code == 0);
        CHECK(all_gone(pids));
    }
}

TEST_CASE("a supervisor that is killed before its first record leaves a task that lives on",
          "[slow]")
{
    if (find_program("strace").empty()) return skip("no strace");
    const Lab lab;
    // After the start, and before the record, the supervisor closes its copy of what the command
    // writes to.
    const Invocation bgt = lab.bgt({"run", "--name", "early", "--", "sleep", "300"});
    Words kill_at_record{"strace", "-f",
                         "-b",     "execve",
                         "-o",     "/dev/null",
                         "-P",     lab.task_folder("1") + "/out",
                         "-e",     "inject=close:signal=SIGKILL:when=1"};
    kill_at_record.insert(kill_at_record.end(), bgt.argv.begin(), bgt.argv.end());
    {
        Child traced(lab.program(kill_at_record));
        REQUIRE(traced.says("1\n")); // once it has taken the task over
    }                                // and the second supervisor is traced no longer
    const auto task = lab.show("early");
    CHECK(text_at(task, "/lifecycle") == "running");
    CHECK(at(task, "/adopted") == true);
    CHECK(number_at(task, "/pid") > 1);
    // Nothing ends it: it is no leftover of a root that nobody knows.
    const Ran waited = lab({"wait", "--timeout", "3", "early"});
    CHECK(waited.code == 124);
    CHECK(lab({"kill", "early"}).code == 0);
    CHECK(find_task_members(lab.folder()).empty());
}

TEST_CASE("a kill is the verb that adopts")
{
    const Lab lab;
    const Words mode = GENERATE(Words{"escape"}, Words{"escape-quit"}, Words{"escape-clean-env"});
    const std::string id = lab.start_fixture({"--grace", "500ms"}, mode);
    const std::vector<pid_t> pids = lab.pids_said(id);
    kill_supervisor(supervisor_of(lab.show(id)));
    const Ran ran = lab({"kill", id});
    INFO(ran);
    CHECK(ran.code == 0);
    CHECK(all_gone(pids));
    CHECK(find_task_members(lab.folder()).empty());
    CHECK(lab.wait(id) == 122);
}

TEST_CASE("what a killed supervisor had forked is not waited for once it has gone")
{
    const Lab lab;
    const std::string id = lab.start({"--", "sleep", "1000"});
    const auto task = lab.show(id);
    kill_supervisor(supervisor_of(task));
    // It holds the lock and the socket until it first runs, which takes long on a busy machine.
    const std::string path = lab.task_folder(id) + "/ctl.sock";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(path.size() < sizeof address.sun_path);
    std::memcpy(address.sun_path, path.c_str(), path.size());
    const int lock = ::open((lab.task_folder(id) + "/lock").c_str(), O_RDWR | O_CLOEXEC);
    struct flock whole {};
    whole.l_type = F_WRLCK;
    REQUIRE(eventually(test_timeout, [&] { return ::fcntl(lock, F_OFD_SETLK, &whole) == 0; }));
    ::unlink(path.c_str());
    const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    REQUIRE(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    Child verb(lab.bgt({"kill", "--now", id}));
    pollfd asked{socket, POLLIN, 0};
    REQUIRE(::poll(&asked, 1, 20'000) == 1);
    ::close(lock);
    const Ran ran = verb.finish();
    ::close(socket);
    INFO(ran);
    CHECK(ran.code == 0);
    CHECK(ran.took < 4s); // it waits 5 s for an answer
    CHECK(all_gone({static_cast<pid_t>(number_at(task, "/pid"))}));
}

TEST_CASE("the --timeout of a task fires although its supervisor was killed", "[slow]")
{
    const Lab lab;
    const Stopwatch watch;
    const std::string id =
        lab.start_fixture({"--timeout", "1500ms", "--grace", "300ms"}, {"escape"});
    const std::vector<pid_t> pids = lab.pids_said(id);
    kill_supervisor(supervisor_of(lab.show(id)));
    CHECK(at(lab.show(id), "/adopted") == true);
    CHECK(lab.wait(id) == 122); // it was ended in time, but how it ended nobody saw
    CHECK(watch.elapsed() >= 1500ms);
    CHECK(watch.elapsed() < 1500ms + 300ms + 2s);
    CHECK(all_gone(pids));
    const auto task = lab.show(id);
    CHECK(text_at(task, "/outcome/reason") == "timeout");
    CHECK(text_at(task, "/outcome/kind") == "lost");
}

TEST_CASE("a wait goes on when the supervisor is killed under it")
{
    const Lab lab;
    const std::string id = lab.start({"-c", "until test -e go; do sleep 0.02; done"});
    Child wait(lab.bgt({"wait", id}));
    // Until it sleeps: it has then seen the first supervisor.
    REQUIRE(eventually(test_timeout, [&] { return state_of(wait.pid()) == 'S'; }));
    kill_supervisor(supervisor_of(lab.show(id)));
    REQUIRE(eventually(test_timeout, [&] { return at(lab.show(id), "/adopted") == true; }));
    write_file(lab.work() + "/go", "");
    const Ran ran = wait.finish();
    INFO(ran);
    CHECK(ran.in_time);
    CHECK(ran.code == 122);
}

TEST_CASE("a supervisor that is killed during a stop")
{
    const Lab lab;
    const std::string mode = GENERATE("escape", "ignore-term");
    const std::string id = lab.start_fixture({"--grace", "3s"}, {mode});
    REQUIRE(lab.logged(id, "\n"));
    const std::vector<pid_t> pids = find_task_members(lab.folder());
    const pid_t supervisor = supervisor_of(lab.show(id));
    const Stopwatch watch;
    Child kill(lab.bgt({"kill", id}));
    REQUIRE(eventually(test_timeout,
                       [&] { return text_at(lab.show(id), "/lifecycle") == "stopping"; }));
    kill_supervisor(supervisor);
    const Ran ran = kill.finish();
    INFO(ran);
    CHECK(ran.in_time);
    CHECK(ran.code == 0);
    CHECK(watch.elapsed() < 3s + 200ms + 2s); // the date of SIGKILL stands
    CHECK(all_gone(pids));
    // The main process of `escape` dies at once, and the first supervisor may have seen it.
    const int code = lab.wait(id);
    CHECK((code == 122 || (mode == "escape" && code == 128 + SIGTERM)));
    CHECK(text_at(lab.show(id), "/outcome/reason") == "killed");
}

TEST_CASE("what is dead together with its supervisor is lost at the first look")
{
    const Lab lab;
    const std::string id = lab.start({"--name", "gone", "--", "sleep", "100"});
    const auto before = lab.show(id);
    kill_supervisor(supervisor_of(before));
    const auto pid = static_cast<pid_t>(number_at(before, "/pid"));
    REQUIRE(::kill(pid, SIGKILL) == 0);
    REQUIRE(eventually(test_timeout, [&] { return !is_alive(pid); }));
    SECTION("of show")
    {
        const auto after = lab.show(id);
        CHECK(text_at(after, "/lifecycle") == "lost");
        CHECK(text_at(after, "/outcome/kind") == "lost");
        CHECK(at(after, "/outcome/code").is_null());
        CHECK(number_at(after, "/outcome/exit_code") == 122);
    }
    SECTION("of wait")
    {
        CHECK(lab.wait(id) == 122);
    }
    SECTION("of ps")
    {
        const auto answer = lab.ask({"ps", "-a"});
        CHECK(at(answer, "/tasks/0/outcome/kind") == "lost");
    }
    SECTION("of a run with the same name")
    {
        CHECK(lab.start({"--name", "gone", "--", "true"}) != id);
    }
    SECTION("of kill")
    {
        CHECK(lab({"kill", id}).code == 0);
    }
    SECTION("of logs")
    {
        CHECK(lab({"logs", "-f", id}).in_time);
    }
    CHECK(lab.wait(id) == 122);
}

TEST_CASE("a supervisor that is killed right after the start")
{
    const Lab lab;
    for (int round = 0; round < 20; ++round) {
        const std::string id = lab.start_fixture({"--grace", "200ms"}, {"sleep", "100"});
        const auto task = lab.show(id);
        ::kill(supervisor_of(task), SIGKILL);
        REQUIRE(text_at(lab.show(id), "/lifecycle") == "running");
        REQUIRE(lab({"kill", id}).code == 0);
        REQUIRE(lab.wait(id) == 122);
    }
    CHECK(find_task_members(lab.folder()).empty());
}

TEST_CASE("many verbs at once make one new supervisor")
{
    const Lab lab;
    const std::string id = lab.start({"--", "sleep", "100"});
    kill_supervisor(supervisor_of(lab.show(id)));
    std::vector<std::thread> shells;
    std::vector<int> codes(8, -1);
    for (std::size_t i = 0; i < codes.size(); ++i)
        shells.emplace_back([&, i] { codes[i] = run(lab.bgt({"show", id, "--json"})).code; });
    for (std::thread& shell : shells) shell.join();
    for (const int code : codes) CHECK(code == 0);
    // The lock has one holder; those who lost the race are gone.
    const auto supervisors = [&] {
        std::vector<pid_t> holders;
        for (const pid_t pid : find_marked(lab.root() + "/tasks/" + id + "/lock"))
            holders.push_back(pid);
        return holders;
    };
    CHECK(eventually(test_timeout, [&] { return supervisors().size() == 1; }));
    CHECK(lab({"kill", id}).code == 0);
}

TEST_CASE("a task from before a reboot is lost, whoever has its pid now")
{
    const Lab lab;
    const std::string id = lab.start({"--", "sleep", "100"});
    const std::string other = lab.start({"--", "sleep", "100"});
    const auto before = lab.show(id);
    kill_supervisor(supervisor_of(before));
    const auto pid = static_cast<pid_t>(number_at(before, "/pid"));
    REQUIRE(::kill(pid, SIGKILL) == 0);
    REQUIRE(eventually(test_timeout, [&] { return !is_alive(pid); }));

    // The record as an earlier boot would have left it, with the pid and the start time of somebody
    // who lives now.
    const auto open_folder = [&](const std::string& task) {
        return bgt::Fd{::open(lab.task_folder(task).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    };
    const bgt::Fd folder = open_folder(id), stranger = open_folder(other);
    auto status = bgt::store::read_status(folder.get());
    const auto status_of_other = bgt::store::read_status(stranger.get());
    REQUIRE(status);
    REQUIRE(status_of_other);
    status->boot[0] ^= 0xff;
    status->main_process = status_of_other->main_process;
    auto writer = bgt::store::StatusWriter::open(folder.get());
    REQUIRE(writer);
    REQUIRE(writer->write(*status));

    const auto after = lab.show(id);
    CHECK(text_at(after, "/lifecycle") == "lost");
    CHECK(text_at(after, "/outcome/kind") == "lost");
    CHECK(lab.wait(id) == 122);
    CHECK(lab({"kill", id}).code == 0);
    CHECK(text_at(lab.show(other), "/lifecycle") == "running");
}
