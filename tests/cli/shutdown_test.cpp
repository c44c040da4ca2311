// bgt shutdown: all tasks end, and nothing is started meanwhile.
#include "support/catch.hpp"
#include "support/lab.hpp"

#include <csignal>
#include <filesystem>

using namespace bgt::test;

namespace {

std::string lifecycle(const Lab& lab, const std::string& id)
{
    return text_at(lab.show(id), "/lifecycle");
}

/// A task that SIGTERM does not end.
std::string start_stubborn(const Lab& lab, const Words& options = {})
{
    Words words = options;
    words.insert(words.end(),
                 {"--grace", "1h", "-c", "trap '' TERM; echo up; while :; do sleep 0.01; done"});
    const std::string id = lab.start(words);
    REQUIRE(lab.logged(id, "up"));
    return id;
}

boost::json::object shutdown(const Lab& lab, Words words, int code = 0)
{
    words.insert(words.begin(), "shutdown");
    words.push_back("--json");
    const Ran ran = lab(words);
    INFO(ran);
    REQUIRE(ran.code == code);
    return boost::json::parse(ran.out).as_object();
}

} // namespace

TEST_CASE("a shutdown ends what runs and cancels what waits")
{
    const Lab lab;
    lab.start({"--", "sleep", "100"});
    lab.start({"--restart", "always", "--", "sleep", "100"});
    for (int at = 0; at < 3; ++at) REQUIRE(lab({"submit", "--", "sleep", "100"}).code == 0);
    REQUIRE(eventually(test_timeout, [&] { return lifecycle(lab, "3") == "running"; }));
    const auto answer = shutdown(lab, {});
    CHECK(text_at(answer, "/status") == "completed");
    CHECK(number_at(answer, "/initial_tasks") == 5);
    CHECK(number_at(answer, "/completed_tasks") == 5);
    CHECK(number_at(answer, "/remaining_tasks") == 0);
    CHECK(at(answer, "/duration_seconds").to_number<double>() >= 0);
    CHECK(answer.size() == 6);
    for (const char* id : {"1", "2", "3", "4", "5"})
        CHECK(eventually(test_timeout, [&] { return lifecycle(lab, id) == "ended"; }));
    CHECK(text_at(lab.show("1"), "/outcome/reason") == "shutdown");
    CHECK(text_at(lab.show("5"), "/outcome/reason") == "cancelled");
    const auto again = shutdown(lab, {});
    CHECK(text_at(again, "/status") == "already_shutdown");
    CHECK(number_at(again, "/initial_tasks") == 0);
    CHECK(lab({"shutdown"}).out == "there was no task to end\n");
    CHECK_FALSE(std::filesystem::exists(lab.root() + "/shutdown.lock"));
    CHECK(lab.wait(lab.start({"--", "true"})) == 0);
}

TEST_CASE("a shutdown forces what does not end in time")
{
    const Lab lab;
    start_stubborn(lab);
    SECTION("by the option")
    {
        CHECK(text_at(shutdown(lab, {"--timeout", "50ms"}), "/status") == "completed");
    }
    SECTION("by the setting")
    {
        Lab other;
        other.set_env("BGT_SHUTDOWN_TIMEOUT=50ms");
        start_stubborn(other);
        CHECK(text_at(shutdown(other, {}), "/status") == "completed");
        CHECK(text_at(shutdown(lab, {"--timeout", "0"}), "/status") == "completed");
    }
    CHECK(lifecycle(lab, "1") == "ended");
    CHECK(text_at(lab.show("1"), "/outcome/signal") == "SIGKILL");
}

TEST_CASE("what a shutdown can't end is named, and the code is 124")
{
    const Lab lab;
    const std::string id = lab.start({"--name", "stuck", "--", "sleep", "100"});
    const auto supervisor = static_cast<pid_t>(number_at(lab.show(id), "/supervisor"));
    REQUIRE(::kill(supervisor, SIGSTOP) == 0);
    const Ran ran = lab({"shutdown", "--timeout", "50ms"});
    REQUIRE(::kill(supervisor, SIGCONT) == 0);
    INFO(ran);
    CHECK(ran.code == 124);
    CHECK(ran.err.find("1 stuck: ") != std::string::npos);
    CHECK(ran.out.find("0 of 1 task ended in ") == 0);
    CHECK(ran.out.find("; 1 remains\n") != std::string::npos);
    // Now that it goes on, it reads what the first shutdown has sent.
    const std::string status = text_at(shutdown(lab, {}), "/status");
    CHECK((status == "completed" || status == "already_shutdown"));
}

TEST_CASE("nothing is started during a shutdown, and one that is killed blocks nobody")
{
    const Lab lab;
    const std::string id = start_stubborn(lab);
    Child child(lab.bgt({"shutdown", "--timeout", "1h"}));
    REQUIRE(eventually(test_timeout, [&] { return lifecycle(lab, id) == "stopping"; }));
    for (const Words& words : {Words{"run", "--name", "x", "--", "touch", "ran"},
                               Words{"submit", "--name", "x", "--", "touch", "ran"}}) {
        const Ran ran = lab(words);
        INFO(ran);
        CHECK(ran.code == 125);
        CHECK(ran.err.find("bgt shutdown is ending all tasks in ") != std::string::npos);
    }
    CHECK(lab({"show", "x"}).code == 125);
    CHECK_FALSE(std::filesystem::exists(lab.work() + "/ran"));
    const Ran second = lab({"shutdown", "--timeout", "50ms"});
    CHECK(second.code == 125);
    CHECK(second.err.find("another bgt shutdown") != std::string::npos);
    child.send(SIGKILL);
    child.finish();
    CHECK(lab.wait(lab.start({"--name", "x", "--", "touch", "ran"})) == 0);
    CHECK(std::filesystem::exists(lab.work() + "/ran"));
    CHECK(text_at(shutdown(lab, {"--timeout", "0"}), "/status") == "completed");
}

TEST_CASE("a shutdown of some tasks touches no others, and others may start")
{
    const Lab lab;
    lab.start({"--tag", "job=a", "--", "sleep", "100"});
    const std::string other = lab.start({"--", "sleep", "100"});
    REQUIRE(lab({"submit", "-q", "a", "--tag", "job=a", "--hold", "--", "true"}).code == 0);
    REQUIRE(lab({"submit", "-q", "a", "--hold", "--", "true"}).code == 0);
    CHECK(number_at(shutdown(lab, {"--tag", "job=a"}), "/completed_tasks") == 2);
    CHECK(eventually(test_timeout, [&] { return lifecycle(lab, "3") == "ended"; }));
    CHECK(lifecycle(lab, other) == "running");
    CHECK(lifecycle(lab, "4") == "queued");
    CHECK(number_at(shutdown(lab, {other}), "/completed_tasks") == 1);
    CHECK(text_at(shutdown(lab, {other}), "/status") == "already_shutdown");
    CHECK(lab({"shutdown", "77"}).code == 125);
    CHECK(lab({"shutdown", "--timeout", "x"}).code == 125);
    CHECK(lifecycle(lab, "4") == "queued");
}

TEST_CASE("a shutdown of a root that is not there has nothing to do, and makes none")
{
    const Lab lab;
    CHECK(text_at(shutdown(lab, {}), "/status") == "already_shutdown");
    CHECK_FALSE(std::filesystem::exists(lab.root()));
}

TEST_CASE("a shutdown cancels 20,000 waiting tasks at once", "[slow]")
{
    const Lab lab;
    REQUIRE(lab({"submit", "--hold", "--array", "1-20000", "--", "true"}).code == 0);
    CHECK(number_at(shutdown(lab, {}), "/completed_tasks") == 20'000);
}
