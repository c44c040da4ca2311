// Who dispatches may have lower hard limits than those whose tasks wait.
#include "support/catch.hpp"
#include "support/lab.hpp"
#include "support/queue_lab.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace bgt::test;

namespace {

/// `bgt WORDS...` in a process that can't raise what it lowers, as the user of a shell can't.
Ran limited(const Lab& lab, const Words& words, __rlimit_resource resource, rlim_t most)
{
    Invocation call = lab.bgt(words);
    call.in_child = [resource, most] {
        if (::geteuid() == 0)
            for (const int privilege : {CAP_SYS_RESOURCE, CAP_SYS_NICE})
                ::prctl(PR_CAPBSET_DROP, privilege, 0, 0, 0);
        const rlimit limit{most, most};
        if (resource == RLIMIT_NICE) ::setpriority(PRIO_PROCESS, 0, 10);
        else ::setrlimit(resource, &limit);
    };
    return run(call);
}

const Words until_go{"submit", "-c", "ulimit -Hn; until test -e go; do sleep 0.01; done"};

} // namespace

TEST_CASE("the hard limits of whoever submits first bind nobody else")
{
    const Lab lab;
    REQUIRE(lab({"queue", "set", "default", "slots=2"}).code == 0);
    SECTION("open files")
    {
        const std::string first = submitted(limited(lab, until_go, RLIMIT_NOFILE, 256));
        CHECK(lab.logged(first, "256\n"));
        rlimit own{};
        REQUIRE(::getrlimit(RLIMIT_NOFILE, &own) == 0);
        for (int i = 0; i < 2; ++i) {
            const std::string next = submitted(lab({"submit", "-c", "ulimit -Hn"}));
            CHECK(lab.wait(next) == 0);
            CHECK(lab.log(next) == std::to_string(own.rlim_max) + "\n");
        }
        write_file(lab.work() + "/go", "");
        CHECK(lab.wait(first) == 0); // the one who took over has adopted it
    }
    SECTION("nice value")
    {
        const std::string first = submitted(limited(lab, until_go, RLIMIT_NICE, 0));
        const std::string next = submitted(lab({"submit", "-c", "nice"}));
        CHECK(lab.wait(next) == 0);
        CHECK(lab.log(next) == std::to_string(::getpriority(PRIO_PROCESS, 0)) + "\n");
        write_file(lab.work() + "/go", "");
        CHECK(lab.wait(first) == 0);
    }
    SECTION("file size, also of the journal")
    {
        const std::string first = submitted(limited(lab, until_go, RLIMIT_FSIZE, 8192));
        const std::string next = submitted(lab({"submit", "-c", "head -c 100000 /dev/zero"}));
        CHECK(lab.wait(next) == 0);
        CHECK(std::filesystem::file_size(lab.task_folder(next) + "/out.log") == 100000);
        write_file(lab.work() + "/go", "");
        CHECK(lab.wait(first) == 0);
    }
    CHECK(is_over(lab));
}

TEST_CASE("a limit of the file size that the journal exceeds is said, and stops no queue for good")
{
    const Lab lab;
    Ran last;
    int taken = 0;
    for (; taken < 100; ++taken) {
        last = limited(lab, {"submit", "--", "true"}, RLIMIT_FSIZE, 8192);
        if (last.code != 0) break;
    }
    INFO(last);
    CHECK(taken < 100);
    CHECK(last.code == 125);
    CHECK(last.err.find("queue/journal") != std::string::npos);
    CHECK(last.err.find("ulimit -f") != std::string::npos);
    CHECK(lab({"ps"}).code == 0); // who can write it goes on with it
    CHECK(is_over(lab));
    CHECK(lab.wait(std::to_string(taken)) == 0);
}

TEST_CASE("a task whose supervisor gives up again and again is held, and blocks nobody")
{
    const Lab lab;
    const std::string id = submitted(limited(lab, {"submit", "--", "true"}, RLIMIT_NOFILE, 20));
    REQUIRE(eventually(test_timeout, [&] {
        return lab({"events", "--type", "start-failed"}).out.find("it is held") !=
               std::string::npos;
    }));
    CHECK(eventually(test_timeout,
                     [&] { return at(lab.ask({"queue"}), "/queues/0/held").as_int64() == 1; }));
    CHECK(lab.wait(submitted(lab({"submit", "--", "true"}))) == 0);
    CHECK(lab({"kill", id}).code == 0);
    CHECK(is_over(lab));
}

TEST_CASE("a task that nobody who dispatches could give its limits waits, and that is said")
{
    const Lab lab;
    const std::string id = submitted(lab({"submit", "--hold", "--", "true"}));
    const pid_t dispatcher = dispatcher_of(lab);
    const std::string pid = std::to_string(dispatcher);
    REQUIRE(::kill(dispatcher, SIGSTOP) == 0); // so that it starts no other standby
    REQUIRE(eventually(test_timeout, [&] { return state_of(dispatcher) == 'T'; }));
    std::ifstream children("/proc/" + pid + "/task/" + pid + "/children");
    for (pid_t child = 0; children >> child;) ::kill(child, SIGKILL);
    REQUIRE(::kill(dispatcher, SIGKILL) == 0);
    CHECK(limited(lab, {"release", id}, RLIMIT_NOFILE, 256).code == 0);
    for (int i = 0; i < 3; ++i) {
        const auto says = [&] { // while one gives way to the next, nobody lacks anything
            const Ran why = limited(lab, {"why", id}, RLIMIT_NOFILE, 256);
            return why.out.find("it was submitted with a hard limit for open files of ") !=
                       std::string::npos &&
                   why.out.find("(here 256)") != std::string::npos;
        };
        CHECK(eventually(test_timeout, says));
    }
    CHECK(eventually(test_timeout, [&] {
        return limited(lab, {"queue"}, RLIMIT_NOFILE, 256).out.find("hard limit for open files") !=
               std::string::npos;
    }));
    CHECK(text_at(lab.show(id), "/lifecycle") != "damaged");
    CHECK(lab.wait(id) == 0); // any verb of one who can
    CHECK(is_over(lab));
}
