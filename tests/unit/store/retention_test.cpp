#include "temp_folder.hpp"

#include <bgt/store/retention.hpp>

#include <fcntl.h>
#include <mutex>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace bgt;
using namespace bgt::store;
using namespace bgt::store::test;
using namespace std::chrono_literals;
using core::Lifecycle;

namespace {

const WallTime noon = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());

std::vector<TaskId> ids(std::initializer_list<std::int64_t> values)
{
    std::vector<TaskId> out;
    for (const auto value : values) out.push_back(TaskId{value});
    return out;
}

/// Long ago, as far as the file system knows.
void age(const std::string& path)
{
    const timespec old[2] = {{1000, 0}, {1000, 0}};
    REQUIRE(::utimensat(AT_FDCWD, path.c_str(), old, AT_SYMLINK_NOFOLLOW) == 0);
}

} // namespace

TEST_CASE("the oldest ended tasks go, those that live stay")
{
    for (const bool thorough : {true, false}) {
        TempFolder temp;
        Root root = open_root(temp / "root");
        add_task(root, Lifecycle::running, noon); // 1
        for (int i = 0; i < 3; ++i)
            add_task(root, Lifecycle::ended, noon, "n" + std::to_string(i)); // 2-4
        add_task(root, Lifecycle::queued, noon);                             // 5
        for (int i = 0; i < 3; ++i) add_task(root, Lifecycle::ended, noon);  // 6-8
        const Retention keep{.keep_ended = 2, .keep_age = std::nullopt, .thorough = thorough};

        const Pruned would = must(prune(root, keep, noon, true));
        CHECK(would.ids == ids({2, 3, 4, 6}));
        CHECK(must(root.all_ids()).size() == 8);
        CHECK(must(root.names()).size() == 3);

        const Pruned done = must(prune(root, keep, noon));
        CHECK(done.removed == 4);
        CHECK(done.ids == ids({2, 3, 4, 6}));
        CHECK(done.bytes == would.bytes);
        CHECK(done.bytes >= 4 * status_file_size);
        CHECK(done.problems.empty());
        CHECK(must(root.all_ids()) == ids({1, 5, 7, 8}));
        CHECK(must(root.active_ids()) == ids({1, 5}));
        CHECK(must(root.names()).empty());
        CHECK(must(prune(root, keep, noon)).removed == 0);
    }
}

TEST_CASE("tasks that ended too long ago go")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    add_task(root, Lifecycle::ended, noon - 10h);
    add_task(root, Lifecycle::running, noon - 10h);
    add_task(root, Lifecycle::ended, noon - 9h);
    add_task(root, Lifecycle::ended, noon - 1h);
    // Made long ago, ended just now.
    const TaskDir late = must(root.open_task(TaskId{3}));
    Status status = must(read_status(late.fd()));
    status.ended = noon;
    must(must(StatusWriter::open(late.fd())).write(status));
    CHECK(must(prune(root, {.keep_ended = 100, .keep_age = 2h}, noon)).ids == ids({1}));
    CHECK(must(prune(root, {.keep_ended = 100, .keep_age = 30min}, noon)).ids == ids({4}));
}

TEST_CASE("a locked task is never touched")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    const TaskId id = add_task(root, Lifecycle::ended, noon);
    TaskDir held = must(root.open_task(id));
    REQUIRE(must(held.try_lock()));
    CHECK(must(prune(root, {.keep_ended = 0}, noon)).removed == 0);
    CHECK(must(prune(root, {.keep_ended = 0}, noon, true)).removed == 0);
    CHECK(must(read_status_at(root.fd(), id)).lifecycle == Lifecycle::ended);
    held.unlock();
    CHECK(must(prune(root, {.keep_ended = 0}, noon)).removed == 1);
}

TEST_CASE("a task that can't be read, or that nobody has called lost yet, is left alone")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    const TaskId damaged = add_task(root, Lifecycle::ended, noon);
    put(temp / "root/tasks/" + to_string(damaged) + "/status", "rubbish");
    const TaskId lost =
        add_task(root, Lifecycle::running, noon); // its supervisor is dead: the lock is free
    must(root.unmark_active(lost));
    for (const bool thorough : {true, false}) {
        CHECK(must(prune(root, {.keep_ended = 0, .keep_age = 1ns, .thorough = thorough}, noon + 1h))
                  .removed == 0);
        CHECK(must(root.all_ids()).size() == 2);
    }
}

TEST_CASE(
    "an ended task of which processes live on is left alone, even when its supervisor is dead")
{
    for (const bool marked : {true, false}) {
        for (const bool thorough : {true, false}) {
            TempFolder temp;
            Root root = open_root(temp / "root");
            const TaskId id = add_task(root, Lifecycle::ended, noon);
            const TaskDir task = must(root.open_task(id));
            Status status = must(read_status(task.fd()));
            status.tree_lives = true;
            auto writer = must(StatusWriter::open(task.fd()));
            must(writer.write(status));
            if (marked) must(root.mark_active(id));
            const Retention keep{.keep_ended = 0, .keep_age = 1ns, .thorough = thorough};
            CHECK(must(prune(root, keep, noon + 1h, true)).removed == 0);
            CHECK(must(prune(root, keep, noon + 1h)).removed == 0);
            CHECK(must(root.all_ids()) == ids({1}));

            status.tree_lives = false;
            must(writer.write(status));
            CHECK(must(prune(root, keep, noon + 1h)).removed == 1);
        }
    }
}

TEST_CASE("of an ended task that a crash kept from being tidied, marker and FIFO go")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    const TaskId ended = add_task(root, Lifecycle::ended, noon),
                 living = add_task(root, Lifecycle::running, noon);
    for (const TaskId id : {ended, living}) {
        must(root.mark_active(id));
        REQUIRE(::mkfifoat(root.fd(), ("tasks/" + to_string(id) + "/out").c_str(), 0600) == 0);
    }
    for (const bool supervised : {true, false}) {
        TaskDir task = must(root.open_task(ended));
        if (supervised) REQUIRE(must(task.try_lock()));
        CHECK(must(prune(root, {.keep_ended = 9}, noon)).removed == 0);
        CHECK(must(root.active_ids()) ==
              (supervised ? std::vector{ended, living} : std::vector{living}));
        CHECK((::faccessat(task.fd(), "out", F_OK, 0) == 0) == supervised);
    }
    CHECK(::faccessat(must(root.open_task(living)).fd(), "out", F_OK, 0) == 0);
}

TEST_CASE("an ended task whose marker a crash left counts as ended")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    const TaskId id = add_task(root, Lifecycle::ended, noon);
    must(root.mark_active(id));
    CHECK(must(prune(root, {.keep_ended = 0}, noon)).removed == 1);
    CHECK(must(root.active_ids()).empty());
}

TEST_CASE("what a crash left goes once it is old, and not while it may be in the making")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    must(root.create_task(TaskId{1})); // no status, no marker
    must(root.create_task(TaskId{2}));
    must(root.mark_active(TaskId{2}));
    TaskDir held = must(root.create_task(TaskId{3})); // under way, slowly
    must(root.mark_active(TaskId{9}));
    must(root.claim_name("orphan", TaskId{9}, [](TaskId) { return false; }));
    must(root.claim_name("kept", TaskId{3}, [](TaskId) { return false; }));
    const std::string tasks = temp / "root/tasks";
    std::filesystem::create_directories(tasks + "/.new-5/x");
    std::filesystem::create_directories(tasks + "/README");

    CHECK(must(prune(root, {}, noon)).removed == 0);
    CHECK(must(root.all_ids()).size() == 3);
    CHECK(must(root.active_ids()) == ids({2, 9}));
    CHECK(must(root.find_name("orphan")));
    CHECK(exists(tasks + "/.new-5"));

    for (const char* name : {"/1", "/2", "/3", "/.new-5", "/README"}) age(tasks + name);
    age(temp / "root/active/9");
    age(temp / "root/names/orphan");
    age(temp / "root/names/kept");
    std::filesystem::create_directories(tasks + "/.gone-6/reports");
    CHECK(must(prune(root, {}, noon, true)).ids == ids({1, 2}));
    CHECK(must(root.all_ids()).size() == 3);
    const Pruned done = must(prune(root, {}, noon));
    CHECK(done.ids == ids({1, 2}));
    CHECK(done.problems.empty());
    CHECK(must(root.all_ids()) == ids({3}));
    CHECK(must(root.active_ids()).empty());
    CHECK_FALSE(must(root.find_name("orphan")));
    CHECK(must(root.find_name("kept")) == TaskId{3});
    CHECK_FALSE(exists(tasks + "/.new-5"));
    CHECK_FALSE(exists(tasks + "/.gone-6"));
    CHECK(exists(tasks + "/README")); // not ours
}

TEST_CASE("what could not be removed whole goes in passing, too")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    const std::string tasks = temp / "root/tasks";
    std::filesystem::create_directories(tasks + "/.gone-6/reports");
    std::filesystem::create_directories(tasks + "/.new-5/x");
    age(tasks + "/.new-5");
    CHECK(must(prune(root, {.keep_age = std::nullopt, .thorough = false}, noon)).problems.empty());
    CHECK_FALSE(exists(tasks + "/.gone-6"));
    CHECK(exists(tasks + "/.new-5")); // that takes a thorough look
}

TEST_CASE("a task of before the machine knew the time is of no age")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    add_task(root, Lifecycle::ended, WallTime(40s));
    add_task(root, Lifecycle::ended, noon - 10h);
    CHECK(must(prune(root, {.keep_age = 1h}, noon)).ids == ids({2}));
    CHECK(must(prune(root, {.keep_ended = 0}, noon)).ids == ids({1}));
}

TEST_CASE("a root that is not there has nothing to prune")
{
    TempFolder temp;
    Root root = must(Root::open(temp / "none", Root::IfMissing::empty));
    CHECK(must(prune(root, {}, noon)).removed == 0);
}

TEST_CASE("pruning while others prune and tasks begin and end")
{
    constexpr int tasks_each = 100;
    TempFolder temp;
    open_root(temp / "root");
    std::atomic<bool> over{false};
    std::atomic<std::size_t> removed{0};
    std::atomic<int> failures{0};
    std::mutex guard;
    std::vector<std::string> problems;
    const auto run_tasks = [&] {
        Root root = *Root::open(temp / "root", Root::IfMissing::create);
        for (int i = 0; i < tasks_each; ++i) {
            const auto id = root.allocate_id();
            auto task = root.create_task(*id);
            if (!task || !root.mark_active(*id)) {
                ++failures;
                continue;
            }
            Status status;
            status.name = "same";
            auto writer = StatusWriter::create(task->fd(), status);
            if (!writer || !root.claim_name("same", *id, [](TaskId) { return false; })) ++failures;
            status.lifecycle = Lifecycle::ended;
            if (!writer->write(status) || !root.unmark_active(*id)) ++failures;
            if (!read_status_at(root.fd(), *id))
                ++failures; // locked until here: nobody may have removed it
        }
    };
    const auto prune_on = [&] {
        Root root = *Root::open(temp / "root", Root::IfMissing::create);
        while (!over) {
            const auto pruned = prune(root, {.keep_ended = 5}, noon);
            const std::lock_guard hold(guard);
            if (!pruned) problems.push_back(pruned.error().message);
            else problems.insert(problems.end(), pruned->problems.begin(), pruned->problems.end());
            if (pruned) removed += pruned->removed;
        }
    };
    std::vector<std::thread> runners;
    std::vector<std::thread> pruners;
    for (int i = 0; i < 3; ++i) runners.emplace_back(run_tasks);
    for (int i = 0; i < 3; ++i) pruners.emplace_back(prune_on);
    for (auto& thread : runners) thread.join();
    over = true;
    for (auto& thread : pruners) thread.join();
    CHECK(failures == 0);
    CHECK(problems == std::vector<std::string>{});
    Root root = open_root(temp / "root");
    removed += must(prune(root, {.keep_ended = 5}, noon)).removed;
    CHECK(must(root.all_ids()).size() == 5);
    CHECK(must(root.all_ids()).back() == TaskId{3 * tasks_each});
    CHECK(removed == 3 * tasks_each - 5);
    CHECK(must(root.active_ids()).empty());
}

TEST_CASE("a folder whose record was never written goes; one whose record is damaged stays")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    const std::string tasks = temp / "root/tasks";
    const std::string records[] = {"", std::string(2048, '\0'), std::string(2048, '\0') + "x",
                                   "garbage"};
    for (int i = 0; i < 4; ++i) {
        must(root.create_task(TaskId{i + 1}));
        std::ofstream(tasks + "/" + std::to_string(i + 1) + "/status")
            << records[i].substr(records[i].size() > 2048 ? 1 : 0);
        age(tasks + "/" + std::to_string(i + 1));
    }
    CHECK(must(prune(root, {}, noon)).ids == ids({1, 2}));
    CHECK(must(root.all_ids()) == ids({3, 4}));
}
