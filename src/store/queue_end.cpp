#include <bgt/store/queue_end.hpp>

#include <bgt/store/spec.hpp>

#include <algorithm>
#include <array>
#include <cerrno>

namespace bgt::store {

core::TaskEventKind event_of_end(const Status& status)
{
    switch (status.outcome.kind) {
    case core::OutcomeKind::exited:
        return core::exit_code(status.outcome) == 0 ? core::TaskEventKind::ended_ok
                                                    : core::TaskEventKind::ended_not_ok;
    case core::OutcomeKind::signaled:
    case core::OutcomeKind::lost: return core::TaskEventKind::ended_not_ok;
    case core::OutcomeKind::failed_to_start:
    case core::OutcomeKind::not_started:
    case core::OutcomeKind::none: break;
    }
    return core::TaskEventKind::never_started;
}

Result<void> EndTeller::tell(const TaskDir& task)
{
    if (!QueueFile::is_there(root_)) return {};
    const Result<Status> status = read_status(task.fd());
    constexpr std::array passing{EMFILE, ENFILE, ENOMEM, EIO, EAGAIN};
    if (!status && std::ranges::find(passing, status.error().sys_errno) != passing.end())
        return status.error();
    // A damaged record does not say that the command never ran.
    const bool is_lost = !status && status.error().kind != ErrorKind::not_found;
    const Result<void> told = append(task.id(), status    ? event_of_end(*status)
                                                : is_lost ? core::TaskEventKind::ended_not_ok
                                                          : core::TaskEventKind::never_started);
    if (told || told.error().sys_errno == copied_journal) return {};
    const Result<TaskSpec> spec = read_spec(task.fd());
    if (spec && spec->queue.empty()) return {}; // nobody takes it for one that is still to be run
    return Error{told.error().kind,
                 "task " + to_string(task.id()) +
                     " is of a queue, which can't be told of its end: " + told.error().message,
                 told.error().sys_errno};
}

Result<void> EndTeller::append(TaskId id, core::TaskEventKind what)
{
    if (!file_) {
        BGT_TRY_ASSIGN(QueueFile file, QueueFile::open(root_, false, boot_));
        file_.emplace(std::move(file));
    }
    BGT_TRY_ASSIGN(const Fd lock, file_->lock());
    if (!QueueFile::is_there(root_)) return {}; // nothing waits any more
    BGT_TRY(file_->reopen());
    return file_->append({Reported{id.value, what}}, QueueFile::Durability::process);
}

} // namespace bgt::store
