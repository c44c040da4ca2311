// What the journal of waiting tasks still knows after a repair, a compaction or a removal.
#include "queue_sample.hpp"

#include <bgt/store/queue_repair.hpp>
#include <bgt/store/remove.hpp>
#include <bgt/store/retention.hpp>

#include <filesystem>

using namespace bgt;
using namespace bgt::store;
using namespace bgt::store::test;

TEST_CASE("a repair starts nothing again, and drops nothing that waits for a lost task")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    BootId boot{};
    boot[0] = 7;
    const std::string path = temp / "root/queue/journal";
    std::uint64_t before = 0;
    {
        QueueView view = opened(root, boot);
        append(view, submission(1, 6));
        append(view, {Claimed{1}, Published{1}, Claimed{2}, Claimed{3}, Published{3},
                      Reported{3, core::TaskEventKind::ended_ok}, Claimed{4}});
        before = view.file().size();
        append(view, submission(7, 1));
        const std::vector<QueueRecord> next = submission(8, 1);
        auto dependent = std::get<Submitted>(next[1]);
        dependent.tasks.after = {{7, core::DependsOn::ok}};
        append(view, {next[0], dependent});
    }
    put_byte(path, before + 20, '\x7f'); // task 7 is lost
    const auto done = repair_queues(root, boot);
    REQUIRE(done);
    CHECK(done->lost_tasks == 1);
    CHECK(done->without_dependency == std::vector<TaskId>{TaskId{8}});
    QueueView view = opened(root, boot);
    CHECK(view.is_published(TaskId{1})); // without a folder it is over
    for (const std::int64_t id : {2, 4, 5, 6, 8}) {
        INFO(id);
        REQUIRE(view.is_waiting(TaskId{id}));
        CHECK(view.state().why_waiting(id)->held);
    }
    CHECK_FALSE(view.is_waiting(TaskId{3}));
    CHECK_FALSE(view.is_claimed(TaskId{3}));
    append(view, {Reported{7, core::TaskEventKind::never_started}});
    CHECK(view.is_waiting(TaskId{8}));
    CHECK_FALSE(view.dropped_for(TaskId{8}));
}

TEST_CASE("a repair lets nothing start whose folder was there before its command was executed")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    BootId boot{};
    boot[0] = 7;
    {
        QueueView view = opened(root, boot);
        append(view, submission(1, 2));
        append(view, {Claimed{1}, Published{1}, Claimed{2}, Published{2}});
    }
    for (const std::int64_t id : {1, 2}) {
        auto task = root.create_task(TaskId{id});
        REQUIRE(task);
        Status status;
        status.lifecycle = core::Lifecycle::starting;
        if (id == 2) status.main_process.pid = 4711;
        REQUIRE(StatusWriter::create(task->fd(), status));
    }
    put_byte(temp / "root/queue/journal", 33, '\xff'); // whose folder it was written for
    REQUIRE(repair_queues(root, boot));
    const QueueView view = opened(root, boot);
    REQUIRE(view.is_waiting(TaskId{1}));
    CHECK(view.state().why_waiting(1)->held);
    CHECK(view.is_published(TaskId{2}));
}

TEST_CASE("a journal that was cut between two records is said, and told by its repair")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    BootId boot{};
    boot[0] = 7;
    std::uint64_t end = 0;
    {
        QueueView view = opened(root, boot);
        append(view, submission(1, 1));
        end = view.file().size();
        append(view, submission(2, 1));
    }
    const std::string path = temp / "root/queue/journal";
    const std::uint64_t whole = std::filesystem::file_size(path);
    std::filesystem::resize_file(path, end);
    CHECK_FALSE(QueueView::load(root, boot));
    const auto done = repair_queues(root, boot);
    REQUIRE(done);
    CHECK(done->places == 1);
    CHECK(done->lost_bytes == whole - end);
    CHECK(done->waiting == 1);
}

TEST_CASE("a compacted journal knows whose folder had its place")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    QueueView view = opened(root);
    append(view, submission(1, 4));
    append(view, {Published{4}, Claimed{1}, Published{1}, Claimed{2}, Claimed{3}, Published{3},
                  PutBack{3}, Claimed{3}});
    const auto records = view.compacted();
    REQUIRE(records);
    REQUIRE(view.file().replace(*records));
    const QueueView after = opened(root);
    for (const QueueView* one : {static_cast<const QueueView*>(&view), &after}) {
        CHECK(one->is_published(TaskId{1}));
        CHECK_FALSE(one->is_published(TaskId{2}));
        CHECK_FALSE(one->is_published(TaskId{3}));
        CHECK_FALSE(one->is_published(TaskId{4}));
    }
}

TEST_CASE("the end of a task is in the journal before its folder is removed")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    QueueView view = opened(root);
    append(view, submission(1, 1));
    append(view, {Claimed{1}, Published{1}});
    core::WaitingTasks next = tasks(2, 1);
    next.after = {{1, core::DependsOn::fail}};
    append(view, {Submitted{next, 1}});
    auto task = root.create_task(TaskId{1});
    REQUIRE(task);
    Status status;
    status.lifecycle = core::Lifecycle::ended;
    status.outcome.kind = core::OutcomeKind::exited;
    status.outcome.code = 3;
    REQUIRE(StatusWriter::create(task->fd(), status));
    const auto update = [&] {
        if (const auto read = view.update(); !read) FAIL(read.error().message);
    };
    SECTION("it can be written")
    {
        SECTION("by a removal")
        {
            REQUIRE(remove_task(root, TaskId{1}, *std::move(task), {}));
        }
        SECTION("by retention")
        {
            *task = TaskDir{};
            CHECK(prune(root, {.keep_ended = 0}, WallTime(std::chrono::hours(1)))->removed == 1);
        }
        update();
        CHECK_FALSE(view.is_claimed(TaskId{1}));
        CHECK(view.state().why_waiting(2)->dependencies.empty());
    }
    SECTION("it can't: the folder stays")
    {
        TaskSpec spec;
        spec.queue = "default";
        REQUIRE(write_spec(task->fd(), spec));
        put_byte(temp / "root/queue/journal", 30, '\x7f');
        const auto removed = remove_task(root, TaskId{1}, *std::move(task), {});
        REQUIRE_FALSE(removed);
        CHECK(removed.error().message.find("bgt queue repair") != std::string::npos);
        CHECK(root.open_task(TaskId{1}));
    }
}
