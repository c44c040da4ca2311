#pragma once
/// The event stream of a state root: events/1, events/2, ... One event a line:
///     1b2c3d4e {"at":"...","type":"started","level":"info","task":7,"name":"web","data":{"pid":4}}
/// The eight hexadecimal digits before the blank are the CRC-32C of what stands behind it.
///
/// Many processes append, each with one write (O_APPEND), and no one takes a lock. The stream is
/// what stands in lines that begin before `segment_bytes` of their segment; what a writer put
/// further back, because others were faster, it writes once more into the next segment. So nothing
/// is added to a segment that a reader has left.
#include <bgt/base/fd.hpp>
#include <bgt/base/time.hpp>
#include <bgt/core/event_table.hpp>
#include <bgt/store/events.hpp>
#include <bgt/store/task_id.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace bgt::store {

inline constexpr const char* events_folder = "events";

/// Part of the format: all processes must agree. Others are for tests.
struct EventLimits {
    std::uint64_t segment_bytes = 4u << 20;
    std::uint64_t kept_segments = 4;
};

struct RootEvent {
    WallTime at{};
    std::string type;
    core::EventLevel level = core::EventLevel::info;
    TaskId task;      ///< 0: it is about none
    std::string name; ///< of the task, or of the schedule; empty: none
    EventValues data;

    const std::string* text(std::string_view key) const { return text_in(data, key); }
    std::optional<std::int64_t> number(std::string_view key) const { return number_in(data, key); }
};

/// That so many tasks in a row wait from now on.
RootEvent queued_event(TaskId first, std::uint32_t count, std::string name,
                       const std::string& queue, WallTime now);

/// With its newline. Texts are made valid UTF-8, and cut where they are long (4 KiB).
std::string encode_root_event(const RootEvent&);
/// A line without its newline. nullopt: it is damaged.
std::optional<RootEvent> decode_root_event(std::string_view line);
/// Longer lines are damaged ones.
inline constexpr std::size_t max_event_line = 512 * 1024;

/// A place in the stream, between two lines.
struct EventCursor {
    std::uint64_t segment = 0; ///< 0: before all
    std::uint64_t offset = 0;
    std::uint32_t identity = 0; ///< of the segment (its first line); 0: it had none yet
    bool operator==(const EventCursor&) const = default;
};
/// "e4-1f3a0-77aa12bc": for callers a text without a meaning.
std::string to_string(const EventCursor&);
std::optional<EventCursor> parse_event_cursor(std::string_view);

/// Appends to the stream of a root, for one process. It keeps one descriptor.
class EventWriter {
public:
    EventWriter() = default;
    /// `root_fd` is not owned.
    explicit EventWriter(int root_fd, EventLimits limits = {}) : root_(root_fd), limits_(limits) {}
    /// One line with its newline. Error: the disk is full, the folder is no folder ...; then the
    /// event is not in the stream.
    Result<void> append(std::string_view line);
    Result<void> append(const RootEvent& event) { return append(encode_root_event(event)); }

private:
    Result<void> open_newest();
    Result<void> open_next();
    Result<bool> write(std::string_view line);

    int root_ = -1;
    EventLimits limits_;
    Fd segment_;
    std::uint64_t number_ = 0;
    std::uint64_t known_end_ = 0; ///< where this process's last line ends
};

/// The numbers of the segments, ascending; none where there is no folder.
Result<std::vector<std::uint64_t>> event_segments(int root_fd);

/// Reads the stream from some place on, while others append.
class EventReader {
public:
    struct Item {
        RootEvent event; ///< of the type "gap", without a time: something is missing here
        EventCursor after;
    };
    /// From the beginning. `root_fd` is not owned.
    explicit EventReader(int root_fd, EventLimits limits = {}) : root_(root_fd), limits_(limits) {}
    /// From there on. What is no longer there is told as a gap.
    Result<void> seek(const EventCursor&);
    /// From a segment on in which, or behind which, the first event of that time is.
    Result<void> seek(WallTime);
    /// The next one; nullopt: there is no more at present. Error: the folder can't be read.
    Result<std::optional<Item>> next();
    /// Behind the last item.
    EventCursor cursor();
    /// The segment that is being read; 0: none yet.
    std::uint64_t segment() const { return number_; }

private:
    enum class Step : std::uint8_t { line, more, end };
    Step find_line(std::string_view& line);
    bool fill();
    Result<bool> advance();
    Result<bool> enter(std::uint64_t number);
    bool is_over() const;
    bool is_removed() const;
    Item gap(const char* why, std::int64_t count);

    int root_;
    EventLimits limits_;
    Fd segment_;
    std::uint64_t number_ = 0;
    std::uint64_t offset_ = 0; ///< of the next line
    std::uint32_t identity_ = 0;
    std::string buffer_; ///< what was read from `offset_` on
    std::size_t used_ = 0, searched_ = 0;
    bool too_long_ = false;         ///< the line at `offset_` is being passed over
    std::uint64_t skipped_ = 0;     ///< bytes of it
    std::int64_t damaged_ = 0;      ///< lines since the last item
    const char* pending_ = nullptr; ///< a gap to be told first
};

} // namespace bgt::store
