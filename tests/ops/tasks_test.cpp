// What is done to tasks: start, stop, signal, pause, resume, restart, retry.
#include "ops_lab.hpp"

#include <bgt/ops/pause.hpp>
#include <bgt/ops/restart.hpp>
#include <bgt/ops/retry.hpp>
#include <bgt/ops/signal.hpp>
#include <bgt/ops/stop.hpp>

#include <csignal>

using namespace bgt;
using namespace bgt::test;
using namespace std::chrono_literals;
using End = ops::Stopped::End;

TEST_CASE("start says who has the name, uses that task, or replaces it")
{
    OpsLab lab;
    const auto named = [&](ops::IfNameTaken policy) {
        ops::StartRequest request = lab.request({"sleep", "60"});
        request.spec.name = "web";
        return ops::start(lab.root(), std::move(request), policy);
    };
    const auto first = named(ops::IfNameTaken::fail);
    REQUIRE(first);
    CHECK_FALSE(first->was_there);
    const auto taken = named(ops::IfNameTaken::fail);
    REQUIRE_FALSE(taken);
    CHECK(taken.error().message.find("task " + to_string(first->id)) != std::string::npos);
    const auto used = named(ops::IfNameTaken::use_it);
    REQUIRE(used);
    CHECK(used->was_there);
    CHECK(used->id == first->id);
    const auto other = named(ops::IfNameTaken::replace);
    REQUIRE(other);
    CHECK(other->id != first->id);
    CHECK(lab.ends(first->id));
}

TEST_CASE("start leaves nothing of a command that is not there")
{
    OpsLab lab;
    ops::StartRequest request = lab.request({});
    request.spec.command = {lab.folder() + "/missing"};
    const auto started = ops::start(lab.root(), std::move(request), ops::IfNameTaken::fail);
    REQUIRE_FALSE(started);
    CHECK(started.error().kind == ErrorKind::no_command);
    const auto ids = lab.root().all_ids();
    REQUIRE(ids);
    CHECK(ids->empty());
}

TEST_CASE("stop ends the whole tree of each task, and answers for each")
{
    OpsLab lab;
    const auto tree = lab.start({"escape"});
    const auto ended = lab.start({"exit", "3"});
    REQUIRE(lab.ends(ended));
    ops::StopRequest request;
    request.selection = these({tree, ended});
    request.selection.words.push_back("999");
    request.grace = 100ms;
    std::vector<std::string> told;
    const auto stopped =
        ops::stop(lab.root(), request,
                  {[&](const Error& error) { told.push_back(error.message); },
                   [&](const ops::One<ops::Stopped>& one) { told.push_back(to_string(one.id)); }});
    REQUIRE(stopped);
    REQUIRE(stopped->tasks.size() == 2);
    REQUIRE(stopped->missing.size() == 1);
    CHECK(told ==
          std::vector<std::string>{stopped->missing[0].message, to_string(tree), to_string(ended)});
    REQUIRE(stopped->tasks[0].result);
    const ops::Stopped& first = *stopped->tasks[0].result;
    CHECK(first.end == End::ended);
    CHECK(first.before.lifecycle == core::Lifecycle::running);
    CHECK(ops::is_final(first.task.status));
    std::uint32_t count = 0;
    for (const auto& row : first.task.status.tally) count += row.ended;
    CHECK(count == 5);
    REQUIRE(stopped->tasks[1].result);
    CHECK(stopped->tasks[1].result->end == End::had_ended);
    CHECK(stopped->tasks[1].result->before.outcome.code == 3);
}

TEST_CASE("stop waits no longer than it was told to, and can be cancelled; the stop goes on")
{
    OpsLab lab;
    const auto id = lab.start({"ignore-term"});
    ops::StopRequest request;
    request.selection = these({id});
    request.grace = 60s;
    request.timeout = 10ms;
    const auto waited = ops::stop(lab.root(), request);
    REQUIRE(waited);
    REQUIRE(waited->tasks.at(0).result);
    CHECK(waited->tasks[0].result->end == End::timed_out);

    request.timeout.reset();
    request.grace.reset();
    request.ladder = std::vector<core::StopStep>{{SIGTERM, 60s}};
    const Cancelled now;
    const auto cancelled = ops::stop(lab.root(), request, {}, now.cancel());
    REQUIRE(cancelled);
    const auto& result = cancelled->tasks.at(0).result;
    // A second request hastens the stop: it may have ended before the cancelling was seen.
    CHECK((result || ops::is_cancelled(result.error())));
    request.now = true;
    const auto killed = ops::stop(lab.root(), request);
    REQUIRE(killed);
    REQUIRE(killed->tasks.at(0).result);
    CHECK(ops::is_final(lab.status(id)));
}

TEST_CASE("stop without a selection, or with nothing but unknown words, is an error")
{
    OpsLab lab;
    const auto none = ops::stop(lab.root(), {});
    REQUIRE_FALSE(none);
    CHECK(none.error().kind == ErrorKind::usage);
    ops::StopRequest unknown;
    unknown.selection.words = {"7", "8"};
    int told = 0;
    const auto missing = ops::stop(lab.root(), unknown, {[&](const Error&) { ++told; }});
    REQUIRE_FALSE(missing);
    CHECK(missing.error().kind == ErrorKind::not_found);
    CHECK(told == 1); // the last one is the error
}

TEST_CASE("signal counts who got it, in the main process or in the tree")
{
    OpsLab lab;
    const auto id = lab.start({"escape"});
    const auto tree = ops::signal(lab.root(), {these({id}), SIGCONT, true});
    REQUIRE(tree);
    REQUIRE(tree->tasks.at(0).result);
    CHECK(tree->tasks[0].result->processes == 5);
    const auto one = ops::signal(lab.root(), {these({id}), SIGKILL, false});
    REQUIRE(one);
    REQUIRE(one->tasks.at(0).result);
    CHECK(one->tasks[0].result->processes == 1);
    REQUIRE(lab.ends(id));
    CHECK(lab.status(id).outcome.signal == SIGKILL);
    const auto late = ops::signal(lab.root(), {these({id}), SIGTERM, false});
    REQUIRE(late);
    CHECK_FALSE(late->tasks.at(0).result);
}

TEST_CASE("pause and resume")
{
    OpsLab lab;
    const auto id = lab.start({"tick", "5"});
    const auto paused = ops::pause(lab.root(), these({id}));
    REQUIRE(paused);
    REQUIRE(paused->tasks.at(0).result);
    CHECK(lab.status(id).paused);
    const auto resumed = ops::resume(lab.root(), these({id}));
    REQUIRE(resumed);
    REQUIRE(resumed->tasks.at(0).result);
    CHECK_FALSE(lab.status(id).paused);
}

TEST_CASE("restart returns when the command runs again")
{
    OpsLab lab;
    const auto id = lab.start({"sleep", "60"});
    const auto before = lab.status(id);
    const auto done = ops::restart(lab.root(), {these({id}), false});
    REQUIRE(done);
    REQUIRE(done->tasks.at(0).result);
    const store::Status& after = done->tasks[0].result->status;
    CHECK(after.attempt == before.attempt + 1);
    CHECK(after.main_process.pid != before.main_process.pid);
    CHECK(after.lifecycle == core::Lifecycle::running);
}

TEST_CASE("restart can be cancelled")
{
    OpsLab lab;
    const auto id = lab.start({"ignore-term"}, [](ops::StartRequest& request) {
        request.spec.policy.stop_ladder = {{SIGTERM, 60s}};
    });
    const Cancelled now;
    const auto done = ops::restart(lab.root(), {these({id}), false}, {}, now.cancel());
    REQUIRE(done);
    REQUIRE_FALSE(done->tasks.at(0).result);
    CHECK(ops::is_cancelled(done->tasks[0].result.error()));
}

TEST_CASE("retry starts an ended task once more as a new one, and takes no name from a living one")
{
    OpsLab lab;
    const auto id = lab.start({"exit", "4"});
    REQUIRE(lab.ends(id));
    const auto living =
        lab.start({"sleep", "60"}, [](ops::StartRequest& request) { request.spec.name = "web"; });
    const auto done = ops::retry(lab.root(), {these({id, living}), lab.env(), {}});
    REQUIRE(done);
    REQUIRE(done->tasks.size() == 2);
    REQUIRE(done->tasks[0].result);
    const auto made = done->tasks[0].result->made;
    CHECK(made > living);
    REQUIRE(lab.ends(made));
    CHECK(lab.status(made).outcome.code == 4);
    CHECK_FALSE(done->tasks[1].result);
}
