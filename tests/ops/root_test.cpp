// What is about a whole root: stats, events, shutdown, scope, the processes of a project.
#include "ops_lab.hpp"

#include <bgt/ops/events.hpp>
#include <bgt/ops/scope.hpp>
#include <bgt/ops/shutdown.hpp>
#include <bgt/ops/stats.hpp>
#include <bgt/ops/up.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

using namespace bgt;
using namespace bgt::test;
using namespace std::chrono_literals;

namespace {

std::string own_program()
{
    return std::filesystem::read_symlink("/proc/self/exe");
}

std::vector<ops::EventRecord> take_all(ops::EventFeed& feed)
{
    auto taken = feed.take(1000);
    if (!taken) FAIL(taken.error().message);
    return *std::move(taken);
}

ops::UpTask process(const OpsLab& lab, const std::string& name, std::vector<std::string> words)
{
    ops::UpTask task;
    task.plan.name = name;
    task.request = lab.request(std::move(words));
    return task;
}

} // namespace

TEST_CASE("stats count the runs of each name, also of tasks whose folder is gone")
{
    OpsLab lab;
    for (const char* code : {"0", "3"}) {
        const auto id = lab.start({"exit", code},
                                  [](ops::StartRequest& request) { request.spec.name = "job"; });
        REQUIRE(lab.ends(id));
    }
    ops::StatsRequest request;
    request.filter.names = {"j*"};
    const auto summary = [&] {
        const auto stats = ops::stats(lab.root(), request);
        if (!stats) FAIL(stats.error().message);
        return stats->rows.empty() ? core::RunSummary() : stats->rows.front().second;
    };
    REQUIRE(eventually(test_timeout, [&] { return summary().counts.runs() == 2; }));
    CHECK(summary().success_rate == 0.5);
    std::size_t runs = 0;
    REQUIRE(ops::each_run(lab.root(), {}, [&](const core::PastRun&) {
        ++runs;
        return true;
    }));
    CHECK(runs == 2);
    const auto metrics = ops::metrics(lab.root());
    REQUIRE(metrics);
    CHECK(metrics->now.active == 0);
}

TEST_CASE("events can be read once, from a cursor on, and waiting for more can be cancelled")
{
    OpsLab lab;
    const auto id = lab.start({"exit", "3"});
    REQUIRE(lab.ends(id));
    ops::EventsRequest request;
    request.selection = these({id});
    auto feed = ops::EventFeed::open(lab.root(), request);
    REQUIRE(feed);
    std::vector<ops::EventRecord> events;
    REQUIRE(eventually(test_timeout, [&] {
        for (ops::EventRecord& one : take_all(*feed)) events.push_back(std::move(one));
        return !events.empty() && events.back().event.type == "ended";
    }));
    CHECK(events.front().event.type == "created");
    CHECK(events.back().event.level == core::EventLevel::error);
    CHECK(std::ranges::all_of(events, [&](const auto& one) { return one.event.task == id; }));

    request.since = events.front().cursor;
    auto later = ops::EventFeed::open(lab.root(), request);
    REQUIRE(later);
    CHECK(take_all(*later).size() == events.size() - 1);
    CHECK(take_all(*later).empty());
    const Cancelled cancelled;
    Result<void> waited = later->wait(cancelled.cancel());
    if (waited) waited = later->wait(cancelled.cancel()); // the first may only begin to watch
    REQUIRE_FALSE(waited);
    CHECK(ops::is_cancelled(waited.error()));
    request.since = "no cursor";
    CHECK(ops::EventFeed::open(lab.root(), request).error().kind == ErrorKind::usage);
}

TEST_CASE("shutdown ends all tasks, or those that are selected")
{
    OpsLab lab;
    const auto one = lab.start({"sleep", "60"});
    const auto other = lab.start({"ignore-term"}, [](ops::StartRequest& request) {
        request.spec.policy.stop_ladder = {{15, 100ms}};
    });
    ops::ShutdownRequest request;
    request.selection = these({one});
    const auto some = ops::shutdown(lab.root(), request);
    REQUIRE(some);
    CHECK(some->status == ops::ShutdownStatus::completed);
    CHECK(some->tasks.initial == 1);
    CHECK(lab.status(other).lifecycle == core::Lifecycle::running);
    const auto all = ops::shutdown(lab.root(), {});
    REQUIRE(all);
    CHECK(all->status == ops::ShutdownStatus::completed);
    CHECK(all->tasks.completed == 1);
    CHECK(ops::is_over(lab.status(other)));
    const auto again = ops::shutdown(lab.root(), {});
    REQUIRE(again);
    CHECK(again->status == ops::ShutdownStatus::already_shutdown);
}

// The command of the scope in the test below.
TEST_CASE("what is started inside a scope", "[.inside_scope]")
{
    OpsLab own; // for its requests alone
    REQUIRE(std::getenv("BGT_ROOT") != nullptr);
    auto root = store::Root::open(std::getenv("BGT_ROOT"), store::Root::IfMissing::empty);
    REQUIRE(root);
    ops::StartRequest request = own.request({"sleep", "60"});
    request.spec.cwd = "/";
    request.env = {"PATH=/usr/bin:/bin",
                   "BGT_OPS_TEST=" + std::string(std::getenv("BGT_OPS_TEST"))};
    const auto scopes = ops::scopes_around();
    REQUIRE(scopes);
    CHECK(scopes->processes.size() == 1);
    request.spec.scopes = *scopes;
    CHECK(ops::start(*root, std::move(request), ops::IfNameTaken::fail));
}

TEST_CASE("scope ends what its command has started, and nothing else")
{
    OpsLab lab;
    const auto outside = lab.start({"sleep", "60"});
    ops::ScopeRequest request;
    request.command = {own_program(), "[.inside_scope]"};
    request.env = lab.env();
    request.root = lab.root().path();
    const auto scope = ops::scope(lab.root(), request);
    if (!scope) FAIL(scope.error().message);
    CHECK(scope->command.exited);
    CHECK(scope->command.status == 0);
    CHECK(scope->tasks.initial == 1);
    CHECK(scope->tasks.completed == 1);
    const auto ids = lab.root().all_ids();
    REQUIRE(ids);
    REQUIRE(ids->size() == 2);
    CHECK(lab.status(ids->back()).outcome.reason == core::Reason::owner_gone);
    CHECK(lab.status(outside).lifecycle == core::Lifecycle::running);
    request.command = {lab.folder() + "/missing"};
    CHECK(ops::scope(lab.root(), request).error().kind == ErrorKind::no_command);
}

TEST_CASE("up starts what does not run of a project, in its order, and down ends it")
{
    OpsLab lab;
    const auto request = [&] {
        ops::UpRequest out;
        out.folder = lab.folder();
        for (const char* name : {"web", "db"})
            out.tasks.push_back(process(lab, name, {"sleep", "60"}));
        return out;
    };
    std::vector<std::string> told;
    const auto up =
        ops::up(lab.root(), request(), [&](const ops::UpOne& one) { told.push_back(one.name); });
    if (!up) FAIL(up.error().message);
    CHECK(told == std::vector<std::string>{"web", "db"});
    REQUIRE(up->tasks.size() == 2);
    CHECK(up->tasks[0].act == ops::UpOne::Act::started);
    const auto ready = ops::await_up(lab.root(), *up, test_timeout);
    REQUIRE(ready);
    for (const ops::UpReadiness& one : *ready) CHECK(one.state == ops::UpReadiness::State::ready);
    const auto again = ops::up(lab.root(), request());
    REQUIRE(again);
    for (const ops::UpOne& one : again->tasks) CHECK(one.act == ops::UpOne::Act::there);

    ops::UpRequest circle = request();
    circle.tasks[0].plan.after = {{"db", core::DependsOn::start}};
    circle.tasks[1].plan.after = {{"web", core::DependsOn::start}};
    CHECK(ops::up(lab.root(), std::move(circle)).error().kind == ErrorKind::usage);

    ops::DownRequest down;
    down.folder = lab.folder();
    down.now = true;
    const auto ended = ops::down(lab.root(), down);
    REQUIRE(ended);
    CHECK(ended->tasks.size() == 2);
    for (const ops::UpOne& one : up->tasks) CHECK(ops::is_over(lab.status(one.id)));
}
