// Names, tags, and races for them.
#include "support/catch.hpp"
#include "support/lab.hpp"

#include <set>
#include <sstream>

using namespace bgt::test;

namespace {

/// The same command twice at once.
std::pair<Ran, Ran> both(const Lab& lab, const Words& words)
{
    Child one(lab.bgt(words)), two(lab.bgt(words));
    Ran first = one.finish(), second = two.finish();
    return {first, second};
}

std::set<std::string> living(const Lab& lab)
{
    std::set<std::string> ids;
    const auto answer = lab.ask({"ps"});
    for (const auto& task : at(answer, "/tasks").as_array())
        if (text_at(task.as_object(), "/lifecycle") != "ended") ids.insert(text_at(task.as_object(), "/id"));
    return ids;
}

} // namespace

TEST_CASE("a name is one living task's")
{
    const Lab lab;
    const std::string first = lab.start({"--name", "web", "--", "sleep", "100"});
    CHECK(text_at(lab.show("web"), "/id") == first);
    SECTION("a second one is refused")
    {
        const Ran ran = lab({"run", "--name", "web", "--", "true"});
        INFO(ran);
        CHECK(ran.code == 125);
        CHECK(ran.out.empty());
        CHECK(ran.err == "bgt run: the name 'web' belongs to task 1, which is running: take another name, or use --if-absent or --replace\n");
        CHECK(living(lab).size() == 1);
    }
    SECTION("--if-absent gives the living one's id") { CHECK(lab.start({"--name", "web", "--if-absent", "--", "true"}) == first); }
    SECTION("--replace ends it first")
    {
        const std::string second = lab.start({"--name", "web", "--replace", "--", "sleep", "100"});
        CHECK(second != first);
        CHECK(text_at(lab.show("web"), "/id") == second);
        CHECK(text_at(lab.show(first), "/lifecycle") == "ended");
        CHECK(text_at(lab.show(first), "/outcome/reason") == "killed");
    }
    SECTION("it is free again after the end")
    {
        CHECK(lab({"kill", "web"}).code == 0);
        CHECK(text_at(lab.show("web"), "/id") == first); // still found
        const std::string second = lab.start({"--name", "web", "--", "sleep", "100"});
        CHECK(text_at(lab.show("web"), "/id") == second);
    }
}

TEST_CASE("two callers with --if-absent start one task", "[slow]")
{
    const Lab lab;
    for (int round = 0; round < 50; ++round) {
        const std::string name = "web" + std::to_string(round);
        const auto [one, two] = both(lab, {"run", "--name", name, "--if-absent", "--", "sleep", "100"});
        INFO(one << two);
        REQUIRE(one.code == 0);
        REQUIRE(two.code == 0);
        REQUIRE(one.out == two.out);
        REQUIRE(living(lab).size() == 1);
        REQUIRE(lab({"kill", "--now", name}).code == 0);
    }
    CHECK(find_task_members(lab.folder()).empty());
}

TEST_CASE("two callers with --replace leave one task", "[slow]")
{
    const Lab lab;
    lab.start({"--name", "web", "--", "sleep", "100"});
    for (int round = 0; round < 50; ++round) {
        const auto [one, two] = both(lab, {"run", "--name", "web", "--replace", "--", "sleep", "100"});
        INFO(one << two);
        REQUIRE(one.code == 0);
        REQUIRE(two.code == 0);
        REQUIRE(one.out != two.out);
        const std::set<std::string> ids = living(lab);
        REQUIRE(ids.size() == 1);
        REQUIRE((one.out == *ids.begin() + "\n" || two.out == *ids.begin() + "\n"));
    }
    CHECK(find_task_members(lab.folder()).size() == 1);
}

TEST_CASE("two callers with --replace let the old task end in its grace period")
{
    const Lab lab;
    const std::string slow = "trap 'sleep 0.3; echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done";
    const std::string id = lab.start({"--name", "web", "-c", slow});
    REQUIRE(lab.logged(id, "up"));
    const auto [one, two] = both(lab, {"run", "--name", "web", "--replace", "--", "sleep", "100"});
    INFO(one << two);
    CHECK(one.code + two.code == 0);
    CHECK(lab.logged(id, "bye\n"));
    CHECK(lab.wait(id) == 0);
}

TEST_CASE("two callers without either: one wins, the other is told")
{
    const Lab lab;
    for (int round = 0; round < 20; ++round) {
        const auto [one, two] = both(lab, {"run", "--name", "web", "--", "sleep", "100"});
        INFO(one << two);
        REQUIRE(one.code + two.code == 125);
        REQUIRE(living(lab).size() == 1);
        REQUIRE(lab({"kill", "--now", "web"}).code == 0);
    }
}

TEST_CASE("a name whose command can't be started stays free")
{
    const Lab lab;
    CHECK(lab({"run", "--name", "web", "--", "no-such-program-anywhere"}).code == 127);
    CHECK(lab.start({"--name", "web", "--", "true"}) == "2"); // and the first id is not used again
}

TEST_CASE("tasks are found by tag, by name and by pattern")
{
    const Lab lab;
    lab.start({"--name", "web-1", "--tag", "job=e2e", "--tag", "who=ci", "--", "sleep", "100"});
    lab.start({"--name", "web-2", "--tag", "job=e2e", "--", "sleep", "100"});
    lab.start({"--name", "db", "--tag", "job=db", "--", "sleep", "100"});
    const auto ids = [&](const Words& filter) {
        Words words{"ps", "-q"};
        words.insert(words.end(), filter.begin(), filter.end());
        const Ran ran = lab(words);
        INFO(ran);
        CHECK(ran.code == 0);
        Words found;
        std::istringstream lines(ran.out);
        for (std::string line; std::getline(lines, line);) found.push_back(line);
        std::sort(found.begin(), found.end());
        return found;
    };
    CHECK(ids({"--tag", "job=e2e"}) == Words{"1", "2"});
    CHECK(ids({"--tag", "job"}) == Words{"1", "2", "3"});
    CHECK(ids({"--tag", "job=e2e", "--tag", "who=ci"}) == Words{"1"});
    CHECK(ids({"--tag", "job=none"}) == Words{});
    CHECK(ids({"--name", "web-*"}) == Words{"1", "2"});
    CHECK(ids({"--name", "web-?", "--name", "db"}) == Words{"1", "2", "3"});
    CHECK(text_at(lab.show("web-1"), "/tags") == R"({"job":"e2e","who":"ci"})");
    CHECK(text_at(lab.show("-"), "/id") == "3");
    CHECK(lab({"kill", "--name", "web-*"}).code == 0);
    CHECK(ids({"--state", "running"}) == Words{"3"});
    const Ran near = lab({"show", "bd"});
    CHECK(near.code == 125);
    CHECK(near.err == "bgt show: no task named bd (did you mean db?)\n");
}
