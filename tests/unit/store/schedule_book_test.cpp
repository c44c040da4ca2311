// Schedules in the journal: their records, what they amount to, and what a compaction keeps.
#include "support/catch.hpp"

#include "temp_folder.hpp"

#include <bgt/store/queue_repair.hpp>
#include <bgt/store/queue_view.hpp>

#include <filesystem>
#include <fstream>

using namespace bgt;
using namespace bgt::store;
using namespace bgt::store::test;
using core::OccurrenceFate;

namespace {

WallTime at(std::int64_t seconds)
{
    return WallTime{std::chrono::seconds(seconds)};
}

Scheduled some_schedule(std::int64_t id, const std::string& name)
{
    Scheduled schedule;
    schedule.id = schedule.described_by = id;
    schedule.name = name;
    schedule.when = "every 1s";
    schedule.zone = "Europe/Berlin";
    schedule.policy = {core::OnMissed::all,
                       7,
                       std::chrono::seconds(9),
                       core::OnOverlap::replace,
                       std::chrono::seconds(3),
                       at(99'999),
                       12};
    schedule.tasks.first = 0;
    schedule.tasks.queue = "q";
    schedule.tasks.key = "schedule=" + name;
    schedule.expire_after = std::chrono::seconds(5);
    schedule.origin = "/p/bgt.toml";
    schedule.since = at(100);
    return schedule;
}

Described description(std::int64_t key)
{
    Described described;
    described.key = key;
    TaskSpec spec;
    spec.id = TaskId{key};
    spec.command = {"true"};
    described.spec = encode_spec(spec);
    described.context = "context-x";
    return described;
}

QueueView opened(const Root& root, const BootId& boot = {})
{
    auto file = QueueFile::open(root, true, boot);
    if (!file) FAIL(file.error().message);
    QueueView view(*std::move(file));
    if (auto read = view.update(); !read) FAIL(read.error().message);
    return view;
}

void append(QueueView& view, const std::vector<QueueRecord>& records)
{
    if (auto done = view.append(records, QueueFile::Durability::process); !done)
        FAIL(done.error().message);
}

/// Fires once as task `id`.
void fire(QueueView& view, const std::string& name, std::int64_t id, std::int64_t second)
{
    std::vector<QueueRecord> records;
    append_firing(records, *view.schedules().find(name), TaskId{id},
                  {OccurrenceFate::fired, at(second), at(second), 1}, at(second));
    append(view, records);
}

bool is_equal(const Schedule& a, const Schedule& b)
{
    return encode_record(a.is) == encode_record(b.is) && a.state == b.state && a.tasks == b.tasks &&
           a.last_task == b.last_task && a.last_end == b.last_end &&
           a.history.size() == b.history.size();
}

} // namespace

TEST_CASE("records of schedules come back as they were written; cut ones are refused")
{
    ScheduleKept kept{7,
                      {at(5), {{at(1), at(2)}, {at(4), at(5)}}, 3, true},
                      {8, 9},
                      9,
                      core::TaskEventKind::ended_not_ok};
    const std::vector<QueueRecord> all{
        some_schedule(7, "s"),
        Unscheduled{7},
        SchedulePaused{7, false, at(3)},
        ScheduleOccurred{7, {OccurrenceFate::missed, at(-5), at(50), 9}, 0, at(60)},
        ScheduleOccurred{7, {OccurrenceFate::fired, at(5), at(5), 1}, 12, at(60)},
        ClockSetBack{at(4)},
        kept};
    for (const QueueRecord& record : all) {
        const std::string bytes = encode_record(record);
        const auto back = decode_record(bytes);
        REQUIRE(back);
        CHECK(encode_record(*back) == bytes);
        for (std::size_t size = 0; size < bytes.size(); ++size)
            CHECK_FALSE(decode_record(bytes.substr(0, size)));
        CHECK_FALSE(decode_record(bytes + "x"));
    }
    const auto back = decode_record(encode_record(all.back()));
    CHECK(std::get<ScheduleKept>(*back).state == kept.state);
    const auto schedule = std::get<Scheduled>(*decode_record(encode_record(all.front())));
    CHECK(schedule.policy == some_schedule(7, "s").policy);
    CHECK(schedule.expire_after == std::chrono::seconds(5));
}

TEST_CASE("what schedules amount to survives a compaction")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    QueueView view = opened(root);
    append(view, {description(1), some_schedule(1, "a"), description(2), some_schedule(2, "b")});
    fire(view, "a", 10, 101);
    fire(view, "a", 11, 102);
    fire(view, "b", 12, 101);
    CHECK(view.is_busy(*view.schedules().find("a")));
    append(view, {Claimed{10}, Reported{10, core::TaskEventKind::ended_ok}});
    append(view, {ScheduleOccurred{2, {OccurrenceFate::missed, at(102), at(109), 8}, 0, at(110)}});
    append(view, {SchedulePaused{2, true, at(111)}, ClockSetBack{at(101)}});
    CHECK_FALSE(view.is_empty());
    const Schedule& a = *view.schedules().find("a");
    CHECK(a.tasks == std::vector<std::int64_t>{11});
    CHECK(a.state.fired == 2);
    CHECK(a.state.mark == at(101));
    CHECK(a.state.is_closed(at(102)));
    const auto task = view.describe(TaskId{11});
    REQUIRE(task);
    CHECK(task->spec.command == std::vector<std::string>{"true"});
    CHECK(task->context == "context-x");

    const auto records = view.compacted();
    REQUIRE(records);
    REQUIRE(view.file().replace(*records));
    const QueueView again = opened(root);
    REQUIRE(again.schedules().all().size() == 2);
    for (const char* name : {"a", "b"})
        CHECK(is_equal(*again.schedules().find(name), *view.schedules().find(name)));
    CHECK(again.schedules().find("b")->state.paused);
    CHECK(again.describe(TaskId{11}));
    CHECK(again.describe(*again.schedules().find("b")));
}

TEST_CASE("a removed schedule is forgotten, and one that is changed keeps what has fired")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    QueueView view = opened(root);
    append(view, {description(1), some_schedule(1, "a")});
    fire(view, "a", 10, 105);
    Scheduled changed = some_schedule(1, "a");
    changed.when = "every 5s";
    append(view, {changed});
    CHECK(view.schedules().find("a")->state.mark == at(105));
    changed.since = at(200);
    append(view, {changed});
    CHECK(view.schedules().find("a")->state.mark == at(200));
    CHECK(view.schedules().find("a")->state.is_closed(at(105)));
    append(view, {Unscheduled{1}, ScheduleOccurred{1, {}, 5, at(1)}, SchedulePaused{1, true, {}}});
    CHECK(view.schedules().all().empty());
    CHECK_FALSE(view.is_empty()); // its task still waits
}

TEST_CASE("a repaired journal has all schedules paused, but for those that are lost")
{
    TempFolder temp;
    Root root = open_root(temp / "root");
    BootId boot{};
    boot.front() = 1;
    std::size_t damage = 0;
    {
        QueueView view = opened(root, boot);
        append(view, {description(1)});
        damage = view.file().size() - 1;
        append(view, {some_schedule(1, "lost"), description(2), some_schedule(2, "b")});
        append(view, {SchedulePaused{2, true, at(1)}, SchedulePaused{2, false, at(2)}});
    }
    std::fstream file(temp / "root/queue/journal", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(damage));
    file.put('\x7f');
    file.close();
    const Repair done = must(repair_queues(root, boot));
    CHECK(done.schedules == 1);
    CHECK(done.lost_tasks == 1);
    const QueueView view = opened(root, boot);
    REQUIRE(view.schedules().all().size() == 1);
    CHECK(view.schedules().find("b")->state.paused);
}
