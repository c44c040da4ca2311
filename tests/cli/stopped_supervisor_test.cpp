// A supervisor that is stopped (SIGSTOP) answers nobody: each verb says so, and none waits for it.
#include "support/catch.hpp"
#include "support/lab.hpp"

#include <chrono>
#include <csignal>

using namespace bgt::test;

namespace {

/// Stops the supervisor of the task, and lets it go on at the end.
class Stopped {
public:
    Stopped(const Lab& lab, const std::string& id)
        : pid_(static_cast<pid_t>(number_at(lab.show(id), "/supervisor")))
    {
        REQUIRE(pid_ > 1);
        REQUIRE(::kill(pid_, SIGSTOP) == 0);
        REQUIRE(eventually(test_timeout, [&] { return state_of(pid_) == 'T'; }));
    }
    ~Stopped() { ::kill(pid_, SIGCONT); }
    Stopped(const Stopped&) = delete;
    Stopped& operator=(const Stopped&) = delete;
    std::string words() const
    {
        return "its supervisor (pid " + std::to_string(pid_) +
               ") is stopped and answers nobody: kill -CONT " + std::to_string(pid_);
    }
    std::string pid() const { return std::to_string(pid_); }

private:
    pid_t pid_;
};

bool says(const Ran& ran, const std::string& text)
{
    return (ran.out + ran.err).find(text) != std::string::npos;
}

} // namespace

TEST_CASE("ps, show and wait tell of a supervisor that is stopped")
{
    const Lab lab;
    const std::string id = lab.start({"--name", "web", "--", "sleep", "100"});
    CHECK(at(lab.show(id), "/supervisor_stopped") == false);
    {
        const Stopped supervisor(lab, id);
        CHECK(says(lab({"ps"}), "supervisor stopped"));
        CHECK(at(lab.show(id), "/supervisor_stopped") == true);
        CHECK(at(lab.ask({"ps"}), "/tasks/0/supervisor_stopped") == true);
        const Ran shown = lab({"show", id});
        INFO(shown);
        CHECK(says(shown, supervisor.pid() + ", stopped: it answers nobody (kill -CONT " +
                              supervisor.pid() + ")"));
        const Ran waited = lab({"wait", "--timeout", "300ms", id});
        INFO(waited);
        CHECK(waited.code == 124);
        CHECK(says(waited, id + " web: " + supervisor.words()));
        CHECK(says(waited, "untouched; " + supervisor.words()));
    }
    REQUIRE(eventually(test_timeout, [&] { return says(lab({"ps"}), "running"); }));
    CHECK(at(lab.show(id), "/supervisor_stopped") == false);
}

TEST_CASE("requests to a supervisor that is stopped end at once and say so")
{
    const Lab lab;
    const std::string id = lab.start({"--stdin", "pipe", "--", "cat"});
    const Stopped supervisor(lab, id);
    const auto began = std::chrono::steady_clock::now();
    const std::vector<Words> requests{
        {"kill", id},          {"kill", "--now", id}, {"pause", id},         {"resume", id},
        {"restart", id},       {"why", id},           {"signal", "HUP", id}, {"send", "--eof", id},
        {"rm", "--force", id}, {"why", "--all"}};
    for (const Words& words : requests) {
        const Ran ran = lab(words);
        INFO(ran);
        CHECK(ran.code == 125);
        CHECK(says(ran, supervisor.words()));
    }
    CHECK(std::chrono::steady_clock::now() - began < test_timeout / 2);
    CHECK(text_at(lab.show(id), "/lifecycle") == "running");
}

TEST_CASE("run --wait tells of a supervisor that is stopped", "[slow]")
{
    const Lab lab;
    Child stay(
        lab.program({"sh", "-c", "exec \"$0\" run --wait --stdin pipe -- cat 2>&1", BGT_BINARY}));
    REQUIRE(eventually(test_timeout, [&] { return lab({"show", "1"}).code == 0; }));
    {
        const Stopped supervisor(lab, "1");
        CHECK(stay.says("is stopped and answers nobody"));
    }
    CHECK(lab({"send", "--eof", "1"}).code == 0);
    const Ran ran = stay.finish();
    INFO(ran);
    CHECK(ran.code == 0);
    CHECK(says(ran, "is stopped and answers nobody"));
}

TEST_CASE("a kill ends when the supervisor is stopped meanwhile", "[slow]")
{
    const Lab lab;
    const std::string id = lab.start_fixture({"--grace", "60s"}, {"ignore-term"});
    REQUIRE(lab.logged(id, "ready"));
    Child kill(lab.bgt({"kill", id}));
    REQUIRE(eventually(test_timeout,
                       [&] { return text_at(lab.show(id), "/lifecycle") == "stopping"; }));
    const Stopped supervisor(lab, id);
    const Ran ran = kill.finish();
    INFO(ran);
    CHECK(ran.code == 125);
    CHECK(says(ran, supervisor.words()));
}
