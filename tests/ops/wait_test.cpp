#include "ops_lab.hpp"

#include <bgt/ops/wait.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/store/queue_view.hpp>

using namespace bgt;
using namespace bgt::test;
using namespace std::chrono_literals;
using End = ops::WaitAnswer::End;

namespace {

ops::WaitRequest waiting(const std::vector<store::TaskId>& tasks, const std::string& condition)
{
    auto parsed = core::parse_condition(condition, "/");
    REQUIRE(parsed);
    ops::WaitRequest request{tasks, {}};
    request.conditions.push_back(*std::move(parsed));
    return request;
}

ops::WaitAnswer answer(OpsLab& lab, const ops::WaitRequest& request, int cancel = -1)
{
    const auto waited = ops::wait(lab.root(), request, {}, cancel);
    if (!waited) FAIL(waited.error().message);
    return *waited;
}

} // namespace

TEST_CASE("wait returns when the tasks have ended, with their last records")
{
    OpsLab lab;
    const auto first = lab.start({"tick", "5", "20"});
    const auto second = lab.start({"exit", "3"});
    const auto waited = answer(lab, waiting({first, second}, "exit"));
    CHECK(waited.end == End::met);
    REQUIRE(waited.tasks.size() == 2);
    CHECK(waited.tasks[0].id == first);
    CHECK(waited.tasks[0].status.outcome.code == 0);
    CHECK(waited.tasks[1].status.outcome.code == 3);
}

TEST_CASE("wait sees a line of the output, and ends when none can come any more")
{
    OpsLab lab;
    const auto living = lab.start({"tick", "5"});
    CHECK(answer(lab, waiting({living}, "log:^tick 10$")).end == End::met);
    const auto ended = lab.start({"exit", "0"});
    CHECK(answer(lab, waiting({ended}, "log:tick")).end == End::impossible);
}

TEST_CASE("wait gives up after its timeout, or when it is cancelled")
{
    OpsLab lab;
    const auto id = lab.start({"sleep", "60"});
    ops::WaitRequest request = waiting({id}, "exit");
    request.timeout = 10ms;
    const auto late = answer(lab, request);
    CHECK(late.end == End::timed_out);
    CHECK(late.open_tasks == 1);
    request.timeout.reset();
    const Cancelled now;
    CHECK(answer(lab, request, now.cancel().fd).end == End::cancelled);
    CHECK(lab.status(id).lifecycle == core::Lifecycle::running);
}

TEST_CASE(
    "a task out of a queue has its folder before it has a record, and is waited for then, too")
{
    OpsLab lab;
    const store::TaskId id{1};
    store::TaskSpec spec;
    spec.id = id;
    spec.command = {"true"};
    spec.cwd = "/";
    store::Described described;
    described.key = id.value;
    described.spec = store::encode_spec(spec);
    core::WaitingTasks tasks;
    tasks.first = id.value;
    auto journal = store::QueueFile::open(lab.root(), true, os::boot_id());
    REQUIRE(journal);
    REQUIRE(
        journal->append({described, store::Submitted{tasks, id.value}, store::Claimed{id.value}},
                        store::QueueFile::Durability::process));
    const auto folder = lab.root().begin_task(id); // with its lock held, as by whoever starts it
    REQUIRE(folder);
    REQUIRE(lab.root().publish_task(*folder));
    const auto seen = ops::recover_and_inspect(lab.root(), id, {});
    REQUIRE(seen);
    CHECK(seen->problem.empty());
    CHECK(seen->status.lifecycle == core::Lifecycle::queued);
    ops::WaitRequest request = waiting({id}, "exit");
    request.timeout = 100ms;
    CHECK(answer(lab, request).end == End::timed_out);
}
