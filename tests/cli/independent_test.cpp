// bgt run --independent: a task that outlives the one in which it was started.
#include "support/catch.hpp"
#include "support/lab.hpp"
#include "support/skip.hpp"

#include <csignal>

using namespace bgt::test;

namespace {

/// The text of a task that starts `inner` by itself, and then says so and stays.
std::string starts(const std::string& inner)
{
    return BGT_BINARY " run " + inner + "; echo started; exec sleep 1000";
}

pid_t pid_of(const Lab& lab, const std::string& task, const char* which = "/pid")
{
    return static_cast<pid_t>(number_at(lab.show(task), which));
}

bool runs(const Lab& lab, const std::string& task)
{
    return text_at(lab.show(task), "/lifecycle") == "running";
}

} // namespace

TEST_CASE("an independent task outlives the task in which it was started")
{
    const Lab lab;
    const std::string outer = lab.start(
        {"-c", starts("--independent --name inner --ready-log up --wait-ready -e A=b -- sh -c "
                      "'echo up; echo A=$A BGT_TASK_ID=$BGT_TASK_ID; exec sleep 1000'")});
    REQUIRE(lab.logged(outer, "started"));
    CHECK(lab.log(outer).starts_with("2\n"));
    REQUIRE(lab.logged("2", "A=b BGT_TASK_ID=2"));
    SECTION("the outer one is ended")
    {
        CHECK(lab({"kill", outer}).code == 0);
    }
    SECTION("nothing of it is in the outer tree")
    {
        CHECK(number_at(lab.show(outer), "/processes") == 1);
    }
    SECTION("the supervisor of the outer one is killed, and its tree adopted")
    {
        REQUIRE(::kill(pid_of(lab, outer, "/supervisor"), SIGKILL) == 0);
        CHECK(lab({"kill", "--now", outer}).code == 0);
        CHECK_FALSE(runs(lab, outer));
    }
    SECTION("its own supervisor is killed as well")
    {
        REQUIRE(::kill(pid_of(lab, "inner", "/supervisor"), SIGKILL) == 0);
        CHECK(lab({"kill", "--now", outer}).code == 0);
        CHECK(at(lab.show("inner"), "/adopted") == true);
    }
    CHECK(runs(lab, "inner"));
    const pid_t inner = pid_of(lab, "inner");
    CHECK(lab({"kill", "inner"}).code == 0);
    CHECK(!is_alive(inner));
    CHECK(find_task_members(lab.folder()).empty() != runs(lab, outer));
}

TEST_CASE("a task that is independent two tasks deep outlives both")
{
    const Lab lab;
    write_file(lab.work() + "/middle.sh", starts("--independent --name inner -- sleep 1000"));
    const std::string outer = lab.start({"-c", starts("--name middle -- sh middle.sh")});
    REQUIRE(lab.logged(outer, "started"));
    REQUIRE(lab.logged("2", "started"));
    CHECK(lab({"kill", outer}).code == 0);
    CHECK(text_at(lab.show("middle"), "/lifecycle") == "ended");
    CHECK(runs(lab, "inner"));
    // And what is started inside of it belongs to it, or not, as anywhere else.
    CHECK(lab({"kill", "inner"}).code == 0);
    CHECK(find_task_members(lab.folder()).empty());
}

TEST_CASE("an independent task inside an independent one")
{
    const Lab lab;
    write_file(lab.work() + "/middle.sh", starts("--independent --name inner -- sleep 1000"));
    const std::string outer =
        lab.start({"-c", starts("--independent --name middle -- sh middle.sh")});
    REQUIRE(lab.logged(outer, "started"));
    REQUIRE(lab.logged("2", "started"));
    CHECK(lab({"kill", outer}).code == 0);
    CHECK(runs(lab, "middle"));
    CHECK(lab({"kill", "middle"}).code == 0);
    CHECK(runs(lab, "inner"));
    CHECK(lab({"kill", "inner"}).code == 0);
}

TEST_CASE("an independent task is started as by anybody: stdin, limits, nice value, failure")
{
    const Lab lab;
    const std::string outer = lab.start(
        {"-c", "ulimit -n 234; cd /; umask 027; echo text | nice -n 3 " BGT_BINARY
               " run --independent --stdin - -c 'cat; ulimit -n; nice; pwd; umask'; " BGT_BINARY
               " run --independent -- nosuch; echo code $?; exec sleep 1000"});
    REQUIRE(lab.logged(outer, "code "));
    INFO(lab.log(outer));
    CHECK(lab.log(outer).find("code 127") != std::string::npos);
    CHECK(lab.wait("2") == 0);
    CHECK(lab.log("2") == "text\n234\n3\n/\n0027\n");
    CHECK(lab({"show", "3"}).code == 125); // of what failed to start nothing is left
}

TEST_CASE("outside of a task --independent changes nothing, and retry keeps it")
{
    const Lab lab;
    const std::string id = lab.start({"--independent", "-c", "exit 3"});
    CHECK(lab.wait(id) == 3);
    const std::string outer =
        lab.start({"-c", BGT_BINARY " retry " + id + "; echo started; exec sleep 1000"});
    REQUIRE(lab.logged(outer, "started"));
    CHECK(lab.wait("3") == 3);
    CHECK(lab({"run", "--independent", "--wait", "--", "true"}).code == 125);
}

TEST_CASE("where an independent task can't be had it is refused, and nothing is started")
{
    const Lab lab;
    const auto refuses = [&](const std::string& how, const std::string& why) {
        const std::string outer =
            lab.start({"-c", how + " " BGT_BINARY " run --independent -- sleep 1000; echo code $?; "
                                   "exec sleep 1000"});
        REQUIRE(lab.logged(outer, "code "));
        const std::string log = lab.log(outer);
        INFO(log);
        CHECK(log.find("code 125") != log.npos);
        CHECK(log.find("--independent can't be had here") != log.npos);
        CHECK(log.find(why) != log.npos);
        CHECK(lab({"kill", "--now", outer}).code == 0);
        CHECK(find_task_members(lab.folder()).empty());
    };
    refuses("env -u BGT_TASK_DIR -u BGT_COOKIE", "BGT_TASK_DIR");
    refuses("env BGT_TASK_DIR=/nowhere", "BGT_TASK_DIR");
    if (!find_program("setpriv").empty()) refuses("setpriv --no-new-privs", "no_new_privs");
}

TEST_CASE("a stopped supervisor starts no independent task, and that is said at once")
{
    const Lab lab;
    const std::string outer = lab.start(
        {"-c", "echo ready; until [ -e go ]; do sleep 0.05; done; " BGT_BINARY
               " run --independent -- sleep 1000 2>said; echo $? >code; exec sleep 1000"});
    REQUIRE(lab.logged(outer, "ready"));
    const pid_t supervisor = pid_of(lab, outer, "/supervisor");
    REQUIRE(::kill(supervisor, SIGSTOP) == 0);
    write_file(lab.work() + "/go", "");
    CHECK(eventually(test_timeout, [&] { return read_file(lab.work() + "/code") == "125\n"; }));
    const std::string said = read_file(lab.work() + "/said");
    INFO(said);
    CHECK(said.find("is stopped and answers nobody") != said.npos);
    REQUIRE(::kill(supervisor, SIGCONT) == 0);
    CHECK(lab({"kill", outer}).code == 0);
    CHECK(find_task_members(lab.folder()).empty());
}
