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
        if (text_at(task.as_object(), "/lifecycle") != "ended")
            ids.insert(text_at(task.as_object(), "/id"));
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
        CHECK(ran.err == "bgt run: the name 'web' belongs to task 1, which is running: take "
                         "another name, or use --if-absent or --replace\n");
        CHECK(living(lab).size() == 1);
    }
    SECTION("--if-absent gives the living one's id")
    {
        CHECK(lab.start({"--name", "web", "--if-absent", "--", "sleep", "100"}) == first);
    }
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
        const auto [one, two] =
            both(lab, {"run", "--name", name, "--if-absent", "--", "sleep", "100"});
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
        const auto [one, two] =
            both(lab, {"run", "--name", "web", "--replace", "--", "sleep", "100"});
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
    const std::string slow =
        "trap 'sleep 0.3; echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done";
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

TEST_CASE("selectors narrow each other, and several values of one are alternatives")
{
    const Lab lab;
    lab.start({"--name", "dev", "--tag", "agent=A", "--", "sleep", "100"});
    lab.start({"--name", "test", "--tag", "agent=A", "--", "sleep", "100"});
    lab.start({"--name", "db", "--tag", "agent=B", "--", "sleep", "100"});
    const auto ids = [&](Words filter) {
        filter.insert(filter.begin(), {"ps", "-q"});
        return lab(filter).out;
    };
    CHECK(ids({"--tag", "agent=A", "--tag", "agent=B"}) == "1\n2\n3\n");
    CHECK(ids({"--tag", "agent", "--tag", "agent=B"}) == "1\n2\n3\n");
    CHECK(ids({"--tag", "agent=A", "--name", "d*"}) == "1\n");
    CHECK(ids({"--tag", "agent=A", "dev"}) == "1\n");
    CHECK(ids({"--tag", "agent=A", "-"}) == "2\n"); // the newest of those
    CHECK(ids({"--all", "--tag", "agent=B"}) == "3\n");
    const Ran other = lab({"kill", "--tag", "agent=A", "db"});
    CHECK(other.code == 125);
    CHECK(other.err == "bgt kill: task 3 (db) does not match --tag agent=A\n");
    CHECK(lab({"kill", "--tag", "agent=C", "-"}).err ==
          "bgt kill: no task matches --tag agent=C\n");
    CHECK(lab({"kill", "--tag", "agent=A", "dev"}).code == 0);
    CHECK(lab({"ps", "-q", "--state", "running"}).out == "2\n3\n");
}

TEST_CASE("verbs that need no settings work beside a broken bgt.toml, with a warning")
{
    Lab lab;
    const std::string id = lab.start({"--name", "web", "-c", "echo said; exec sleep 100"});
    REQUIRE(lab.logged(id, "said"));
    const auto [text, what] = GENERATE(
        std::pair{"grase = 1\n", ":1:1: unknown key grase"}, std::pair{"grace = [\n", "bgt.toml:"},
        std::pair{"grace = \"soon\"\n[[rule]]\ntimeout = 1\n", "a rule needs `match`"});
    write_file(lab.work() + "/bgt.toml", text);
    for (const Words& words :
         {Words{"ps"}, Words{"logs", "web"}, Words{"show", "web"}, Words{"why", "web"},
          Words{"pause", "web"}, Words{"wait", "--for", "log:said", "web"},
          Words{"kill", "--now", "web"}, Words{"rm", id}, Words{"events"}, Words{"stats"},
          Words{"queue"}, Words{"schedule"}, Words{"schedule", "ls"}, Words{"shutdown"}}) {
        const Ran ran = lab(words);
        INFO(ran);
        CHECK(ran.code == 0);
        CHECK(ran.err.find(what) != std::string::npos);
        CHECK(ran.err.find("ignored") != std::string::npos);
    }
    for (const Words& words : {Words{"run", "--", "true"}, Words{"submit", "--", "true"},
                               Words{"schedule", "--every", "1h", "add", "x", "--", "true"},
                               Words{"schedule", "apply"}, Words{"gc"}})
        CHECK(lab(words).code == 125);
}

TEST_CASE("a bgt.toml that can't be parsed may have named the root, so the one in use is said")
{
    Lab lab;
    write_file(lab.work() + "/bgt.toml", "root = \"");
    CHECK(lab({"ps"}).err.find("so the root is ") == std::string::npos); // BGT_ROOT says it
    lab.set_env("BGT_ROOT=");
    CHECK(lab({"ps"}).err.find("; so the root is /") != std::string::npos);
    CHECK(lab({"ps", "--root", lab.root()}).err.find("so the root is ") == std::string::npos);
}

TEST_CASE("--if-absent and --replace leave the task of another project alone")
{
    const Lab lab;
    const std::string other = lab.work() + "/other";
    std::filesystem::create_directory(other);
    lab.start({"--name", "web", "-C", other, "--", "sleep", "100"});
    for (const char* option : {"--if-absent", "--replace"}) {
        const Ran ran = lab({"run", "--name", "web", option, "--", "sleep", "100"});
        INFO(ran);
        CHECK(ran.code == 125);
        CHECK(ran.out.empty());
        CHECK(ran.err == "bgt run: the name 'web' belongs to task 1, which runs 'sleep 100' in " +
                             other + ": take another name, or add --anywhere\n");
    }
    CHECK(lab({"run", "-n", "web", "-C", other, "--if-absent", "--", "sleep", "7"}).code ==
          125); // another command
    CHECK(lab.start({"--name", "web", "--if-absent", "--anywhere", "--", "true"}) == "1");
    CHECK(lab({"ps", "-q", "--here"}).out == "1\n"); // below
    lab.start({"-C", "/", "--", "sleep", "101"});
    CHECK(lab({"ps", "-q", "--here", "--state", "running"}).out == "1\n");
    CHECK(
        lab({"run", "--name", "web", "--replace", "--anywhere", "-e", "A=1", "--", "sleep", "100"})
            .code == 0);
    CHECK(text_at(lab.show("1"), "/lifecycle") == "ended");
    CHECK(lab({"run", "--anywhere", "--", "true"}).err ==
          "bgt run: --anywhere needs --if-absent or --replace\n");
}
