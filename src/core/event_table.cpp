#include <bgt/core/event_table.hpp>

#include <bgt/core/hook.hpp>

#include <algorithm>
#include <array>

namespace bgt::core {
namespace {

using enum EventLevel;

constexpr std::array levels{error, warning, info, debug};

constexpr std::array table{
    EventType{"created", info, "was created"},
    EventType{"queued", info, "waits in a queue"},
    EventType{"started", info, "was started"},
    EventType{"ready", info, "is ready"},
    EventType{"progress", info, "made progress"},
    EventType{"quiet", info, "prints nothing"},
    EventType{"stalled", warning, "makes no progress"},
    EventType{"needs-input", warning, "waits for input", "waiting-input"},
    EventType{"moving", info, "makes progress again"},
    EventType{"hang", warning, "hangs: a limit has passed"},
    EventType{"report", info, "a hang report was written"},
    EventType{"report-failed", warning, "no hang report could be written"},
    EventType{"hook", info, "a hook was started"},
    EventType{"hook-ended", info, "a hook has ended"},
    EventType{"hook-failed", error, "a hook could not be started"},
    EventType{"retry", warning, "an attempt has ended, and another one follows", "attempt-ended"},
    EventType{"crash-loop", warning, "ends again and again"},
    EventType{"restart-limit", error, "was started too often, and is not started again"},
    EventType{"never-ready", warning, "will not become ready"},
    EventType{"not-ready", info, "is not ready"},
    EventType{"ready-lost", warning, "is not ready any more"},
    EventType{"ready-check", info, "is checked for another condition"},
    EventType{"ready-watch", warning, "could not be checked for readiness"},
    EventType{"stop", info, "is being stopped"},
    EventType{"rung", info, "got the next stop signal"},
    EventType{"leftover", warning, "left processes behind"},
    EventType{"survivors", error, "has processes that survive SIGKILL"},
    EventType{"signal", info, "got a signal"},
    EventType{"change", info, "a file that it watches has changed"},
    EventType{"watch-pause", info, "keeps changes of its files for later"},
    EventType{"watch-resume", info, "watches its files again"},
    EventType{"watch-polling", warning, "looks at its files once a second"},
    EventType{"watch-inotify", info, "is told of changes of its files again"},
    EventType{"watch-ended", warning, "watches its files no longer"},
    EventType{"stopping", info, "says that it is ending"},
    EventType{"pause", info, "was paused"},
    EventType{"resume", info, "was resumed"},
    EventType{"log", info, "says"},
    EventType{"main-pid", info, "says which process is its main process"},
    EventType{"clocks-restarted", info, "its timers start anew"},
    EventType{"notification-refused", warning, "a notification was refused"},
    EventType{"notification-malformed", warning, "a notification could not be read"},
    EventType{"adopted", warning, "got another supervisor"},
    EventType{"output-lost", warning, "output was lost"},
    EventType{"start-failed", error, "could not be started"},
    EventType{"ended", info, "has ended"},
    EventType{"alert", warning, "an alert has changed"},
    EventType{"schedule", info, "a time of a schedule has come"},
    EventType{"http", info, "was acted on over HTTP"},
    EventType{"sample", debug, "was sampled for signs of life"},
    EventType{"decision", debug, "its supervisor has decided"},
    EventType{"claimed", debug, "the dispatcher starts it"},
    EventType{"gap", warning, "events are missing here"},
};

} // namespace

std::string_view to_string(EventLevel level)
{
    switch (level) {
    case error: return "error";
    case warning: return "warning";
    case info: return "info";
    case debug: return "debug";
    }
    return "info";
}

std::optional<EventLevel> parse_event_level(std::string_view text)
{
    for (const EventLevel level : levels)
        if (to_string(level) == text) return level;
    return std::nullopt;
}

std::span<const EventType> event_types()
{
    return table;
}

const EventType* find_event_type(std::string_view word)
{
    const auto* found = std::ranges::find(table, word, &EventType::word);
    return found == table.end() ? nullptr : found;
}

const EventType* type_of_task_event(std::string_view word)
{
    const auto* found = std::ranges::find(table, word, &EventType::in_task_log);
    return found == table.end() || word.empty() ? find_event_type(word) : found;
}

EventLevel level_of(const Outcome& outcome)
{
    if (!is_failure(outcome)) return info;
    return outcome.reason == Reason::self ? error : warning;
}

} // namespace bgt::core
