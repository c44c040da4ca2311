// What waits for its slot or its time: submit, queues, hold, release, move, graph, schedules.
#include "ops_lab.hpp"

#include <bgt/ops/graph.hpp>
#include <bgt/ops/queues.hpp>
#include <bgt/ops/schedules.hpp>
#include <bgt/ops/stop.hpp>
#include <bgt/ops/submit.hpp>
#include <bgt/ops/wait.hpp>

using namespace bgt;
using namespace bgt::test;
using namespace std::chrono_literals;

namespace {

ops::SubmitRequest waiting(const OpsLab& lab, std::vector<std::string> words)
{
    return ops::waiting_request(lab.request(std::move(words)));
}

store::TaskId submit(OpsLab& lab, ops::SubmitRequest request)
{
    const auto answer = ops::submit(lab.root(), std::move(request));
    if (!answer) FAIL(answer.error().message);
    CHECK(answer->ids.count == 1);
    return store::TaskId{answer->ids.first};
}

ops::QueueInfo queue(OpsLab& lab)
{
    const auto answer = ops::list_queues(lab.root(), "default");
    if (!answer) FAIL(answer.error().message);
    REQUIRE(answer->queues.size() == 1);
    return answer->queues.front();
}

ops::WaitAnswer wait_for(OpsLab& lab, store::TaskId id, const char* condition)
{
    ops::WaitRequest request;
    request.tasks = {id};
    request.conditions.push_back(*core::parse_condition(condition, "/"));
    request.timeout = test_timeout;
    auto answer = ops::wait(lab.root(), request);
    if (!answer) FAIL(answer.error().message);
    return *std::move(answer);
}

void end(OpsLab& lab, store::TaskId id)
{
    ops::StopRequest request;
    request.selection = these({id});
    request.now = true;
    REQUIRE(ops::stop(lab.root(), request));
}

/// Takes the slot of the queue `default`.
store::TaskId take_slot(OpsLab& lab)
{
    const store::TaskId id = submit(lab, waiting(lab, {"sleep", "60"}));
    REQUIRE(lab.logged(id, "\n"));
    return id;
}

} // namespace

TEST_CASE("submit makes a task wait until its queue has a slot")
{
    OpsLab lab;
    const store::TaskId first = take_slot(lab);
    const store::TaskId second = submit(lab, waiting(lab, {"exit", "3"}));
    const ops::QueueInfo info = queue(lab);
    CHECK(info.counts.running == 1);
    CHECK(info.counts.waiting == 1);
    CHECK(info.next == second);
    REQUIRE(info.workers.size() == 1);
    CHECK(info.workers[0].task == first);
    CHECK(info.workers[0].slot == 1);
    const auto why = ops::why_waiting(lab.root(), these({second}));
    REQUIRE(why);
    REQUIRE(why->size() == 1);
    CHECK_FALSE(why->front().sentences.empty());

    end(lab, first);
    const ops::WaitAnswer ended = wait_for(lab, second, "exit");
    CHECK(ended.end == ops::WaitAnswer::End::met);
    CHECK(ended.tasks.at(0).status.outcome.code == 3);
}

TEST_CASE("submit refuses what a queue does not take, and a dry run submits nothing")
{
    OpsLab lab;
    const auto set = ops::change_settings(lab.root(), [](store::QueueSettings& settings) {
        settings.queues["full"].draining = true;
        return Result<void>();
    });
    REQUIRE(set);
    ops::SubmitRequest refusing = waiting(lab, {"exit", "0"});
    refusing.how.queue = "full";
    const auto refused = ops::submit(lab.root(), refusing);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::failed);
    ops::SubmitRequest tried = waiting(lab, {"exit", "0"});
    tried.how.queue = "other";
    tried.dry_run = true;
    CHECK(ops::submit(lab.root(), tried));
    const auto ids = lab.root().all_ids();
    REQUIRE(ids);
    CHECK(ids->empty());
    CHECK(ops::check_queue(lab.root(), "full"));
    CHECK(ops::check_queue(lab.root(), "other").error().kind == ErrorKind::not_found);
    REQUIRE(ops::remove_queue(lab.root(), "full"));
    CHECK(ops::remove_queue(lab.root(), "full").error().kind == ErrorKind::not_found);
}

TEST_CASE("hold and release, move changes who is next, and clear leaves nobody")
{
    OpsLab lab;
    take_slot(lab);
    const store::TaskId first = submit(lab, waiting(lab, {"exit", "0"}));
    const store::TaskId second = submit(lab, waiting(lab, {"exit", "0"}));
    CHECK(queue(lab).next == first);
    REQUIRE(ops::hold(lab.root(), these({first})));
    CHECK(queue(lab).counts.held == 1);
    REQUIRE(ops::release(lab.root(), these({first})));
    CHECK(queue(lab).counts.held == 0);
    ops::MoveRequest move;
    move.selection = these({second});
    REQUIRE(ops::move(lab.root(), move));
    CHECK(queue(lab).next == second);
    move.to = ops::MoveRequest::To::before;
    move.selection = these({first});
    move.before = to_string(second);
    REQUIRE(ops::move(lab.root(), move));
    CHECK(queue(lab).next == first);

    const auto cleared = ops::clear_queue(lab.root(), "default");
    REQUIRE(cleared);
    CHECK(*cleared == 2);
    const ops::WaitAnswer never = wait_for(lab, first, "exit");
    CHECK(never.tasks.at(0).status.outcome.reason == core::Reason::cancelled);
    const auto held = ops::hold(lab.root(), these({first})); // it does not wait any more
    CHECK((!held || !held->tasks.at(0).result));
}

TEST_CASE("graph answers who waits for whom, and a task whose dependency failed never starts")
{
    OpsLab lab;
    const store::TaskId before = take_slot(lab);
    ops::SubmitRequest request = waiting(lab, {"exit", "0"});
    request.after = {*ops::parse_dependency(to_string(before))};
    const store::TaskId after = submit(lab, request);
    const auto graph = ops::graph(lab.root(), {});
    REQUIRE(graph);
    REQUIRE(graph->edges.size() == 1);
    CHECK(graph->edges[0] == core::GraphEdge{before.value, after.value, core::DependsOn::ok});
    CHECK(graph->tasks.size() == 2);
    CHECK(ops::graph(lab.root(), {"999"}).error().kind == ErrorKind::not_found);

    end(lab, before);
    const ops::WaitAnswer never = wait_for(lab, after, "ready");
    CHECK(never.end == ops::WaitAnswer::End::impossible);
    CHECK(never.tasks.at(0).status.outcome.reason == core::Reason::dependency_failed);
}

TEST_CASE("schedules are added, listed, run by hand, paused, changed and removed")
{
    OpsLab lab;
    const auto request = [&](std::string name, std::string when) {
        ops::ScheduleRequest out;
        out.name = std::move(name);
        out.when = std::move(when);
        out.zone = "UTC";
        out.task = waiting(lab, {"exit", "0"});
        return out;
    };
    const auto bad = ops::add_schedule(lab.root(), request("job", "cron 61 * * * *"));
    REQUIRE_FALSE(bad);
    CHECK(bad.error().kind == ErrorKind::usage);
    REQUIRE(ops::add_schedule(lab.root(), request("job", "cron 0 2 * * *")));
    CHECK_FALSE(ops::add_schedule(lab.root(), request("job", "every 1h")));
    const auto times = ops::next_times(lab.root(), "job", 3);
    REQUIRE(times);
    REQUIRE(times->size() == 3);
    CHECK((*times)[1] - (*times)[0] == 24h);

    const auto run = ops::run_schedule(lab.root(), "job");
    REQUIRE(run);
    CHECK(wait_for(lab, *run, "exit=0").end == ops::WaitAnswer::End::met);
    const auto history = ops::schedule_history(lab.root(), "job");
    REQUIRE(history);
    REQUIRE(history->size() == 1);
    REQUIRE(history->front().run);
    CHECK(history->front().run->task == run->value);

    ops::ScheduleChange change;
    change.when = "every 1h";
    REQUIRE(ops::edit_schedule(lab.root(), "job", std::move(change)));
    REQUIRE(ops::pause_schedules(lab.root(), {"job"}));
    auto listed = ops::list_schedules(lab.root());
    REQUIRE(listed);
    REQUIRE(listed->size() == 1);
    CHECK_FALSE(listed->front().next);
    REQUIRE(ops::resume_schedules(lab.root(), {"job"}));
    listed = ops::list_schedules(lab.root(), "job");
    REQUIRE(listed);
    CHECK(listed->front().next);
    REQUIRE(ops::remove_schedules(lab.root(), {"job"}));
    CHECK(ops::next_times(lab.root(), "job", 1).error().kind == ErrorKind::not_found);
}

TEST_CASE("the schedules of a file become those that it describes")
{
    OpsLab lab;
    const auto apply = [&](std::vector<std::pair<std::string, std::string>> described) {
        std::vector<ops::ScheduleRequest> requests;
        for (auto& [name, when] : described) {
            ops::ScheduleRequest one;
            one.name = name;
            one.when = when;
            one.task = waiting(lab, {"exit", "0"});
            one.origin = "/project/bgt.toml";
            requests.push_back(std::move(one));
        }
        const auto applied =
            ops::apply_schedules(lab.root(), std::move(requests), "/project/bgt.toml");
        if (!applied) FAIL(applied.error().message);
        std::string text;
        for (const ops::AppliedSchedule& one : *applied)
            text += one.name + " " + std::string(to_string(one.act)) + "\n";
        return text;
    };
    CHECK(apply({{"a", "every 1h"}, {"b", "every 1h"}}) == "a added\nb added\n");
    CHECK(apply({{"a", "every 1h"}}) == "a kept\nb removed\n");
    CHECK(apply({{"a", "every 2h"}}) == "a changed\n");
    CHECK(apply({}) == "a removed\n");
}
