// Tasks that wait for a time: bgt submit --in and --at.
#include "support/catch.hpp"
#include "support/lab.hpp"
#include "support/queue_lab.hpp"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <sstream>
#include <thread>

using namespace bgt::test;

namespace {

/// `bgt submit --json WORDS...`
boost::json::value answer(const Lab& lab, Words words)
{
    words.insert(words.begin(), {"submit", "--json"});
    const Ran ran = lab(words);
    INFO(ran);
    REQUIRE(ran.code == 0);
    return boost::json::parse(ran.out);
}

} // namespace

TEST_CASE("a task starts when its time has come, and not before")
{
    const Lab lab;
    const auto before = std::chrono::steady_clock::now();
    const std::string id = submit_one(lab, {"--in", "400ms", "--", "true"});
    CHECK(text_at(lab.show(id), "/lifecycle") == "queued");
    CHECK(lab.wait(id) == 0);
    CHECK(std::chrono::steady_clock::now() - before >= 400ms);
    CHECK(is_over(lab));
}

TEST_CASE("ps, show, why, queue and --dry-run tell when a task starts")
{
    const Lab lab;
    const std::string id = submit_one(lab, {"--in", "2h", "--name", "later", "--", "true"});
    CHECK(lab({"ps"}).out.find("queued, in 1h59m") != std::string::npos);
    const Ran why = lab({"why", id});
    INFO(why);
    CHECK(why.out.find("it starts at ") != std::string::npos);
    CHECK(why.out.find("(in 1h59m)") != std::string::npos);
    CHECK(lab({"show", id}).out.find("next start") != std::string::npos);
    CHECK_FALSE(text_at(lab.show(id), "/next_attempt_at").empty());
    CHECK(lab({"queue"}).out.find("it starts at ") != std::string::npos);
    const Ran dry =
        lab({"submit", "--at", "2261-12-24 18:00", "--tz", "UTC", "--dry-run", "--", "true"});
    INFO(dry);
    CHECK(dry.out.find(", not before ") != std::string::npos);
    const auto json = answer(
        lab, {"--at", "2261-12-24 18:00", "--tz", "Europe/Berlin", "--expire", "1s", "--", "true"});
    CHECK(at(json, "/not_before") == "2261-12-24T17:00:00.000Z");
    // It does not expire before its time.
    const std::string late = std::to_string(at(json, "/id").as_int64());
    CHECK(text_at(lab.show(late), "/lifecycle") == "queued");
    // One that can start is told as the next, not the one that waits for its time.
    REQUIRE(lab({"queue", "pause", "default"}).code == 0);
    const std::string soon = submit_one(lab, {"--", "true"});
    CHECK(at(lab.ask({"queue"}), "/queues/0/next") == std::stoi(soon));
    REQUIRE(lab({"queue", "clear", "default"}).code == 0);
    CHECK(lab.wait(id) == 121);
    CHECK(is_over(lab));
}

TEST_CASE("a time that has passed is refused, and so is what is no time and no zone")
{
    const Lab lab;
    const Ran passed = lab({"submit", "--at", "2020-01-01 10:00", "--", "true"});
    INFO(passed);
    CHECK(passed.code == 125);
    CHECK(passed.err.find("2020-01-01 10:00 has passed: it is ") != std::string::npos);
    for (const Words& words : {Words{"--at", "25:00"},
                               {"--at", "soon"},
                               {"--at", ""},
                               {"--at", "2027-02-30"},
                               {"--in", "-1s"},
                               {"--in", "1h", "--at", "18:00"},
                               {"--tz", "UTC"},
                               {"--at", "18:00", "--tz", "Mars/Olympus"},
                               {"--at", "18:00", "--tz", "../etc/passwd"}}) {
        Words all{"submit"};
        all.insert(all.end(), words.begin(), words.end());
        all.insert(all.end(), {"--", "true"});
        const Ran ran = lab(all);
        INFO(ran);
        CHECK(ran.code == 125);
        CHECK(ran.out.empty());
    }
    // A time of the day is the next one.
    for (const char* time : {"00:00", "12:00", "23:59:59"}) {
        const auto json =
            answer(lab, {"--at", time, "--tz", "Asia/Tokyo", "--dry-run", "--", "true"});
        CHECK(at(json, "/not_before").is_string());
    }
    CHECK_FALSE(std::filesystem::exists(lab.root() + "/queue/journal"));
}

TEST_CASE("nobody wakes while a task waits for its time, and a killed dispatcher loses nothing")
{
    const Lab lab;
    const std::string far = submit_one(lab, {"--in", "1h", "--", "true"});
    const std::string near = submit_one(lab, {"--in", "4s", "--", "true"});
    const pid_t pid = dispatcher_of(lab);
    long before = -1;
    REQUIRE(eventually(test_timeout, [&] { // until it sleeps
        const long now = sleeps_of(pid);
        std::this_thread::sleep_for(100ms);
        before = sleeps_of(pid);
        return now == before && state_of(pid) == 'S';
    }));
    std::this_thread::sleep_for(1s);
    const long after = sleeps_of(pid);
    if (text_at(lab.show(near), "/lifecycle") == "queued") CHECK(after == before);
    kill_dispatchers(lab);
    REQUIRE(lab({"ps"}).code == 0);
    CHECK(lab.wait(near) == 0);
    CHECK(text_at(lab.show(far), "/lifecycle") == "queued");
    REQUIRE(lab({"kill", far}).code == 0);
    CHECK(is_over(lab));
}
