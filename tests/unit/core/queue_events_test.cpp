// Each promise of core/queue.hpp by an example: dependencies and times; and very many tasks.
#include "queue_sample.hpp"

using namespace bgt;
using namespace bgt::core;
using namespace std::chrono_literals;

TEST_CASE("queue: a dependency of each kind")
{
    struct Row {
        DependsOn on;
        std::vector<TaskEventKind> events;
        enum { starts, waits, is_skipped } then;
    };
    const std::vector<Row> rows = {
        {DependsOn::ok, {started, ready}, Row::waits},
        {DependsOn::ok, {started, ended_ok}, Row::starts},
        {DependsOn::ok, {started, ended_not_ok}, Row::is_skipped},
        {DependsOn::ok, {never_started}, Row::is_skipped},
        {DependsOn::fail, {started, ready}, Row::waits},
        {DependsOn::fail, {started, ended_ok}, Row::is_skipped},
        {DependsOn::fail, {started, ended_not_ok}, Row::starts},
        {DependsOn::fail, {never_started}, Row::is_skipped},
        {DependsOn::any, {started, ready}, Row::waits},
        {DependsOn::any, {ended_ok}, Row::starts},
        {DependsOn::any, {ended_not_ok}, Row::starts},
        {DependsOn::any, {never_started}, Row::starts},
        {DependsOn::start, {}, Row::waits},
        {DependsOn::start, {started}, Row::starts},
        {DependsOn::start, {ended_not_ok}, Row::starts}, // it was started, whoever missed it
        {DependsOn::start, {never_started}, Row::is_skipped},
        {DependsOn::ready, {started}, Row::waits},
        {DependsOn::ready, {started, ready}, Row::starts},
        {DependsOn::ready, {started, ended_ok}, Row::is_skipped},
        {DependsOn::ready, {never_started}, Row::is_skipped},
    };
    for (const Row& row : rows) {
        INFO(to_string(row.on) << " after " << row.events.size() << " events, the last "
                               << (row.events.empty() ? -1 : static_cast<int>(row.events.back())));
        QueueState queue = queue_of(1, {after(2, {{1, row.on}})});
        std::vector<TaskRange> skipped;
        for (const TaskEventKind event : row.events) skipped = queue.tell(1, event);
        CHECK(skipped == (row.then == Row::is_skipped ? std::vector<TaskRange>{{2, 1}}
                                                      : std::vector<TaskRange>{}));
        CHECK(queue.is_waiting(2) == (row.then != Row::is_skipped));
        CHECK(queue.next().has_value() == (row.then == Row::starts));
    }
}

TEST_CASE("queue: the words for dependencies are read back")
{
    for (const DependsOn on :
         {DependsOn::ok, DependsOn::fail, DependsOn::any, DependsOn::start, DependsOn::ready})
        CHECK(parse_depends_on(to_string(on)) == on);
    CHECK_FALSE(parse_depends_on("never"));
    CHECK_FALSE(parse_depends_on(""));
}

TEST_CASE("queue: all dependencies must hold, in whatever order they come")
{
    QueueState queue = queue_of(1, {after(9, {{3, DependsOn::ok},
                                              {1, DependsOn::start},
                                              {1, DependsOn::ok},
                                              {3, DependsOn::ok}})});
    CHECK(queue.depended_on() == Ids{1, 3});
    queue.tell(1, started);
    CHECK(queue.why_waiting(9)->dependencies ==
          std::vector<Dependency>{{1, DependsOn::ok}, {3, DependsOn::ok}});
    queue.tell(3, ended_ok);
    CHECK(queue.depended_on() == Ids{1});
    CHECK_FALSE(queue.next());
    queue.tell(1, ended_ok);
    CHECK(queue.depended_on().empty());
    CHECK(queue.next() == 9);
}

TEST_CASE("queue: held where a dependency failed, and started by its release")
{
    WaitingTasks tasks = range(4, 2);
    tasks.after = {{1, DependsOn::ok}, {2, DependsOn::ok}};
    tasks.hold_on_failure = true;
    QueueState queue = queue_of(2, {tasks});
    CHECK(queue.tell(1, ended_not_ok).empty());
    CHECK(queue.why_waiting(4)->held);
    CHECK(queue.release(4));
    CHECK_FALSE(queue.next()); // of the other nothing is known yet
    queue.tell(2, ended_ok);
    CHECK(start_all(queue) == Ids{4});
    CHECK(queue.release(5));
    CHECK(start_all(queue) == Ids{5});
}

TEST_CASE("queue: who is skipped takes those with it that depend on him")
{
    QueueState queue =
        queue_of(1, {after(2, {{1, DependsOn::ok}}), after(3, {{2, DependsOn::ok}}),
                     after(4, {{2, DependsOn::any}}), after(5, {{3, DependsOn::fail}})});
    WaitingTasks held = after(6, {{2, DependsOn::ok}});
    held.hold_on_failure = true;
    queue.add(held);
    CHECK(queue.tell(1, ended_not_ok) == std::vector<TaskRange>{{2, 1}, {3, 1}, {5, 1}});
    CHECK(queue.in_order(10) == Ids{4, 6});
    CHECK(start_all(queue) == Ids{4});
}

TEST_CASE("queue: a range that is skipped is one in the answer")
{
    WaitingTasks tasks = range(2, many);
    tasks.after = {{1, DependsOn::ok}};
    QueueState queue = queue_of(1, {tasks, after(2 + many, {{many / 2, DependsOn::ok}})});
    CHECK(queue.tell(1, never_started) == std::vector<TaskRange>{{2, many}, {2 + many, 1}});
    CHECK(queue.waiting_count() == 0);
}

TEST_CASE("queue: a chain of very many runs, and falls")
{
    check_takes_no_time([] {
        QueueState queue = queue_of(2, {task(1)});
        for (std::int64_t id = 2; id <= many; ++id) queue.add(after(id, {{id - 1, DependsOn::ok}}));
        QueueState falling = queue;
        CHECK(falling.next() == 1);
        CHECK(falling.tell(1, ended_not_ok).size() == many - 1);
        CHECK(falling.waiting_count() == 0);
        CHECK(run_all(queue).size() == many);
    });
}

TEST_CASE("queue: from one to very many and back")
{
    check_takes_no_time([] {
        QueueState queue = queue_of(2, {task(1)});
        WaitingTasks last = task(many + 2);
        for (std::int64_t id = 2; id <= many + 1; ++id) {
            queue.add(after(id, {{1, DependsOn::ok}}));
            last.after.push_back({id, DependsOn::any});
        }
        queue.add(last);
        const Ids ran = run_all(queue);
        REQUIRE(ran.size() == many + 2);
        CHECK(ran.front() == 1);
        CHECK(ran.back() == many + 2);
    });
}

TEST_CASE("queue: layers of diamonds are no more than their edges")
{
    check_takes_no_time([] {
        QueueState queue = queue_of(8);
        constexpr std::int64_t width = 30, layers = 300;
        for (std::int64_t id = 1; id <= width * layers; ++id) {
            WaitingTasks tasks = task(id);
            const std::int64_t layer = (id - 1) / width;
            for (std::int64_t i = 1; layer > 0 && i <= width; ++i)
                tasks.after.push_back({(layer - 1) * width + i, DependsOn::ok});
            queue.add(tasks);
        }
        QueueState falling = queue;
        CHECK(falling.next() == 1);
        CHECK(falling.tell(1, ended_not_ok).size() == width * (layers - 1));
        CHECK(run_all(queue).size() == width * layers);
    });
}

TEST_CASE("queue: very many moves, holds and cancellations within a range")
{
    check_takes_no_time([] {
        QueueState queue = queue_of(1, {range(1, many)});
        for (std::int64_t id = 1; id <= many; id += 5) {
            CHECK(queue.move_last(id));
            CHECK(queue.move_first(id + 1));
            CHECK(queue.hold(id + 2));
            CHECK(queue.set_priority(id + 3, 1));
            CHECK(queue.remove(id + 4));
        }
        CHECK(run_all(queue).size() == many / 5 * 3);
    });
}

TEST_CASE("queue: needs and keys of which none is left cost nothing any more")
{
    check_takes_no_time([] {
        QueueState queue = queue_of(2);
        queue.set_resource("mem", UINT64_MAX);
        for (std::int64_t id = 1; id <= 30'000; ++id) {
            WaitingTasks tasks = with_key(id, "key " + std::to_string(id));
            tasks.needs = {{"mem", static_cast<std::uint64_t>(id)}};
            queue.add(tasks);
            CHECK(queue.next() == id);
            queue.tell(id, ended_ok);
        }
    });
}

TEST_CASE("queue: before its time it is not in the line")
{
    WaitingTasks tasks = range(1, 2);
    tasks.not_before = WallTime{100s};
    QueueState queue = queue_of(2, {tasks, task(3)});
    CHECK(queue.next() == 3);
    CHECK_FALSE(queue.next());
    CHECK(queue.next_time() == WallTime{100s});
    CHECK(queue.why_waiting(2)->not_before == WallTime{100s});
    CHECK(queue.advance(WallTime{99s}).empty());
    CHECK_FALSE(queue.next());
    CHECK(queue.advance(WallTime{100s}).empty());
    CHECK_FALSE(queue.why_waiting(2)->not_before);
    CHECK_FALSE(queue.next_time());
    CHECK(start_all(queue) == Ids{1});
}

TEST_CASE("queue: who has waited for too long does not wait any more, held or not")
{
    WaitingTasks tasks = range(1, 3);
    tasks.expires = WallTime{100s};
    QueueState queue = queue_of(1, {tasks, after(4, {{3, DependsOn::ok}})});
    CHECK(queue.hold(3));
    CHECK(queue.next() == 1);
    CHECK(queue.next_time() == WallTime{100s});
    CHECK(queue.advance(WallTime{99s}).empty());
    CHECK(queue.advance(WallTime{100s}) == std::vector<TaskRange>{{2, 1}, {3, 1}});
    CHECK_FALSE(queue.next_time());
    CHECK(queue.is_running(1));
    CHECK(queue.is_waiting(4)); // until it is told
    CHECK(queue.tell(3, never_started) == std::vector<TaskRange>{{4, 1}});
}

TEST_CASE("queue: nobody is woken for what does not wait any more")
{
    WaitingTasks expiring = task(1);
    expiring.expires = WallTime{100s};
    WaitingTasks early = task(2);
    early.not_before = WallTime{50s};
    QueueState queue = queue_of(2, {expiring, early});
    CHECK(queue.next_time() == WallTime{50s});
    CHECK(queue.remove(2));
    CHECK(queue.next_time() == WallTime{100s});
    CHECK(queue.next() == 1);
    CHECK_FALSE(queue.next_time());
    queue.put_back(1);
    CHECK(queue.next_time() == WallTime{100s});
}

TEST_CASE("queue: a circle of dependencies is found and told in its order")
{
    using Edges = std::vector<std::vector<std::size_t>>;
    using Path = std::vector<std::size_t>;
    CHECK(find_cycle({}).empty());
    CHECK(find_cycle(Edges{{}, {0}, {0, 1}, {1, 2, 2}}).empty());
    CHECK(find_cycle(Edges{{0}}) == Path{0, 0});
    CHECK(find_cycle(Edges{{}, {2, 0}, {3}, {1}, {1}}) == Path{1, 2, 3, 1});

    Edges chain(many);
    for (std::size_t at = 0; at + 1 < many; ++at) chain[at] = {at + 1};
    CHECK(find_cycle(chain).empty());
    chain[many - 1] = {many / 2};
    const Path path = find_cycle(chain);
    REQUIRE(path.size() == many / 2 + 1);
    CHECK(path.front() == path.back());
}
