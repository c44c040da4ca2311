// What `bgt run` gives to the command.
#include "support/catch.hpp"
#include "support/lab.hpp"
#include "support/sanitized.hpp"

#include <csignal>
#include <sys/stat.h>
#include <unistd.h>

using namespace bgt::test;

namespace {

bool has_line(const std::string& text, const std::string& line)
{
    return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

/// What the fixture says of itself when it is run with these options.
std::string seen_with(const Lab& lab, const Words& options)
{
    Words words{"run", "--wait", "--rm"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {"--", BGT_FIXTURE, "env"});
    const Ran ran = lab(words);
    INFO(ran);
    CHECK(ran.code == 0);
    return ran.out;
}

} // namespace

TEST_CASE("the environment of a task")
{
    Lab lab;
    lab.set_env("OUTER=from outside");
    write_file(lab.work() + "/env", "# comment\nA=1\nexport B=\"two words\"\nC='$A'\nEMPTY=\n\n");
    SECTION("is the caller's, and what is set")
    {
        const std::string seen = seen_with(lab, {"--env", "A=x=y", "--env", "OUTER"});
        CHECK(has_line(seen, "env A=x=y"));
        CHECK(has_line(seen, "env OUTER=from outside"));
    }
    SECTION("is what a file says, and the options win")
    {
        const std::string seen = seen_with(lab, {"--env", "A=2", "--env-file", "env"});
        CHECK(has_line(seen, "env A=2"));
        CHECK(has_line(seen, "env B=two words"));
        CHECK(has_line(seen, "env C=$A"));
        CHECK(has_line(seen, "env EMPTY="));
    }
    SECTION("can be cleared")
    {
        const std::string seen = seen_with(lab, {"--clear-env", "--env", "A=1"});
        CHECK(has_line(seen, "env A=1"));
        CHECK(seen.find("env OUTER") == std::string::npos);
        CHECK(seen.find("env HOME") == std::string::npos);
        CHECK(seen.find("env BGT_TASK_ID=") != std::string::npos);
    }
    SECTION("is stored in a file of its own, where options gave it some")
    {
        const std::string id = lab.start({"--env", "SECRET=hunter2", "--", "true"});
        lab.wait(id);
        for (const auto& entry : std::filesystem::directory_iterator(lab.task_folder(id)))
            if (entry.is_regular_file() && entry.path().filename() != "env")
                CHECK(read_file(entry.path().string()).find("hunter2") == std::string::npos);
    }
}

TEST_CASE("a command is searched in the PATH that it is given")
{
    const Lab lab;
    write_file(lab.work() + "/mine", "#!/bin/sh\necho mine\n");
    std::filesystem::permissions(lab.work() + "/mine", std::filesystem::perms::owner_all);
    CHECK(lab({"run", "--", "mine"}).code == 127);
    CHECK(lab({"run", "--wait", "--env", "PATH=" + lab.work() + ":/bin", "--", "mine"}).out ==
          "mine\n");
    CHECK(lab({"run", "--wait", "./mine"}).out == "mine\n");
}

TEST_CASE("the working folder of a task")
{
    const Lab lab;
    std::filesystem::create_directory(lab.work() + "/sub");
    CHECK(has_line(seen_with(lab, {}), "cwd " + lab.work()));
    CHECK(has_line(seen_with(lab, {"--cwd", "sub"}), "cwd " + lab.work() + "/sub"));
    CHECK(has_line(seen_with(lab, {"--cwd", "/"}), "cwd /"));
    CHECK(text_at(lab.show(lab.start({"--cwd", "sub", "--", "true"})), "/cwd") ==
          lab.work() + "/sub");
}

TEST_CASE("priority and limits of a task")
{
    const Lab lab;
    CHECK(has_line(seen_with(lab, {"--nice", "7"}), "nice 7"));
    CHECK(has_line(seen_with(lab, {"--limit", "nofile=99"}), "limit nofile 99 99"));
    CHECK(has_line(seen_with(lab, {"--limit", "core=0", "--limit", "fsize=1M"}),
                   "limit fsize 1048576 1048576"));
    if (!sanitized)
        CHECK(has_line(seen_with(lab, {"--memory-max", "2GiB"}), "limit as 2147483648 2147483648"));
    const Ran cpu = lab({"run", "--wait", "--limit", "cpu=1", "-c", "while :; do :; done"});
    INFO(cpu);
    CHECK((cpu.code == 128 + 24 || cpu.code == 128 + 9)); // XCPU, or KILL at the hard limit
    CHECK(lab({"run", "--wait", "--limit", "nofile=3", "--", "cat", "/etc/passwd"}).code != 0);
}

TEST_CASE("the stdin of a task")
{
    const Lab lab;
    SECTION("is empty by default, whatever the caller's is")
    {
        Invocation what = lab.bgt({"run", "--wait", "--", "cat"});
        what.input = "not for the task";
        const Ran ran = run(what);
        CHECK(ran.code == 0);
        CHECK(ran.out.empty());
    }
    SECTION("is a file")
    {
        write_file(lab.work() + "/input", "one\ntwo\n");
        CHECK(lab({"run", "--wait", "--stdin", "input", "--", "cat"}).out == "one\ntwo\n");
    }
    SECTION("is what bgt send writes")
    {
        const std::string id = lab.start_fixture({"--stdin", "pipe"}, {"echo-stdin"});
        CHECK(lab({"send", id, "hello", "there"}).code == 0);
        REQUIRE(lab.logged(id, "hello there\n"));
        CHECK(lab({"send", "-n", id, "no newline,"}).code == 0);
        Invocation bytes = lab.bgt({"send", id, "-"});
        bytes.input = std::string(300000, 'x') + "\n";
        CHECK(run(bytes).code == 0);
        CHECK(text_at(lab.show(id), "/lifecycle") == "running"); // waits for more
        CHECK(lab({"send", "--eof", id, "last"}).code == 0);
        CHECK(lab.wait(id) == 0);
        CHECK(lab.log(id) ==
              "ready\nhello there\nno newline," + std::string(300000, 'x') + "\nlast\neof\n");
        const Ran late = lab({"send", id, "more"});
        CHECK(late.code == 125);
        CHECK(late.err == "bgt send: task 1 has ended (exit 0)\n");
        CHECK(lab({"signal", "HUP", id}).err ==
              "bgt signal: task 1 has ended (exit 0)\n"); // the same words by another path
    }
    SECTION("is closed once")
    {
        const std::string id =
            lab.start({"--stdin", "pipe", "-c", "cat; echo eof; exec sleep 100"});
        CHECK(lab({"send", "--eof", id}).code == 0);
        REQUIRE(lab.logged(id, "eof"));
        const Ran late = lab({"send", id, "more"});
        INFO(late);
        CHECK(late.code == 125);
    }
    SECTION("ends with the supervisor")
    {
        const std::string id = lab.start_fixture({"--stdin", "pipe"}, {"echo-stdin"});
        CHECK(lab({"send", id, "before"}).code == 0);
        REQUIRE(lab.logged(id, "before"));
        ::kill(static_cast<pid_t>(number_at(lab.show(id), "/supervisor")), SIGSTOP);
        ::kill(static_cast<pid_t>(number_at(lab.show(id), "/supervisor")), SIGKILL);
        // While nobody of bgt holds the pipe, the task may read its end; what it was sent before
        // must have arrived.
        lab.show(id);
        lab({"send", "--eof", id});
        CHECK(lab.wait(id) == 122);
        CHECK(lab.log(id).starts_with("ready\nbefore\n"));
    }
    SECTION("is not to be sent to")
    {
        const std::string id = lab.start({"--", "sleep", "100"});
        const Ran ran = lab({"send", id, "x"});
        CHECK(ran.code == 125);
        CHECK(ran.err == "bgt send: task 1 was not started with --stdin pipe\n");
    }
    SECTION("is not read in time")
    {
        const std::string id = lab.start({"--stdin", "pipe", "--", "sleep", "100"});
        Invocation much = lab.bgt({"send", "--timeout", "200ms", id});
        much.input = std::string(4 << 20, 'x');
        const Ran ran = run(much);
        INFO(ran);
        CHECK(ran.in_time);
        CHECK(ran.code == 124);
    }
}

TEST_CASE("--rm removes the task at its end")
{
    const Lab lab;
    const std::string id = lab.start({"--rm", "--name", "gone", "-c", "echo x; sleep 0.1"});
    const Ran waited = lab({"wait", id});
    INFO(waited);
    CHECK(waited.in_time);
    CHECK(eventually(test_timeout, [&] { return !std::filesystem::exists(lab.task_folder(id)); }));
    CHECK(lab({"show", "gone"}).code == 125);
    const Ran ran = lab({"run", "--wait", "--rm", "-c", "echo x; exit 3"});
    CHECK(ran.code == 3);
    CHECK(ran.out == "x\n");
    CHECK(at(lab.ask({"ps", "-a"}), "/tasks").as_array().empty());
}

TEST_CASE("a command is taken as it stands")
{
    const Lab lab;
    CHECK(lab({"run", "--wait", "echo", "--name", "-n", "--", "x y", ""}).out ==
          "--name -n -- x y \n");
    CHECK(lab({"run", "--wait", "--", "printf", "%s|", "a b", "", "*", "$HOME"}).out ==
          "a b||*|$HOME|");
    CHECK(lab({"run", "--wait", "-c", "echo $1 and $0"}).out == "and /bin/sh\n");
    CHECK(lab({"run", "--wait", "-c", "echo $1-$2", "a", "b"}).out == "a-b\n");
    CHECK(text_at(lab.show("2"), "/command") == R"(["printf","%s|","a b","","*","$HOME"])");
    const Ran json = lab({"run", "--json", "--", "sleep", "100"});
    CHECK(at(boost::json::parse(json.out), "/tasks/0/lifecycle") == "running");
}

TEST_CASE("a hundred thousand arguments")
{
    const Lab lab;
    Words words{"run", "--wait", "--", "sh", "-c", "echo $#", "sh"};
    for (int i = 0; i < 100000; ++i) words.push_back(std::to_string(i));
    const Ran ran = lab(words);
    INFO(ran.err);
    CHECK(ran.code == 0);
    CHECK(ran.out == "100000\n");
}

TEST_CASE("the folder of a task is the user's alone")
{
    const Lab lab;
    Invocation what = lab.bgt({"run", "--", BGT_FIXTURE, "env"});
    what.in_child = [] { umask(0); };
    REQUIRE(run(what).code == 0);
    CHECK(lab.wait("1") == 0);
    CHECK(has_line(lab.log("1"), "umask 0000")); // the task keeps the caller's
    using std::filesystem::perms;
    CHECK(std::filesystem::status(lab.root()).permissions() == perms::owner_all);
    CHECK(std::filesystem::status(lab.task_folder("1")).permissions() == perms::owner_all);
    for (const auto& entry : std::filesystem::directory_iterator(lab.task_folder("1"))) {
        INFO(entry.path());
        CHECK((entry.status().permissions() & (perms::group_all | perms::others_all)) ==
              perms::none);
    }
}
