#pragma once
/// Makes commands wait in a queue until their time, slot and conditions have come (`bgt submit`).
#include <bgt/core/queue.hpp>
#include <bgt/ops/answer.hpp>
#include <bgt/ops/start.hpp>
#include <bgt/store/queue_context.hpp>
#include <bgt/store/root.hpp>
#include <bgt/store/spec.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace bgt::ops {

/// What to do where a task with the same key waits or runs.
enum class OnBusy : std::uint8_t {
    wait,    ///< until it has ended
    skip,    ///< submit nothing: the answer is the one that is there
    replace, ///< end it, and start when it has ended
    latest,  ///< drop the one that waits; so after the last of many there is one more run
};

/// `12:ok`, `build`: another task by its id, its name, or its name in the same batch.
struct DependencyWord {
    std::string task;
    core::DependsOn on = core::DependsOn::ok;
};
/// Error (usage): an unknown condition.
Result<DependencyWord> parse_dependency(std::string_view text);

/// A task a number: `1-100:2%8`.
struct ArrayRange {
    std::int64_t first = 0, last = 0, step = 1;
    std::uint32_t max_running = 0; ///< 0: no limit
    std::uint32_t count() const { return static_cast<std::uint32_t>((last - first) / step + 1); }
};
/// Error (usage): not of that form, empty, or of more than a million tasks.
Result<ArrayRange> parse_array(std::string_view text);

/// One of a batch: what differs from the rest of the request.
struct BatchItem {
    std::string local_name; ///< by which others of the batch depend on it; empty: none
    std::string changes;    ///< JSON object: fields of spec.json (command, name, tags, cwd)
    std::string name;       ///< of the task; empty: none
    std::vector<DependencyWord> after;
    std::optional<std::int32_t> priority;
    std::optional<std::string> key;
};

struct SubmitRequest {
    store::TaskSpec spec; ///< id and marks are filled in later
    store::QueueContext context;
    /// queue, slots, needs, key, held, hold_on_failure, not_before; the rest is filled in.
    core::WaitingTasks how;
    std::optional<Duration> expire_after; ///< of waiting; counted from not_before where that is set
    std::optional<std::int32_t> priority; ///< nullopt: that of the queue
    std::vector<DependencyWord> after;
    std::string folder = {}; ///< of the caller: names of `after` mean tasks of the project there
                             ///< first (Selection::folder)
    OnBusy on_busy = OnBusy::wait;
    std::optional<ArrayRange> array;
    std::vector<std::string> texts; ///< a task for each, in which `{}` stands for it
    std::vector<BatchItem> batch;   ///< a task for each
    bool wait_if_full = false;      ///< until the queue has room, else that is an error
    bool dry_run = false;           ///< answers what would be
    bool want_position = false; ///< queue_size and position, which cost a look at all that waits
};

struct SubmitAnswer {
    core::TaskRange ids;
    bool existing = false; ///< OnBusy::skip: nothing was submitted
    std::string queue;
    std::size_t queue_size = 0;         ///< waiting there, these among them
    std::size_t position = 0;           ///< of the first of these, from 1 on
    std::optional<WallTime> not_before; ///< they are not started earlier
};

/// The tasks are on disk, as a whole or not at all, when it returns, and somebody is there to start
/// them. Errors: (usage) a circle of dependencies, a bad name; (not_found) a dependency that is no
/// task; (failed) the queue is full or takes nothing, a name is in use, the disk is full. Hazard:
/// forks; the caller must be single-threaded.
Result<SubmitAnswer> submit(store::Root&, SubmitRequest, Cancel = {});

/// A command that is to wait instead of being started now, with supervise::own_context() and what
/// the request says of environment and retention.
SubmitRequest waiting_request(StartRequest);

} // namespace bgt::ops
