#pragma once
/// `events.jsonl`: the execution log, one JSON object a line:
/// {"at":"...","event":"started","pid":4211}.
#include <bgt/base/fd.hpp>
#include <bgt/base/time.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace bgt::store {

struct EventField {
    std::string_view key;
    std::variant<std::int64_t, std::string> value;
};
/// What an event says, by key.
using EventValues = std::vector<std::pair<std::string, std::variant<std::int64_t, std::string>>>;
/// nullptr and nullopt: it says no text, or no number, by that key.
const std::string* text_in(const EventValues&, std::string_view key);
std::optional<std::int64_t> number_in(const EventValues&, std::string_view key);

struct TaskEvent {
    WallTime at{};
    std::string event;
    EventValues fields;
};

/// The line without its newline. Text values are made valid UTF-8.
std::string encode_event(WallTime at, std::string_view event,
                         const std::vector<EventField>& fields);

/// Appends one line with one write (O_APPEND). A line that a full disk cut is ended by the next
/// one's leading newline, so it damages no other.
Result<void> append_event(int events_fd, WallTime at, std::string_view event,
                          const std::vector<EventField>& fields);

struct EventsRead {
    std::vector<TaskEvent> events;
    std::size_t damaged_lines = 0;  ///< lines that could not be read, passed over and counted
    std::uint64_t unread_bytes = 0; ///< in front of what was read
};
/// The last `most` events of the folder; an absent file has none. Reads at most the last 1 MiB.
Result<EventsRead> read_events(int task_dir_fd, std::size_t most);

} // namespace bgt::store
