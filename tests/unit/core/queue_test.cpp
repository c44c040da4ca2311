// Each promise of core/queue.hpp by an example: which task is next. queue_model_test.cpp looks at
// all promises together.
#include "queue_sample.hpp"

using namespace bgt;
using namespace bgt::core;

TEST_CASE("queue: who came first starts first, and a higher priority before all others")
{
    QueueState queue = queue_of(1, {task(1), task(2), task(3, 5), task(4, -5), task(5)});
    CHECK(queue.in_order(10) == Ids{3, 1, 2, 5, 4});
    CHECK(queue.in_order(2) == Ids{3, 1});
    CHECK(run_all(queue) == Ids{3, 1, 2, 5, 4});
}

TEST_CASE("queue: a queue has one slot until it is given others")
{
    QueueState queue;
    queue.add(range(1, 3));
    CHECK(start_all(queue) == Ids{1});
    queue.set_queue("default", {3, false});
    CHECK(start_all(queue) == Ids{2, 3});
}

TEST_CASE("queue: fewer slots than what runs start nothing until there is room again")
{
    QueueState queue = queue_of(3, {range(1, 5)});
    CHECK(start_all(queue) == Ids{1, 2, 3});
    queue.set_queue("default", {1, false});
    queue.tell(1, ended_ok);
    queue.tell(2, ended_ok);
    CHECK(start_all(queue).empty());
    queue.tell(3, ended_ok);
    CHECK(start_all(queue) == Ids{4});
}

TEST_CASE("queue: each queue has its own slots, the total binds all of them")
{
    QueueState queue;
    queue.set_queue("a", {2, false});
    queue.set_queue("b", {2, false});
    queue.set_total_slots(3);
    for (std::int64_t id = 1; id <= 4; ++id) queue.add(in_queue(id, "a"));
    for (std::int64_t id = 5; id <= 8; ++id) queue.add(in_queue(id, "b"));
    CHECK(start_all(queue) == Ids{1, 2, 5});
    queue.set_total_slots(std::nullopt);
    CHECK(start_all(queue) == Ids{6});
}

TEST_CASE("queue: a paused queue starts nothing, and the others go on")
{
    QueueState queue;
    queue.set_queue("a", {1, true});
    queue.add(in_queue(1, "a"));
    queue.add(in_queue(2, "b"));
    CHECK(start_all(queue) == Ids{2});
    CHECK(queue.why_waiting(1)->queue_paused);
    queue.set_queue("a", {1, false});
    CHECK(start_all(queue) == Ids{1});
}

TEST_CASE("queue: a big task is not starved by small ones")
{
    QueueState queue = queue_of(3, {task(1), with_slots(2, 3), task(3), task(4)});
    CHECK(start_all(queue) == Ids{1}); // two slots are free, and they wait for 2
    CHECK(queue.why_waiting(3)->behind == 2);
    queue.tell(1, ended_ok);
    CHECK(start_all(queue) == Ids{2});
    queue.tell(2, ended_ok);
    CHECK(start_all(queue) == Ids{3, 4});
}

TEST_CASE("queue: only what needs the same resource waits behind one that lacks it")
{
    QueueState queue = queue_of(10);
    queue.set_resource("gpu", 2);
    queue.set_resource("mem", 8);
    queue.add(needing(1, {{"gpu", 1}}));
    queue.add(needing(2, {{"gpu", 2}}));
    queue.add(needing(3, {{"gpu", 1}}));
    queue.add(needing(4, {{"mem", 8}}));
    queue.add(task(5));
    CHECK(start_all(queue) == Ids{1, 4, 5}); // a GPU is free for 3, and reserved for 2
    queue.tell(1, ended_ok);
    CHECK(start_all(queue) == Ids{2});
    queue.tell(2, ended_ok);
    CHECK(start_all(queue) == Ids{3});
}

TEST_CASE("queue: what needs more than there is waits, and nobody behind it does")
{
    QueueState queue = queue_of(2);
    queue.set_total_slots(4);
    queue.set_resource("gpu", 1);
    queue.add(with_slots(1, 3));
    queue.add(with_slots(2, 9));
    queue.add(needing(3, {{"gpu", 2}}));
    queue.add(needing(4, {{"gpu", 1}}));
    queue.add(needing(5, {{"a resource that was never set", 1}}));
    queue.add(task(6));
    CHECK(start_all(queue) == Ids{4, 6});
    queue.set_queue("default", {3, false});
    queue.tell(4, ended_ok);
    queue.tell(6, ended_ok);
    CHECK(start_all(queue) == Ids{1});
}

TEST_CASE("queue: amounts of one resource add up, and none overflows")
{
    QueueState queue = queue_of(10);
    queue.set_resource("gpu", 3);
    queue.add(needing(1, {{"gpu", 2}, {"gpu", 2}}));
    queue.add(needing(2, {{"gpu", 1}}));
    queue.add(needing(3, {{"gpu", UINT64_MAX}}));
    queue.add(needing(4, {{"gpu", UINT64_MAX}, {"gpu", 3}}));
    queue.add(needing(5, {{"gpu", 0}}));
    CHECK(start_all(queue) == Ids{2, 5});
}

TEST_CASE("queue: one task of a key at a time")
{
    QueueState queue =
        queue_of(10, {with_key(1, "deploy"), with_key(2, "deploy"), with_key(3, "else"), task(4)});
    CHECK(start_all(queue) == Ids{1, 3, 4});
    CHECK(queue.why_waiting(2)->key_holder == 1);
    queue.tell(1, ended_not_ok);
    CHECK(start_all(queue) == Ids{2});
}

TEST_CASE("queue: a key binds across queues, and one in a paused queue keeps nobody")
{
    QueueState queue;
    queue.set_queue("a", {1, true});
    for (const char* name : {"a", "b", "c"}) {
        WaitingTasks tasks = in_queue(name[0] - 'a' + 1, name);
        tasks.key = "deploy";
        queue.add(tasks);
    }
    CHECK(start_all(queue) == Ids{2});
    CHECK(queue.why_waiting(3)->key_holder == 2);
    queue.set_queue("a", {1, false});
    queue.tell(2, ended_ok);
    CHECK(start_all(queue) == Ids{1});
}

TEST_CASE("queue: a key that lacks a resource passes to who needs none of it")
{
    QueueState queue = queue_of(10);
    WaitingTasks first = with_key(1, "deploy");
    first.needs = {{"gpu", 1}};
    queue.add(first);
    queue.add(with_key(2, "deploy"));
    CHECK(start_all(queue) == Ids{2});
    queue.set_resource("gpu", 1);
    CHECK(start_all(queue).empty());
    queue.tell(2, ended_ok);
    CHECK(start_all(queue) == Ids{1});
}

TEST_CASE("queue: so many of an array at once, also of what was split from it")
{
    QueueState queue = queue_of(10);
    WaitingTasks array = range(1, 6);
    array.max_running = 2;
    queue.add(array);
    queue.add(task(7));
    CHECK(queue.hold(2));
    CHECK(start_all(queue) == Ids{1, 3, 7});
    CHECK(queue.why_waiting(4)->key_holder == 1);
    queue.tell(1, ended_ok);
    CHECK(queue.release(2));
    CHECK(start_all(queue) == Ids{2});
    queue.tell(2, ended_ok);
    queue.tell(3, ended_ok);
    CHECK(start_all(queue) == Ids{4, 5});
}

TEST_CASE("queue: pieces of an array that were read back share its limit")
{
    QueueState queue = queue_of(10);
    for (const std::int64_t first : {5, 8}) {
        WaitingTasks piece = range(first, 2);
        piece.max_running = 1;
        piece.array = 1;
        queue.add(piece);
    }
    CHECK(start_all(queue) == Ids{5});
    queue.tell(5, ended_ok);
    CHECK(run_all(queue) == Ids{6, 8, 9});
}

TEST_CASE("queue: no tasks are added by a range of none")
{
    QueueState queue = queue_of(1, {range(1, 0)});
    CHECK(queue.waiting_count() == 0);
    CHECK_FALSE(queue.next());
    CHECK_FALSE(queue.is_waiting(1));
}
