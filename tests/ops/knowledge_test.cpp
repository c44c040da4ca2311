// What is asked of tasks, and what is kept of them: list, inspect, why, notify, remove, collect,
// settings.
#include "ops_lab.hpp"

#include <bgt/ops/collect.hpp>
#include <bgt/ops/inspect.hpp>
#include <bgt/ops/notify.hpp>
#include <bgt/ops/remove.hpp>
#include <bgt/ops/settings.hpp>
#include <bgt/ops/why.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

using namespace bgt;
using namespace bgt::test;
using namespace std::chrono_literals;

TEST_CASE("list has the living first, and those in the states asked for")
{
    OpsLab lab;
    const auto failed = lab.start({"exit", "1"});
    const auto fine = lab.start({"exit", "0"});
    const auto living = lab.start({"sleep", "60"});
    REQUIRE(lab.ends(failed));
    REQUIRE(lab.ends(fine));
    const auto ids = [&](const ops::ListRequest& request) {
        const auto tasks = ops::list(lab.root(), request);
        if (!tasks) FAIL(tasks.error().message);
        std::vector<store::TaskId> out;
        for (const ops::Snapshot& task : *tasks) out.push_back(task.id);
        return out;
    };
    CHECK(ids({}) == std::vector{living, fine, failed});
    ops::ListRequest request;
    request.states = {"failed"};
    CHECK(ids(request) == std::vector{failed});
    request.states = {"running", "ended"};
    CHECK(ids(request) == std::vector{living, fine, failed});
    request.states = {"rnning"};
    const auto unknown = ops::list(lab.root(), request);
    REQUIRE_FALSE(unknown);
    CHECK(unknown.error().kind == ErrorKind::usage);
}

TEST_CASE("inspect answers the processes and the events of a task")
{
    OpsLab lab;
    const auto id = lab.start({"sleep", "60"});
    ops::InspectRequest request;
    request.selection = these({id});
    request.selection.words.push_back("nobody");
    request.fields = {.spec = true, .usage = true};
    request.processes = true;
    request.max_events = 5;
    const auto seen = ops::recover_and_inspect(lab.root(), request);
    REQUIRE(seen);
    CHECK(seen->missing.size() == 1);
    REQUIRE(seen->tasks.size() == 1);
    const ops::Inspected& one = seen->tasks[0];
    CHECK(one.task.status.lifecycle == core::Lifecycle::running);
    REQUIRE(one.processes.size() == 1);
    CHECK(one.processes[0].pid == one.task.status.main_process.pid);
    CHECK(one.processes[0].command.find("sleep 60") != std::string::npos);
    CHECK(eventually(test_timeout, [&] {
        const auto again = ops::recover_and_inspect(lab.root(), request);
        return again && std::ranges::any_of(again->tasks.at(0).events,
                                            [](const auto& e) { return e.event == "started"; });
    }));
}

TEST_CASE("why makes a report of a running task now, and finds it again afterwards")
{
    OpsLab lab;
    const auto id = lab.start({"sleep", "60"});
    const auto none = ops::why(lab.root(), {these({id}), true});
    REQUIRE(none);
    CHECK_FALSE(none->tasks.at(0).result);
    const auto made = ops::why(lab.root(), {these({id}), false});
    REQUIRE(made);
    REQUIRE(made->tasks.at(0).result);
    const auto last = ops::why(lab.root(), {these({id}), true});
    REQUIRE(last);
    REQUIRE(last->tasks.at(0).result);
    REQUIRE(made->tasks[0].result->report);
    CHECK((last->tasks[0].result->report == made->tasks[0].result->report));
    const Cancelled now;
    const auto given_up = ops::why(lab.root(), {these({id}), false}, {}, now.cancel());
    REQUIRE(given_up);
    REQUIRE_FALSE(given_up->tasks.at(0).result);
    CHECK(ops::is_cancelled(given_up->tasks[0].result.error()));
}

// The command of a task in the test below.
TEST_CASE("what a process of a task tells", "[.inside]")
{
    ops::NotifyRequest request;
    const auto nothing = ops::notify(request);
    REQUIRE_FALSE(nothing);
    CHECK(nothing.error().kind == ErrorKind::usage);
    request.progress = 0.25;
    request.step = "one\nX_BGT_PROGRESS=0.75"; // made one line
    const auto sent = ops::notify(request);
    if (!sent) FAIL(sent.error().message);
}

TEST_CASE("notify tells the supervisor what a process of its task says")
{
    OpsLab lab;
    ops::StartRequest request = lab.request({});
    request.spec.command = {std::filesystem::read_symlink("/proc/self/exe"), "[.inside]"};
    const auto started = ops::start(lab.root(), std::move(request), ops::IfNameTaken::fail);
    REQUIRE(started);
    REQUIRE(lab.ends(started->id));
    const store::Status status = lab.status(started->id);
    INFO(lab.log(started->id));
    CHECK(status.outcome.code == 0);
    CHECK(status.progress == 0.25);
    CHECK(status.step.starts_with("one"));

    unsetenv("NOTIFY_SOCKET");
    unsetenv("BGT_TASK_DIR");
    ops::NotifyRequest beat;
    beat.beat = true;
    const auto outside = ops::notify(beat);
    REQUIRE_FALSE(outside);
    CHECK(outside.error().kind == ErrorKind::usage);
}

TEST_CASE("remove takes ended tasks, and living ones by force alone")
{
    OpsLab lab;
    const auto ended = lab.start({"exit", "0"});
    const auto living = lab.start({"sleep", "60"});
    REQUIRE(lab.ends(ended));
    ops::Selection all;
    all.all = true;
    const auto swept = ops::remove(lab.root(), {all, false});
    REQUIRE(swept);
    REQUIRE(swept->tasks.size() == 1); // the living one fits the filter, and is left out
    CHECK(swept->tasks[0].id == ended);
    REQUIRE(swept->tasks[0].result);
    CHECK(swept->tasks[0].result->bytes > 0);
    const auto refused = ops::remove(lab.root(), {these({living}), false});
    REQUIRE(refused);
    REQUIRE_FALSE(refused->tasks.at(0).result);
    CHECK(refused->tasks[0].result.error().kind == ErrorKind::usage);
    const auto forced = ops::remove(lab.root(), {these({living}), true});
    REQUIRE(forced);
    CHECK(forced->tasks.at(0).result);
    const auto ids = lab.root().all_ids();
    REQUIRE(ids);
    CHECK(ids->empty());
}

TEST_CASE("collect removes what is beyond what is to be kept, and tells before it does")
{
    OpsLab lab;
    const auto first = lab.start({"exit", "0"});
    const auto second = lab.start({"exit", "0"});
    REQUIRE(lab.ends(first));
    REQUIRE(lab.ends(second));
    store::Retention keep;
    keep.keep_ended = 1;
    // The lock of a supervisor goes a little after the end is on record.
    CHECK(eventually(test_timeout, [&] {
        const auto planned = ops::collect(lab.root(), {keep, true});
        return planned && planned->ids == std::vector{first};
    }));
    CHECK(lab.root().open_task(first));
    const auto done = ops::collect(lab.root(), {keep, false});
    REQUIRE(done);
    CHECK(done->ids == std::vector{first});
    CHECK_FALSE(lab.root().open_task(first));
}

TEST_CASE("collect of a root that is not there removes nothing")
{
    auto root = store::Root::open("/tmp/bgt-ops-missing/root", store::Root::IfMissing::empty);
    REQUIRE(root);
    const auto done = ops::collect(*root, {});
    REQUIRE(done);
    CHECK(done->ids.empty());
}

TEST_CASE("settings have keys, and can be loaded without a folder")
{
    const auto keys = ops::setting_keys();
    CHECK(std::ranges::find(keys, "keep_ended") != keys.end());
    CHECK(ops::load_settings(""));
}
