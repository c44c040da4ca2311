#pragma once
/// The queues of a root, and the tasks that wait in them (`bgt queue`, `hold`, `release`, `move`).
#include <bgt/core/queue.hpp>
#include <bgt/ops/answer.hpp>
#include <bgt/ops/select.hpp>
#include <bgt/store/queue_repair.hpp>
#include <bgt/store/queue_settings.hpp>
#include <bgt/store/queue_view.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace bgt::ops {

/// One slot that is in use.
struct Worker {
    std::uint32_t slot = 0;
    store::TaskId task;
    std::string name;
    std::int32_t supervisor = 0;   ///< its pid
    std::optional<WallTime> since; ///< when the task was started
    bool damaged = false;          ///< its record can't be read
};

struct QueueInfo {
    std::string name;
    store::OneQueue settings;
    std::uint32_t slots = 1;
    core::QueueCounts counts;
    std::vector<Worker> workers;       ///< in the order of their slots
    std::optional<store::TaskId> next; ///< who is to start next
    std::string
        idle_because; ///< why that one does not start; empty: it is about to, or nothing waits
};

struct QueuesAnswer {
    std::vector<QueueInfo> queues; ///< by name
    store::QueueSettings settings;
};
/// Sees to it that somebody starts what waits: to be called by whoever comes by. What goes wrong is
/// for the next one to mend. Hazard: forks; the caller must be single-threaded.
void keep_dispatching(const store::Root&);

/// All queues that have settings or tasks, and `default`; with `only`, that one. Error (not_found):
/// there is no such queue.
Result<QueuesAnswer> list_queues(store::Root&, const std::string& only = {});

/// Error (not_found): there is no such queue.
Result<void> check_queue(const store::Root&, const std::string& name);

/// Changes the settings of the queues, as a whole or not at all.
Result<void> change_settings(store::Root&,
                             const std::function<Result<void>(store::QueueSettings&)>& change);
/// Takes all waiting tasks out of a queue. Returns how many.
Result<std::size_t> clear_queue(store::Root&, const std::string& queue);
/// Forgets the settings of a queue. Error: tasks wait or run there; (not_found) it has none.
Result<void> remove_queue(store::Root&, const std::string& queue);

/// Keeps of damaged files of the queues what can be read; see store::repair_queues().
Result<store::Repair> repair_queues(store::Root&);

/// Takes those that wait out of their queues, all at once: none of them starts any more. Returns
/// these, in ascending order, and those that were to be put on record as such already.
Result<std::vector<store::TaskId>> cancel_waiting(store::Root&, std::vector<store::TaskId>);
/// The same for all that `which` names, which is asked under the journal's lock and names only
/// tasks that wait. Returns how many.
using WhichWaiting =
    std::function<Result<std::vector<core::TaskRange>>(const store::QueueView& view)>;
Result<std::size_t> cancel_waiting(store::Root&, const WhichWaiting& which);

struct Changed {};
/// Holds tasks that wait: they are not started until they are released. Error: one does not wait.
Result<Each<Changed>> hold(store::Root&, const Selection&, const Progress<Changed>& = {});
Result<Each<Changed>> release(store::Root&, const Selection&, const Progress<Changed>& = {});

struct MoveRequest {
    Selection selection;
    enum class To : std::uint8_t { first, last, before, priority };
    To to = To::first;
    std::string before; ///< a task that waits
    std::int32_t priority = 0;
};
Result<Each<Changed>> move(store::Root&, const MoveRequest&, const Progress<Changed>& = {});

/// Whether anything waits, or runs from a queue: one system call.
bool has_queue(const store::Root&);
/// Why a task has not started, and what to do next.
struct WaitingAccount {
    store::TaskId task;
    std::vector<std::string> sentences; ///< empty: it does not wait
};
/// Of each selected task, in their order.
Result<std::vector<WaitingAccount>> why_waiting(store::Root&, const Selection&);

} // namespace bgt::ops
