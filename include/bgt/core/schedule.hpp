#pragma once
/// What becomes of the times ("occurrences") at which something is to run again and again: which
/// of them fire now, which were missed, and when to look again. No clock, no I/O; when a schedule
/// is due is a function that the caller brings.
#include <bgt/base/time.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

namespace bgt::core {

/// What to do about occurrences that passed while nobody could run them. The numbers of these
/// enumerations are part of the journal: append only.
enum class OnMissed : std::uint8_t {
    once = 0, ///< fire once, for the last of them
    skip = 1, ///< fire none of them
    all = 2,  ///< fire the last `max_missed` of them
};
/// What to do where a task of the schedule has not ended yet.
enum class OnOverlap : std::uint8_t {
    skip = 0,    ///< do not fire
    queue = 1,   ///< fire; the task waits for the end of the one before
    replace = 2, ///< fire; the one before is ended
    allow = 3,   ///< fire; both run
};
std::string_view to_string(OnMissed);
std::string_view to_string(OnOverlap);

struct SchedulePolicy {
    OnMissed on_missed = OnMissed::once;
    std::uint32_t max_missed = 1;          ///< of OnMissed::all
    std::optional<Duration> missed_within; ///< what is later than that is not made up for
    OnOverlap on_overlap = OnOverlap::skip;
    Duration jitter{};                  ///< each fires up to this much later
    std::optional<WallTime> until;      ///< there is no occurrence after that
    std::optional<std::uint64_t> times; ///< it fires so often at most
    bool operator==(const SchedulePolicy&) const = default;
};

/// What became of an occurrence. The numbers are part of the journal: append only.
enum class OccurrenceFate : std::uint8_t {
    fired = 0,
    manual = 1,     ///< no occurrence: a person let it fire
    missed = 2,     ///< nobody could run it, and it was not made up for
    overlapped = 3, ///< a task of the schedule had not ended
    paused = 4,     ///< the schedule was paused
    refused = 5,    ///< its queue was full, or took nothing
};
std::string_view to_string(OccurrenceFate);

/// Some occurrences in a row with the same fate; those that fire stand alone.
struct Occurred {
    OccurrenceFate fate = OccurrenceFate::fired;
    WallTime first{}, last{};
    std::uint64_t count = 1;
    bool operator==(const Occurred&) const = default;
};

/// The occurrences of a schedule.
struct Passed {
    std::uint64_t count = 0;
    WallTime first{};             ///< of them
    std::vector<WallTime> newest; ///< ascending; the last of them
};
struct Recurrences {
    /// The first one after that moment; nullopt: there is none.
    std::function<std::optional<WallTime>(WallTime after)> next;
    /// Those in (after, until], of which the last `most` are listed. Its cost must not grow with
    /// their number.
    std::function<Passed(WallTime after, WallTime until, std::size_t most)> passed;
};

/// What is known of a schedule; it follows from its records alone.
struct ScheduleState {
    struct Span {
        WallTime from{}, to{}; ///< both belong to it
        bool operator==(const Span&) const = default;
    };
    WallTime mark{};          ///< each occurrence up to here is decided
    std::vector<Span> closed; ///< ascending, apart: where all occurrences are decided for good,
                              ///< also after the clock was set back
    std::uint64_t fired = 0;
    bool paused = false;
    bool operator==(const ScheduleState&) const = default;

    void note(const Occurred&);
    /// The clock shows less than the mark: what comes is counted from there.
    void clock_set_back(WallTime now);
    /// What lies before counts as decided: it was made, changed or resumed just now.
    void begin_at(WallTime now) { mark = now; }
    bool is_closed(WallTime) const;
};

/// How many tasks of the schedule have not ended, and how many more its queue takes.
struct ScheduleFacts {
    bool is_busy = false;
    std::uint64_t room = UINT64_MAX;
};

/// Everything that is to be decided at `now`, in order: to be noted in the state. Nothing where it
/// is paused or over.
std::vector<Occurred> decide(const SchedulePolicy&, const ScheduleState&, const Recurrences&,
                             std::string_view name, const ScheduleFacts&, WallTime now);
/// When decide() has something to do next; nullopt: never.
std::optional<WallTime> next_wake(const SchedulePolicy&, const ScheduleState&, const Recurrences&,
                                  std::string_view name);
/// The next occurrence that is not decided, without the jitter; nullopt: there is none.
std::optional<WallTime> next_occurrence(const SchedulePolicy&, const ScheduleState&,
                                        const Recurrences&);
/// It has fired often enough.
bool is_used_up(const SchedulePolicy&, const ScheduleState&);
/// How much later than its time an occurrence fires: the same each time it is asked.
Duration jitter_of(const SchedulePolicy&, std::string_view name, WallTime occurrence);

} // namespace bgt::core
