#pragma once
/// What the driver of a task needs of the world, each as narrow as its use: a test puts a fake in
/// the place of each.
#include <bgt/base/process_key.hpp>
#include <bgt/core/progress.hpp>
#include <bgt/core/step.hpp>
#include <bgt/os/proc.hpp>
#include <bgt/store/events.hpp>
#include <optional>
#include <vector>

namespace bgt::supervise {

/// Takes what happened, from whoever notices it.
class EventSink {
public:
    virtual ~EventSink() = default;
    /// Passes the event to the core and performs what it answers, before it returns.
    virtual void dispatch(core::Event) = 0;
    virtual const core::State& state() const = 0;
};

class Clock {
public:
    virtual ~Clock() = default;
    virtual Instant now() const = 0;
    virtual WallTime wall_now() const = 0;
    /// Has a Tick dispatched at that date, instead of the one before; nullopt: none.
    virtual void wake_at(std::optional<Instant>) = 0;
};

class Spawner {
public:
    virtual ~Spawner() = default;
    /// Starts the command once more, and puts on record that it runs. Error: no_command,
    /// cannot_exec, failed: it does not run.
    virtual Result<ProcessKey> spawn(std::uint32_t attempt) = 0;
};

/// What tells that the tree works.
class LifeSigns {
public:
    virtual ~LifeSigns() = default;
    /// A new attempt: what its tree uses from now on counts.
    virtual void begin(Instant now) = 0;
    virtual core::Liveness sample(const std::vector<os::ProcStat>& members, Instant now) = 0;
    /// Children that are no part of the tree used this much before they were waited for.
    virtual void leave_out(Duration cpu) = 0;
    /// The newest progress that was printed, and not yet taken.
    virtual std::optional<core::Progress> take_progress() = 0;
};

/// Evidence of a hang, and the user's command for one. Neither is an error when it fails: it is put
/// on record.
class HangReporter {
public:
    virtual ~HangReporter() = default;
    /// The number of the report; nullopt: there is none. `rule`: the one that fired; self: none
    /// did.
    virtual std::optional<std::uint32_t> report(core::Reason rule) = 0;
    virtual void run_hook(core::Reason rule) = 0;
};

class TaskOutput {
public:
    virtual ~TaskOutput() = default;
    /// Moves what is there into the log.
    virtual void take_all() = 0;
    /// Moves output until the descriptor is readable (-1: none) or that date has come.
    virtual void take_until(int descriptor, Instant end) = 0;
    /// Until nothing is left; where somebody still writes, only what take_all() moves.
    virtual void drain(bool still_written) = 0;
    /// What comes from now on is that of another attempt.
    virtual void begin_attempt() = 0;
    /// Where the output of this attempt is, in bytes from the beginning of a log.
    struct Range {
        std::uint64_t from = 0, to = 0;
    };
    struct Ranges {
        Range out;
        std::optional<Range> err; ///< --split
    };
    virtual Ranges attempt_ranges() const = 0;
};

/// Who has to know of attempts.
class AttemptHooks {
public:
    virtual ~AttemptHooks() = default;
    /// The core is about to be told.
    virtual void attempt_started() = 0;
    virtual void attempt_ended() = 0;
    /// Adds to the line that tells of the end of an attempt what the kernel knows of it.
    virtual void tell_of_kernel(std::vector<store::EventField>&) = 0;
    /// The task is over, and its record is about to say so.
    virtual void task_ends() = 0;
    /// The final status is on record, and the log is complete.
    virtual void task_ended() = 0;
    /// Nothing is left to supervise.
    virtual void release() = 0;
};

} // namespace bgt::supervise
