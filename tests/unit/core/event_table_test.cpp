#include "support/catch.hpp"

#include <bgt/core/event_table.hpp>
#include <bgt/core/step.hpp>

#include <set>

using namespace bgt::core;

TEST_CASE("each type of event stands in the table once, with its words")
{
    std::set<std::string_view> words;
    for (const EventType& type : event_types()) {
        CHECK(words.insert(type.word).second);
        CHECK_FALSE(type.text.empty());
        CHECK(find_event_type(type.word) == &type);
    }
    CHECK(find_event_type("no-such-thing") == nullptr);
    CHECK(find_event_type("") == nullptr);
}

TEST_CASE("every event that the core notes has a type in the stream")
{
    for (int n = 0; n < 64; ++n) {
        const std::string_view word = to_string(static_cast<Happening>(n));
        if (word == "unknown") continue;
        INFO(word);
        CHECK(type_of_task_event(word) != nullptr);
    }
    CHECK(type_of_task_event("waiting-input")->word == "needs-input");
    CHECK(type_of_task_event("attempt-ended")->word == "retry");
    CHECK(type_of_task_event("") == nullptr);
    CHECK(type_of_task_event("no-such-thing") == nullptr);
}

TEST_CASE("levels have an order and words")
{
    CHECK(reaches(EventLevel::error, EventLevel::info));
    CHECK(reaches(EventLevel::info, EventLevel::info));
    CHECK_FALSE(reaches(EventLevel::debug, EventLevel::info));
    for (const EventLevel level :
         {EventLevel::error, EventLevel::warning, EventLevel::info, EventLevel::debug})
        CHECK(parse_event_level(to_string(level)) == level);
    CHECK_FALSE(parse_event_level("loud"));
}

TEST_CASE("a failure is an error, a limit a warning, and what was asked for is neither")
{
    const auto level = [](OutcomeKind kind, Reason reason, int code = 0) {
        Outcome outcome;
        outcome.kind = kind;
        outcome.reason = reason;
        outcome.code = code;
        return level_of(outcome);
    };
    CHECK(level(OutcomeKind::exited, Reason::self) == EventLevel::info);
    CHECK(level(OutcomeKind::exited, Reason::self, 3) == EventLevel::error);
    CHECK(level(OutcomeKind::signaled, Reason::self) == EventLevel::error);
    CHECK(level(OutcomeKind::failed_to_start, Reason::self, 127) == EventLevel::error);
    CHECK(level(OutcomeKind::lost, Reason::self) == EventLevel::error);
    CHECK(level(OutcomeKind::signaled, Reason::killed) == EventLevel::info);
    CHECK(level(OutcomeKind::signaled, Reason::timeout) == EventLevel::warning);
    CHECK(level(OutcomeKind::exited, Reason::idle_timeout) == EventLevel::warning);
    CHECK(level(OutcomeKind::not_started, Reason::dependency_failed) == EventLevel::warning);
    CHECK(level(OutcomeKind::not_started, Reason::cancelled) == EventLevel::info);
}
