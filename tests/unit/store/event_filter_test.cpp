#include "support/catch.hpp"

#include <bgt/store/event_filter.hpp>

#include <random>

using namespace bgt;
using namespace bgt::store;
using namespace std::chrono_literals;

namespace {

RootEvent event_of(std::string type, std::int64_t task, std::string name)
{
    RootEvent event;
    event.at = WallTime(1000s);
    event.type = std::move(type);
    event.task.value = task;
    event.name = std::move(name);
    return event;
}

/// Part for part, without the ways out.
bool naive(const EventFilter& filter, const RootEvent& event)
{
    bool type = filter.types.empty(), task = filter.ids.empty() && filter.names.empty(),
         pattern = filter.patterns.empty();
    for (const std::string& one : filter.types) type |= one == event.type;
    for (const TaskId id : filter.ids) task |= event.task.value > 0 && id == event.task;
    for (const std::string& one : filter.names) task |= !event.name.empty() && one == event.name;
    for (const std::string& one : filter.patterns)
        pattern |= !event.name.empty() && one.front() == event.name.front();
    const bool level = static_cast<int>(event.level) <= static_cast<int>(filter.level);
    const bool since = !filter.since || event.at >= *filter.since;
    return event.type == "gap" || (type && task && pattern && level && since);
}

} // namespace

TEST_CASE("a filter agrees with a naive one")
{
    std::mt19937 dice(19);
    const auto roll = [&](unsigned sides) { return static_cast<unsigned>(dice() % sides); };
    const std::vector<std::string> types{"started", "ended", "gap"}, names{"", "web", "db"};
    std::size_t matched = 0;
    for (int round = 0; round < 20'000; ++round) {
        EventFilter filter;
        filter.level = static_cast<core::EventLevel>(roll(4));
        if (roll(2) == 0) filter.types.push_back(types[roll(2)]);
        if (roll(3) == 0) filter.ids.push_back(TaskId{1 + std::int64_t{roll(3)}});
        if (roll(3) == 0) filter.names.push_back(names[1 + roll(2)]);
        if (roll(3) == 0) filter.patterns.push_back(roll(2) == 0 ? "w*" : "d?");
        if (roll(3) == 0) filter.since = WallTime(std::chrono::seconds(999 + roll(3)));
        RootEvent event = event_of(types[roll(3)], roll(4), names[roll(3)]);
        event.level = static_cast<core::EventLevel>(roll(4));
        CHECK(filter.matches(event) == naive(filter, event));
        matched += filter.matches(event) ? 1 : 0;
    }
    CHECK(matched > 1000);
}

TEST_CASE("tasks that were queued together are each meant")
{
    RootEvent event = queued_event(TaskId{4}, 5, {}, "default", WallTime(1s));
    CHECK_FALSE(is_about(event, TaskId{3}));
    CHECK(is_about(event, TaskId{4}));
    CHECK(is_about(event, TaskId{8}));
    CHECK_FALSE(is_about(event, TaskId{9}));
    event.type = "started"; // whose count is another
    CHECK_FALSE(is_about(event, TaskId{5}));
    CHECK_FALSE(is_about(event_of("schedule", 0, {}), TaskId{0}));
}
