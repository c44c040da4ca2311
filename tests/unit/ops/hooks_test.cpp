// What the events of a task say of its hooks.
#include <bgt/ops/hooks.hpp>

#include "support/catch.hpp"

using namespace bgt;
using namespace bgt::ops;
using namespace std::chrono_literals;

namespace {

store::TaskEvent event(int second, std::string name, decltype(store::TaskEvent::fields) fields)
{
    return {WallTime(std::chrono::seconds(second)), std::move(name), std::move(fields)};
}
store::TaskEvent start(int second, std::int64_t pid, std::string hook, std::int64_t ticks = 5)
{
    return event(
        second, "hook",
        {{"hook", std::move(hook)}, {"pid", pid}, {"start_ticks", ticks}, {"command", "c"}});
}

const auto nobody = [](const ProcessKey&) { return false; };

} // namespace

TEST_CASE("each hook has its own end, also where two run at once and a pid comes again")
{
    const auto runs = hook_runs(
        {start(1, 10, "on-fail"), event(2, "started", {{"pid", std::int64_t{10}}}),
         start(3, 11, "on-end"),
         event(4, "hook-ended",
               {{"hook", "on-end"}, {"pid", std::int64_t{11}}, {"code", std::int64_t{0}}}),
         event(5, "hook-ended",
               {{"hook", "on-fail"},
                {"pid", std::int64_t{10}},
                {"code", std::int64_t{7}},
                {"output", "oops\n"},
                {"output_bytes_cut", std::int64_t{3}},
                {"leftovers", std::int64_t{2}}}),
         start(6, 10, "on-hang"),
         event(7, "hook-ended", {{"pid", std::int64_t{10}}, {"error", "it was stopped"}})},
        nobody);
    REQUIRE(runs.size() == 3);
    CHECK(runs[0].hook == "on-fail");
    CHECK(runs[0].state == HookState::ended);
    CHECK(runs[0].code == 7);
    CHECK(runs[0].output == "oops\n");
    CHECK(runs[0].output_bytes_cut == 3);
    CHECK(runs[0].leftovers == 2);
    CHECK(runs[0].ended == WallTime(5s));
    CHECK(has_failed(runs[0]));
    CHECK(runs[1].code == 0);
    CHECK_FALSE(has_failed(runs[1]));
    CHECK_FALSE(runs[2].code);
    CHECK(runs[2].error == "it was stopped");
    CHECK(has_failed(runs[2]));
}

TEST_CASE("a hook without an end runs as long as its watcher lives; then nobody knows")
{
    const std::vector<store::TaskEvent> events{start(1, 10, "on-end", 77)};
    const auto lives = [](const ProcessKey& key) { return key == ProcessKey{10, 77}; };
    CHECK(hook_runs(events, lives).at(0).state == HookState::running);
    CHECK_FALSE(has_failed(hook_runs(events, lives).at(0)));
    CHECK(hook_runs(events, nobody).at(0).state == HookState::unknown);
    CHECK(has_failed(hook_runs(events, nobody).at(0)));
}

TEST_CASE("a hook that could not be started has failed, and events that make no sense are none")
{
    const auto runs = hook_runs({event(1, "hook-failed", {{"hook", "notify"}, {"error", "no"}}),
                                 event(2, "hook-ended", {{"pid", std::int64_t{0}}}),
                                 event(3, "hook-ended", {{"pid", "ten"}})},
                                nobody);
    REQUIRE(runs.size() == 1);
    CHECK(runs[0].state == HookState::not_started);
    CHECK(runs[0].error == "no");
    CHECK(has_failed(runs[0]));
}
