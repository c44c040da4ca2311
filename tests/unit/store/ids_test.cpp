#include "temp_folder.hpp"

#include <bgt/store/history.hpp>
#include <bgt/store/root_events.hpp>

#include <algorithm>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace bgt;
using namespace bgt::store;
using namespace bgt::store::test;

TEST_CASE("ids count from one and are remembered")
{
    TempFolder temp;
    {
        Root root = open_root(temp / "root");
        CHECK(must(root.last_id()) == 0);
        CHECK(must(root.allocate_id()) == TaskId{1});
        CHECK(must(root.allocate_id()) == TaskId{2});
    }
    Root root = open_root(temp / "root");
    CHECK(must(root.last_id()) == 2);
    for (std::int64_t i = 3; i <= 12; ++i) CHECK(must(root.allocate_id()) == TaskId{i});
    CHECK(get(temp / "root/next-id") == "12\n");
}

TEST_CASE("a lost, damaged or old counter goes on above everything that is there")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    must(root.create_task(TaskId{41}));
    const std::string counter = temp / "root/next-id";
    SECTION("tasks")
    {
        using namespace std::string_literals;
        for (const std::string& text : {""s, "x\n"s, "-3\n"s, "0\n"s, "40"s, "40\0\n"s,
                                        "9007199254740993\n"s, std::string(5000, '9'), "40\n"s}) {
            INFO(text.substr(0, 30));
            put(counter, text);
            CHECK(must(root.allocate_id()) == TaskId{42});
            CHECK(get(counter) == "42\n");
        }
        std::filesystem::remove(counter);
        CHECK(must(root.last_id()) == 41);
        CHECK(must(root.allocate_id()) == TaskId{42});
    }
    SECTION("markers, and folders in the making")
    {
        must(root.mark_active(TaskId{50}));
        CHECK(must(root.allocate_id()) == TaskId{51});
        std::filesystem::remove(counter);
        std::filesystem::create_directory(temp / "root/tasks/.gone-60");
        CHECK(must(root.allocate_id()) == TaskId{61});
    }
}

TEST_CASE("an id is not given twice because the counter and the folder are gone")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    const auto lose_counter = [&] {
        SECTION("lost")
        {
            std::filesystem::remove(temp / "root/next-id");
        }
        SECTION("empty")
        {
            put(temp / "root/next-id", "");
        }
        SECTION("cut")
        {
            put(temp / "root/next-id", "3");
        }
    };
    SECTION("the history knows it")
    {
        TaskSpec spec;
        spec.id = TaskId{37};
        must(append_history(root, spec, {}, WallTime{}));
        lose_counter();
        CHECK(must(root.allocate_id()) == TaskId{38});
    }
    SECTION("the event stream knows it, of many that waited, too")
    {
        EventWriter events(root.fd());
        must(events.append(queued_event(TaskId{30}, 8, "", "q", WallTime{})));
        lose_counter();
        CHECK(must(root.allocate_id()) == TaskId{38});
    }
}

TEST_CASE("when the ids are used up, it says so")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    put(temp / "root/next-id", "9007199254740991\n");
    CHECK(must(root.allocate_id()) == TaskId{9007199254740992});
    CHECK_FALSE(root.allocate_id());
    CHECK_FALSE(root.allocate_id());
}

TEST_CASE("8 threads and 4 processes never get the same id")
{
    constexpr std::size_t each = 125;
    TempFolder temp;
    open_root(temp / "root");
    const auto collect = [&](std::vector<std::int64_t>& into) {
        auto root = Root::open(temp / "root", Root::IfMissing::create);
        for (std::size_t i = 0; root && i < each; ++i)
            if (const auto id = root->allocate_id()) into.push_back(id->value);
    };
    std::vector<pid_t> children;
    for (int c = 0; c < 4; ++c) {
        const pid_t child = ::fork();
        if (child == 0) {
            std::vector<std::int64_t> mine;
            collect(mine);
            std::string text;
            for (const auto id : mine) text += std::to_string(id) + "\n";
            put(temp / "ids" + std::to_string(c), text);
            ::_exit(0);
        }
        children.push_back(child);
    }
    std::vector<std::vector<std::int64_t>> of_threads(8);
    std::vector<std::thread> threads;
    for (auto& mine : of_threads) threads.emplace_back([&] { collect(mine); });
    for (auto& thread : threads) thread.join();
    for (const pid_t child : children) ::waitpid(child, nullptr, 0);

    std::vector<std::int64_t> all;
    for (const auto& mine : of_threads) all.insert(all.end(), mine.begin(), mine.end());
    for (int c = 0; c < 4; ++c) {
        std::ifstream in(temp / "ids" + std::to_string(c));
        for (std::int64_t id = 0; in >> id;) all.push_back(id);
    }
    std::sort(all.begin(), all.end());
    REQUIRE(all.size() == 12 * each);
    for (std::size_t i = 0; i < all.size(); ++i)
        REQUIRE(all[i] == static_cast<std::int64_t>(i + 1));
}
