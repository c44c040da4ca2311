// Each promise of core/queue.hpp by an example: places, starts that fail, and what is told of it
// all.
#include "queue_sample.hpp"

using namespace bgt;
using namespace bgt::core;
using namespace std::chrono_literals;

TEST_CASE("queue: what is held stays, and keeps its place")
{
    QueueState queue = queue_of(1, {range(1, 4)});
    CHECK(queue.hold(2));
    CHECK(queue.hold(2)); // again
    CHECK(queue.why_waiting(2)->held);
    CHECK(queue.counts().at("default").held == 1);
    CHECK(queue.next() == 1);
    queue.tell(1, ended_ok);
    CHECK(queue.next() == 3);
    queue.tell(3, ended_ok);
    CHECK(queue.release(2));
    CHECK(queue.release(2));
    CHECK(run_all(queue) == Ids{2, 4});
}

TEST_CASE("queue: submitted as held, it waits for its release")
{
    WaitingTasks tasks = range(1, 2);
    tasks.held = true;
    QueueState queue = queue_of(2, {tasks});
    CHECK(start_all(queue).empty());
    CHECK(queue.release(2));
    CHECK(start_all(queue) == Ids{2});
}

TEST_CASE("queue: nothing is done to a task that does not wait")
{
    QueueState queue = queue_of(1, {range(1, 2)});
    CHECK(queue.next() == 1);
    for (const std::int64_t id : {1, 3, -1}) {
        CHECK_FALSE(queue.is_waiting(id));
        CHECK_FALSE(queue.hold(id));
        CHECK_FALSE(queue.release(id));
        CHECK_FALSE(queue.set_priority(id, 1));
        CHECK_FALSE(queue.move_first(id));
        CHECK_FALSE(queue.move_last(id));
        CHECK_FALSE(queue.move_before(id, 2));
        CHECK_FALSE(queue.move_before(2, id));
        CHECK_FALSE(queue.remove(id));
        CHECK_FALSE(queue.claim(id));
        CHECK_FALSE(queue.why_waiting(id));
    }
    CHECK_FALSE(queue.move_before(2, 2));
    CHECK(queue.in_order(10) == Ids{2});
}

TEST_CASE("queue: moved to the first place, to the last, and before another")
{
    QueueState queue = queue_of(1, {range(1, 6)});
    CHECK(queue.move_first(4));
    CHECK(queue.in_order(10) == Ids{4, 1, 2, 3, 5, 6});
    CHECK(queue.move_last(2));
    CHECK(queue.in_order(10) == Ids{4, 1, 3, 5, 6, 2});
    CHECK(queue.move_before(6, 3));
    CHECK(queue.in_order(10) == Ids{4, 1, 6, 3, 5, 2});
    CHECK(queue.move_before(1, 2));
    CHECK(run_all(queue) == Ids{4, 6, 3, 5, 1, 2});
}

TEST_CASE("queue: in the middle of a range there is a place, too")
{
    QueueState queue = queue_of(1, {range(1, 5), task(6)});
    CHECK(queue.move_before(6, 4));
    CHECK(queue.in_order(10) == Ids{1, 2, 3, 6, 4, 5});
    CHECK(queue.move_before(5, 2));
    CHECK(queue.in_order(10) == Ids{1, 5, 2, 3, 6, 4});
}

TEST_CASE("queue: who comes later stands behind all that were moved to the last place")
{
    QueueState queue = queue_of(1, {range(1, 3)});
    for (const std::int64_t id : {1, 2, 3, 1}) CHECK(queue.move_last(id));
    queue.add(task(4));
    CHECK(queue.in_order(10) == Ids{2, 3, 1, 4});
}

TEST_CASE("queue: moving before the same task again and again always finds room")
{
    QueueState queue = queue_of(1, {range(1, 100)});
    Ids expected;
    for (std::int64_t id = 99; id > 0; --id) {
        CHECK(queue.move_before(id, 100));
        expected.push_back(id);
    }
    expected.push_back(100);
    CHECK(queue.in_order(100) == expected);
}

TEST_CASE("queue: a move stays among those of a priority, before another takes its priority")
{
    QueueState queue = queue_of(1, {task(1, 1), task(2), task(3), task(4, 1)});
    CHECK(queue.move_first(3));
    CHECK(queue.in_order(10) == Ids{1, 4, 3, 2});
    CHECK(queue.move_before(2, 4));
    CHECK(queue.in_order(10) == Ids{1, 2, 4, 3});
    CHECK(queue.set_priority(2, 0));
    CHECK(queue.in_order(10) == Ids{1, 4, 3, 2});
    CHECK(queue.set_priority(3, 7));
    CHECK(run_all(queue) == Ids{3, 1, 4, 2});
}

TEST_CASE("queue: removed, it does not start, and others are told by the caller")
{
    QueueState queue = queue_of(1, {range(1, 3), after(4, {{2, DependsOn::ok}})});
    CHECK(queue.remove(2));
    CHECK(queue.waiting_count() == 3);
    CHECK(queue.is_waiting(4));
    CHECK(queue.tell(2, never_started) == std::vector<TaskRange>{{4, 1}});
    CHECK(run_all(queue) == Ids{1, 3});
}

TEST_CASE("queue: put back, it waits in its old place")
{
    QueueState queue = queue_of(2, {range(1, 4), task(5, 1)});
    CHECK(start_all(queue) == Ids{5, 1});
    CHECK(queue.move_first(4));
    queue.put_back(1);
    CHECK_FALSE(queue.is_running(1));
    CHECK(queue.in_order(10) == Ids{4, 1, 2, 3});
    queue.put_back(5);
    CHECK(queue.in_order(10) == Ids{5, 4, 1, 2, 3});
    queue.put_back(17); // never seen
    CHECK(start_all(queue) == Ids{5, 4});
}

TEST_CASE("queue: put back, it does not keep its key")
{
    QueueState queue = queue_of(2, {with_key(1, "deploy"), with_key(2, "deploy")});
    CHECK(start_all(queue) == Ids{1});
    CHECK(queue.hold(2));
    queue.put_back(1);
    CHECK(queue.hold(1));
    CHECK(queue.release(2));
    CHECK(start_all(queue) == Ids{2});
}

TEST_CASE("queue: claimed by its id, whatever it waited for")
{
    WaitingTasks tasks = after(2, {{1, DependsOn::ok}});
    tasks.held = true;
    tasks.not_before = WallTime{100s};
    QueueState queue = queue_of(1, {tasks, task(3)});
    CHECK(queue.claim(2));
    CHECK(queue.is_running(2));
    CHECK(queue.depended_on().empty());
    CHECK_FALSE(queue.next_time());
    CHECK_FALSE(queue.next()); // the slot is taken
    CHECK(queue.tell(1, ended_not_ok).empty());
    queue.put_back(2);
    CHECK(start_all(queue) == Ids{2});
}

TEST_CASE("queue: what was started elsewhere takes what it needs until its end")
{
    QueueState queue = queue_of(2, {range(5, 2)});
    queue.set_resource("gpu", 1);
    queue.add_running(1, needing(1, {{"gpu", 1}}));
    queue.add_running(1, needing(1, {{"gpu", 1}})); // it is known
    queue.add(needing(7, {{"gpu", 1}}));
    CHECK(queue.running_ids() == Ids{1});
    CHECK(queue.next() == 5);
    CHECK_FALSE(queue.next());
    queue.tell(5, ended_ok);
    queue.tell(6, ended_ok);
    CHECK(queue.next() == 6);
    queue.tell(6, ended_ok);
    CHECK_FALSE(queue.next());
    queue.tell(1, ended_ok);
    CHECK(queue.next() == 7);
}

TEST_CASE("queue: more may run than there is room for, when others started it")
{
    QueueState queue = queue_of(1, {task(5)});
    for (std::int64_t id = 1; id <= 3; ++id) queue.add_running(id, with_key(id, "k"));
    CHECK(queue.counts().at("default").used_slots == 3);
    queue.tell(1, ended_ok);
    queue.tell(2, ended_ok);
    CHECK_FALSE(queue.next());
    queue.tell(3, ended_ok);
    CHECK(queue.next() == 5);
}

TEST_CASE("queue: a waiting task that others started is put back where it was")
{
    WaitingTasks urgent = task(2, 3);
    urgent.expires = WallTime{100s};
    QueueState queue = queue_of(1, {task(1, 5), urgent, task(3, 3)});
    queue.add_running(2, task(2));
    CHECK(queue.in_order(10) == Ids{1, 3});
    queue.put_back(2);
    CHECK(queue.in_order(10) == Ids{1, 2, 3});
    CHECK(queue.next_time() == WallTime{100s});
}

TEST_CASE("queue: why it waits")
{
    QueueState queue = queue_of(2);
    queue.set_total_slots(4);
    queue.set_resource("gpu", 2);
    WaitingTasks tasks = after(3, {{9, DependsOn::ready}});
    tasks.slots = 2;
    tasks.needs = {{"gpu", 2}};
    queue.add(needing(1, {{"gpu", 1}}));
    queue.add(in_queue(2, "other"));
    queue.add(tasks);
    CHECK(start_all(queue) == Ids{1, 2});
    queue.add(range(4, 3));
    queue.set_total_slots(3);
    const auto why = queue.why_waiting(3);
    REQUIRE(why);
    CHECK(why->dependencies == std::vector<Dependency>{{9, DependsOn::ready}});
    CHECK(why->before == 0);
    REQUIRE(why->lacks.size() == 3);
    std::map<std::string, std::vector<std::uint64_t>> lacks;
    for (const auto& [name, need, free, capacity] : why->lacks)
        lacks[name] = {need, free, capacity};
    CHECK(lacks["slots"] == std::vector<std::uint64_t>{2, 1, 2});
    CHECK(lacks["total slots"] == std::vector<std::uint64_t>{2, 1, 3});
    CHECK(lacks["gpu"] == std::vector<std::uint64_t>{2, 1, 2});
    CHECK(queue.why_waiting(6)->before == 3);
}

TEST_CASE("queue: nothing keeps a task whose turn it is")
{
    const QueueState queue = queue_of(1, {task(1)});
    const auto why = queue.why_waiting(1);
    REQUIRE(why);
    CHECK_FALSE(why->held);
    CHECK(why->dependencies.empty());
    CHECK_FALSE(why->not_before);
    CHECK_FALSE(why->queue_paused);
    CHECK_FALSE(why->key_holder);
    CHECK_FALSE(why->behind);
    CHECK(why->lacks.empty());
    CHECK(why->before == 0);
}

TEST_CASE("queue: counts of each queue")
{
    QueueState queue = queue_of(3, {range(1, 4), with_slots(5, 2), in_queue(6, "other")});
    CHECK(queue.next() == 1);
    CHECK(queue.hold(3));
    auto counts = queue.counts();
    CHECK(counts.at("default").waiting == 4);
    CHECK(counts.at("default").held == 1);
    CHECK(counts.at("default").running == 1);
    CHECK(counts.at("default").used_slots == 1);
    CHECK(counts.at("other").waiting == 1);
    CHECK(queue.waiting_count() == 5);
}

TEST_CASE("queue: written down and read back, it goes on alike")
{
    WaitingTasks keyed = range(10, 3);
    keyed.key = "deploy";
    keyed.needs = {{"gpu", 1}};
    keyed.hold_on_failure = true;
    WaitingTasks array = range(20, 5);
    array.max_running = 2;
    array.expires = WallTime{100s};
    QueueState queue = queue_of(
        3, {range(1, 4), keyed, array, after(30, {{2, DependsOn::ok}, {21, DependsOn::any}})});
    queue.set_resource("gpu", 1);
    CHECK(queue.move_first(22));
    CHECK(queue.move_before(12, 3));
    CHECK(queue.set_priority(11, 4));
    CHECK(queue.hold(24));
    CHECK(start_all(queue) == Ids{11, 22, 1});

    QueueState read = queue_of(3);
    read.set_resource("gpu", 1);
    for (const WaitingTasks& tasks : queue.waiting()) read.add(tasks);
    for (const std::int64_t id : queue.running_ids()) read.add_running(id, *queue.running(id));
    CHECK(read.running_ids() == queue.running_ids());
    CHECK_FALSE(queue.running(2));
    CHECK(read.depended_on() == queue.depended_on());
    CHECK(read.next_time() == queue.next_time());
    for (QueueState* each : {&queue, &read}) {
        each->tell(11, ended_ok);
        each->put_back(22);
    }
    CHECK(read.in_order(100) == queue.in_order(100));
    CHECK(run_all(read) == run_all(queue));
}
