#pragma once
/// The types of events in the event stream of a state root: a row for each, with its level and its
/// words.
#include <bgt/core/task.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace bgt::core {

/// How much an event matters. The first is the most severe.
enum class EventLevel : std::uint8_t { error, warning, info, debug };
std::string_view to_string(EventLevel);
std::optional<EventLevel> parse_event_level(std::string_view);
/// Whether an event of level `of` is at least as severe as `least`.
inline bool reaches(EventLevel of, EventLevel least)
{
    return of <= least;
}

struct EventType {
    std::string_view word;             ///< of the stream: "ended", "needs-input"
    EventLevel level;                  ///< where the event itself does not say more
    std::string_view text;             ///< what happened, for people
    std::string_view in_task_log = {}; ///< its word in the task's own log, where that is another
};
std::span<const EventType> event_types();
/// nullptr: a newer bgt knows it.
const EventType* find_event_type(std::string_view word);
/// The type that stands for an event of the task's own log; nullptr: none.
const EventType* type_of_task_event(std::string_view word);

/// Of the end of a task: a limit that passed is a warning; a failure of the task itself, or of what
/// had to start or supervise it, is an error.
EventLevel level_of(const Outcome&);

} // namespace bgt::core
