// The supervisor is killed at any moment: nothing of the output and of stdin is lost.
#include "adoption.hpp"

#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

using namespace bgt::test;

TEST_CASE("no byte is missing or doubled when the supervisor is killed under load", "[slow]")
{
    const Lab lab;
    const std::string bytes = std::to_string(50 << 20);
    const std::string id = lab.start_fixture({}, {"spew", bytes});
    // Three times, each at another place of the stream.
    for (const std::uintmax_t from : {1u << 20, 12u << 20, 30u << 20}) {
        const bool there = eventually(test_timeout, [&] {
            std::error_code error;
            const auto size = std::filesystem::file_size(lab.task_folder(id) + "/out.log", error);
            return !error && size >= from;
        });
        REQUIRE(there);
        const auto task = lab.show(id);
        if (text_at(task, "/lifecycle") != "running") break;
        // It may end by itself at this very moment.
        const pid_t supervisor = supervisor_of(task);
        ::kill(supervisor, SIGKILL);
        REQUIRE(eventually(test_timeout, [&] { return !is_alive(supervisor); }));
        lab.show(id); // whoever looks next sees to it that there is a reader again
    }
    const int code = lab.wait(id);
    CHECK((code == 122 || code == 0));
    CHECK(is_whole(lab, id, bytes));
    CHECK(read_file(lab.task_folder(id) + "/events.jsonl").find("output-lost") ==
          std::string::npos);
}

TEST_CASE("writing goes on without a supervisor, in a process that was started without bgt's "
          "knowledge, too")
{
    const Lab lab;
    const std::string script = "(i=0; while :; do i=$((i + 1)); echo $i; echo $i >&2; echo $i > "
                               "count; sleep 0.02; done) & wait";
    const std::string id =
        lab.start(GENERATE(false, true) ? Words{"-c", script} : Words{"--split", "-c", script});
    const auto count = [&] { return std::atoi(read_file(lab.work() + "/count").c_str()); };
    REQUIRE(eventually(test_timeout, [&] { return count() > 2; }));
    kill_supervisor(supervisor_of(lab.show(id)));
    const int then = count();
    REQUIRE(eventually(test_timeout, [&] { return count() > then + 5; })); // nobody got SIGPIPE
    CHECK(text_at(lab.show(id), "/lifecycle") == "running");
    const int now = count();
    REQUIRE(eventually(test_timeout, [&] { return count() > now + 2; }));
    CHECK(lab({"kill", id}).code == 0);
    const std::string log = lab.log(id);
    for (int i = 1; i <= now; ++i)
        CHECK(("\n" + log).find("\n" + std::to_string(i) + "\n") != std::string::npos);
}

TEST_CASE("output that died with its supervisor and the keeper of it is told as lost", "[slow]")
{
    const Lab lab;
    const std::string id =
        lab.start({"--log-max", "1M", "-c", "while head -c 1M /dev/zero; do :; done"});
    const std::string mark = lab.task_folder(id) + "/out.stage";
    REQUIRE(eventually(test_timeout, [&] { return std::filesystem::exists(mark); }));
    const auto task = lab.show(id);
    const pid_t supervisor = supervisor_of(task), keeper = helper_of(task);
    REQUIRE(::kill(supervisor, SIGSTOP) == 0);
    REQUIRE(keeper > 1);
    REQUIRE(::kill(keeper, SIGKILL) == 0);
    kill_supervisor(supervisor);
    CHECK(text_at(lab.show(id), "/lifecycle") == "running");
    const std::string lost = R"("event":"output-lost","stream":"out","at_most":524288)";
    CHECK(eventually(test_timeout, [&] {
        return read_file(lab.task_folder(id) + "/events.jsonl").find(lost) != std::string::npos;
    }));
    CHECK(lab({"kill", id}).code == 0);
}

TEST_CASE("a keeper that is killed costs nothing")
{
    const Lab lab;
    const std::string bytes = std::to_string(50 << 20);
    const std::string id = lab.start_fixture({}, {"spew", bytes});
    const pid_t supervisor = supervisor_of(lab.show(id));
    for (int i = 0; i < 3; ++i)
        if (const pid_t keeper = only_child(supervisor, "bgt:helper"); keeper > 1)
            ::kill(keeper, SIGKILL);
    CHECK(lab.wait(id) == 0);
    CHECK(is_whole(lab, id, bytes));
    CHECK_FALSE(std::filesystem::exists(lab.task_folder(id) + "/out.stage"));
}

TEST_CASE("a supervisor that is killed while the task waits for a reader loses nothing")
{
    const Lab lab;
    const std::string bytes = std::to_string(20 << 20);
    const std::string id =
        lab.start({"-c", "read x; exec " BGT_FIXTURE " spew " + bytes, "--stdin", "pipe"});
    const pid_t supervisor = supervisor_of(lab.show(id));
    REQUIRE(::kill(supervisor, SIGSTOP) == 0); // from now on nobody empties the FIFO
    const pid_t root = static_cast<pid_t>(number_at(lab.show(id), "/pid"));
    const int in = ::open((lab.task_folder(id) + "/in").c_str(), O_WRONLY | O_CLOEXEC);
    REQUIRE(in >= 0);
    REQUIRE(::write(in, "go\n", 3) == 3);
    ::close(in);
    REQUIRE(eventually(test_timeout, [&] {
        return read_file("/proc/" + std::to_string(root) + "/wchan").find("pipe") !=
               std::string::npos;
    }));
    kill_supervisor(supervisor);
    CHECK(text_at(lab.show(id), "/lifecycle") == "running");
    CHECK(lab.wait(id) == 122);
    CHECK(is_whole(lab, id, bytes));
}

TEST_CASE("stdin stays open when the supervisor is killed, and the one after it")
{
    const Lab lab;
    const std::string id = lab.start({"--stdin", "pipe", "-c", "cat; echo end; exec sleep 1000"});
    const auto task = lab.show(id);
    const pid_t keeper = helper_of(task);
    REQUIRE(keeper != 0);
    kill_supervisor(supervisor_of(task));
    CHECK(lab({"send", id, "one"}).code == 0);
    CHECK(lab.logged(id, "one\n"));
    const pid_t second = supervisor_of(lab.show(id));
    CHECK(is_alive(keeper));
    SECTION("and is closed when asked")
    {
        kill_supervisor(second);
        CHECK(lab({"send", id, "--eof", "two"}).code == 0);
        CHECK(lab.logged(id, "one\ntwo\nend\n"));
    }
    SECTION("and has a new keeper when the first was killed, too")
    {
        ::kill(keeper, SIGKILL);
        REQUIRE(eventually(test_timeout, [&] { return !is_alive(keeper); }));
        kill_supervisor(second);
        CHECK(helper_of(lab.show(id)) != 0);
    }
    CHECK(lab({"kill", id}).code == 0);
    CHECK(eventually(test_timeout, [&] { return !is_alive(keeper); }));
}

TEST_CASE("the keeper of stdin ends with a tree that ends without a supervisor")
{
    const Lab lab;
    const std::string id = lab.start({"--stdin", "pipe", "--", "sleep", "1000"});
    const auto task = lab.show(id);
    const pid_t keeper = helper_of(task);
    REQUIRE(keeper != 0);
    kill_supervisor(supervisor_of(task));
    CHECK(is_alive(keeper));
    ::kill(static_cast<pid_t>(number_at(task, "/pid")), SIGKILL);
    CHECK(eventually(test_timeout, [&] { return !is_alive(keeper); }));
    CHECK(lab.wait(id) == 122);
}
