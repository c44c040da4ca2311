#include "temp_folder.hpp"

#include <algorithm>
#include <sys/wait.h>
#include <unistd.h>

using namespace bgt;
using namespace bgt::store;
using namespace bgt::store::test;

namespace {

const auto living = [](TaskId) { return true; };
const auto dead = [](TaskId) { return false; };

} // namespace

TEST_CASE("a name belongs to one task at a time")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    CHECK_FALSE(must(root.find_name("web")));
    CHECK(must(root.claim_name("web", TaskId{1}, living)) == TaskId{1});
    CHECK(must(root.claim_name("web", TaskId{2}, living)) == TaskId{1});
    CHECK(must(root.claim_name("web", TaskId{1}, dead)) == TaskId{1});
    CHECK(must(root.find_name("web")) == TaskId{1});
    CHECK(must(root.claim_name("web", TaskId{2}, dead)) == TaskId{2});
    must(root.release_name("web", TaskId{1})); // no longer its own
    CHECK(must(root.find_name("web")) == TaskId{2});
    must(root.claim_name("api", TaskId{3}, living));
    CHECK(must(root.names()) ==
          std::vector<std::pair<std::string, TaskId>>{{"api", TaskId{3}}, {"web", TaskId{2}}});
    must(root.release_name("web", TaskId{2}));
    must(root.release_name("web", TaskId{2}));
    CHECK_FALSE(must(root.find_name("web")));
}

TEST_CASE("still_used is asked only about the task with the name")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    std::vector<TaskId> asked;
    const auto note = [&](TaskId id) { return asked.push_back(id), false; };
    must(root.claim_name("web", TaskId{1}, note));
    CHECK(asked.empty());
    must(root.claim_name("web", TaskId{1}, note));
    CHECK(asked.empty());
    must(root.claim_name("web", TaskId{2}, note));
    CHECK(asked == std::vector{TaskId{1}});
}

TEST_CASE("bad names never become paths")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    for (const char* bad : {"", "../next-id", "a/b", ".lock", ".new", "7"}) {
        CHECK_FALSE(root.find_name(bad));
        CHECK_FALSE(root.claim_name(bad, TaskId{1}, dead));
        CHECK_FALSE(root.release_name(bad, TaskId{1}));
    }
    CHECK(std::filesystem::is_empty(temp / "root"));
}

TEST_CASE("a damaged name is free")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    must(root.claim_name("web", TaskId{1}, living));
    put(temp / "victim", "x");
    const std::string name = temp / "root/names/web";
    for (const char* target :
         {"victim", "../../victim", "0", "07", "-1", "1 ", "99999999999999999999",
          "1234567890123456789012345678901234567890"}) {
        std::filesystem::remove(name);
        std::filesystem::create_symlink(target, name);
        CHECK_FALSE(must(root.find_name("web")));
        CHECK(must(root.names()).empty());
        CHECK(must(root.claim_name("web", TaskId{2}, living)) == TaskId{2});
    }
    std::filesystem::remove(name);
    put(name, "7\n"); // a file is no name
    CHECK_FALSE(must(root.find_name("web")));
    std::filesystem::create_symlink("1", temp / "root/names/.new"); // left by a crash
    CHECK(must(root.claim_name("web", TaskId{3}, living)) == TaskId{3});
    CHECK(must(root.find_name("web")) == TaskId{3});
    CHECK(get(temp / "victim") == "x");
    std::filesystem::remove(name);
    std::filesystem::create_directory(name);
    CHECK_FALSE(root.claim_name("web", TaskId{4}, living));
}

TEST_CASE("of many claimers one wins, and all agree who")
{
    constexpr int claimers = 8;
    constexpr int rounds = 40;
    TempFolder temp;
    open_root(temp / "root");
    std::vector<pid_t> children;
    for (int c = 1; c <= claimers; ++c) {
        const pid_t child = ::fork();
        if (child == 0) {
            auto root = Root::open(temp / "root", Root::IfMissing::create);
            std::string winners;
            for (int round = 0; root && round < rounds; ++round) {
                const auto winner =
                    root->claim_name("n" + std::to_string(round), TaskId{c}, living);
                winners += (winner ? to_string(*winner) : winner.error().message) + "\n";
            }
            put(temp / "winners" + std::to_string(c), winners);
            ::_exit(0);
        }
        children.push_back(child);
    }
    for (const pid_t child : children) ::waitpid(child, nullptr, 0);
    const std::string first = get(temp / "winners1");
    CHECK(std::count(first.begin(), first.end(), '\n') == rounds);
    for (int c = 2; c <= claimers; ++c) CHECK(get(temp / "winners" + std::to_string(c)) == first);
    const Root root = open_root(temp / "root");
    std::string found;
    for (int round = 0; round < rounds; ++round)
        found +=
            to_string(must(root.find_name("n" + std::to_string(round))).value_or(TaskId{})) + "\n";
    CHECK(found == first);
}
