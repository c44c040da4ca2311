#pragma once
/// Ends tasks: every process of each (`bgt kill`).
#include <bgt/core/task.hpp>
#include <bgt/ops/select.hpp>
#include <bgt/ops/snapshot.hpp>
#include <bgt/os/blocked.hpp>
#include <optional>
#include <vector>

namespace bgt::ops {

using os::Blocked;
using os::survivor_words;

/// What a stop waits for at the moment.
struct StopWait {
    std::string label;                   ///< of the task
    Duration elapsed{};                  ///< since it was asked
    Duration kill_after{};               ///< SIGKILL follows so long after the request
    std::vector<Blocked> processes = {}; ///< those that are still there
};

struct StopRequest {
    Selection selection;
    bool now = false; ///< SIGKILL at once, without a stop signal before
    std::optional<std::vector<core::StopStep>> ladder =
        {}; ///< the signals of this stop, in place of the task's
    std::optional<Duration> grace =
        {}; ///< without a ladder: the time between the task's last stop signal and SIGKILL
    std::optional<Duration> timeout =
        {}; ///< waits no longer than this, for all of them together; the stop goes on
    std::function<void(const StopWait&)> waiting =
        {};                     ///< called once a second while one of them is waited for
    SnapshotFields fields = {}; ///< what Stopped::task holds besides the record
};

struct Stopped {
    enum class End : std::uint8_t {
        ended,      ///< nothing of it is left
        had_ended,  ///< before it was asked
        removed,    ///< it ended and removed itself, and its last record was not seen
        survived,   ///< SIGKILL did not end all of it: Status::survivors
        cancelled,  ///< it waited in a queue, and will not start
        timed_out,  ///< the timeout passed; the stop goes on
        unrecorded, ///< its record is damaged and it had no supervisor: what carries its cookie was
                    ///< ended
    };
    End end = End::ended;
    Snapshot task;        ///< as it was when it was asked, with the newest record that was seen
    store::Status before; ///< when it was asked
    Duration took{};      ///< from the request to the end, where it ended
    std::uint32_t without_record = 0; ///< processes that were ended, where it is `unrecorded`
};

/// Asks all of them to stop at the same time, then waits for each in turn.
Result<Each<Stopped>> stop(store::Root&, const StopRequest&, const Progress<Stopped>& = {},
                           Cancel = {});

/// Asks one task to stop and does not wait; `now`: SIGKILL at once.
Result<void> request_stop(store::Root&, store::TaskId, bool now);

} // namespace bgt::ops
