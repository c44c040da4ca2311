#include <bgt/supervise/control.hpp>

#include "protocol.hpp"
#include <bgt/core/end_words.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/control_socket.hpp>
#include <bgt/os/proc.hpp>
#include <bgt/os/wait.hpp>
#include <bgt/supervise/await_served.hpp>
#include <bgt/supervise/locked.hpp>
#include <bgt/supervise/recover.hpp>
#include <bgt/supervise/snapshot.hpp>

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>

namespace bgt::supervise {
namespace {

constexpr auto answer_timeout = std::chrono::seconds(5);
/// What a supervisor has forked before it died holds its lock and its socket until it first runs.
/// In another pid namespace a supervisor that lives can't be seen: that one is asked after this.
constexpr auto helper_timeout = std::chrono::milliseconds(200);

/// Of the record, while it does not say who the supervisor is.
constexpr auto look_interval = std::chrono::milliseconds(50);

std::string ended_text(store::TaskId id, const store::Status& status)
{
    return fmt::format("task {} has {}", id.value, core::ended_words(status.outcome));
}

/// Asks, and waits for the answer. Where the supervisor can't be seen (it is being started, or has
/// died and what it had forked holds its socket), the record and the lock are looked at again in
/// between: who has ended answers nobody. Error: ESRCH: the task needs another supervisor.
Result<std::string> ask(const store::TaskDir& task, const Request& what,
                        std::optional<Fd> supervisor, Duration timeout)
{
    BGT_TRY_ASSIGN(os::Question question,
                   os::Question::send(task.fd(), store::file::control, encode_request(what),
                                      what.descriptors));
    const Instant deadline = os::now() + timeout;
    while (true) {
        const bool is_known = supervisor.has_value();
        Result<std::string> reply =
            question.answer(is_known ? supervisor->get() : -1,
                            is_known ? deadline : std::min(deadline, os::now() + look_interval));
        if (reply || is_known || reply.error().sys_errno != ETIMEDOUT || os::now() >= deadline)
            return reply;
        const Result<store::Status> now = store::read_status(task.fd());
        if (now && store::is_final(*now)) return reply;
        if (now) supervisor = os::open_pidfd(now->supervisor);
        if (now && !supervisor && now->supervisor.pid > 0 && !os::is_alive(now->supervisor) &&
            is_unlocked(task))
            return Error{ErrorKind::failed, "the supervisor has ended", ESRCH};
    }
}

/// Why a supervisor may not answer; empty: nothing is to be seen.
std::string state_words(const ProcessKey& supervisor)
{
    const auto stat = os::read_stat(supervisor.pid);
    if (!stat || stat->key != supervisor) return {};
    switch (stat->state) {
    case 'T': return ", which is stopped";
    case 't': return ", which a debugger holds";
    case 'D': return ", which waits in the kernel (state D)";
    default: return {};
    }
}

/// Sees to it that somebody can answer, then asks. A living supervisor is asked also where its
/// record is damaged: with the answer it writes a whole one.
Result<Answer> request(store::Root& root, store::TaskId id, const Request& what, Duration timeout)
{
    const Result<Snapshot> seen = recover_and_inspect(root, id, {});
    if (!seen) return seen.error();
    const Result<store::TaskDir> task = root.open_task(id);
    if (!task && seen->status.lifecycle == core::Lifecycle::queued)
        return Error::failed(waiting_text(id));
    if (!task) return task.error();
    if (!seen->problem.empty() && is_unlocked(*task)) return Error::failed(seen->problem);
    if (seen->problem.empty() && store::is_final(seen->status))
        return Error::failed(ended_text(id, seen->status));
    if (is_stopped(seen->status.supervisor))
        return Error::failed(stopped_text(id, seen->status.supervisor));
    std::optional<Fd> supervisor = os::open_pidfd(seen->status.supervisor);
    const bool has_died =
        !supervisor && seen->status.supervisor.pid > 0 && !os::is_alive(seen->status.supervisor);
    if (has_died && becomes_unlocked(*task, helper_timeout))
        return Error{ErrorKind::failed,
                     fmt::format("task {}: its supervisor died just now", id.value), ESRCH};
    const Result<std::string> reply = ask(*task, what, std::move(supervisor), timeout);
    if (reply) return decode_answer(*reply);
    if (!seen->problem.empty() && !is_locked(*task))
        return Error::failed(seen->problem); // who answers nobody is not awaited
    const Result<store::Status> now = store::read_status(task->fd());
    if (now && store::is_final(*now)) return Error::failed(ended_text(id, *now));
    return Error{ErrorKind::failed,
                 fmt::format("task {}: {} (pid {}{})", id.value, reply.error().message,
                             seen->status.supervisor.pid, state_words(seen->status.supervisor)),
                 reply.error().sys_errno};
}

/// Nobody listened: the supervisor is being started, died just now, or is being replaced.
bool is_passing(const Error& error)
{
    return error.sys_errno == ESRCH || error.sys_errno == ECONNREFUSED || error.sys_errno == ENOENT;
}

/// A supervisor that is killed between the look and the answer is replaced, and the new one is
/// asked.
Result<Answer> request_with_retry(store::Root& root, store::TaskId id, const Request& what,
                                  Duration timeout = answer_timeout)
{
    const Instant deadline = os::now() + timeout;
    Result<Answer> answer = request(root, id, what, timeout);
    for (int pause_ms = 1; !answer && is_passing(answer.error()) && os::now() < deadline;
         pause_ms = std::min(20, 2 * pause_ms)) {
        if (answer.error().kind == ErrorKind::not_found) break;
        os::pause_for(std::chrono::milliseconds(pause_ms));
        answer = request(root, id, what, timeout);
    }
    if (answer && !answer->error.empty())
        return Error::failed(fmt::format("task {}: {}", id.value, answer->error));
    return answer;
}

Result<void> simple(store::Root& root, store::TaskId id, Request::Op op)
{
    Request what;
    what.op = op;
    const Result<Answer> answer = request_with_retry(root, id, what);
    if (!answer) return answer.error();
    return {};
}

Result<void> stop_with(store::Root& root, store::TaskId id, Request::Op op,
                       const StopOptions& options)
{
    Request what;
    what.op = op;
    what.reason = options.reason;
    what.now = options.now;
    what.no_escalation = options.no_escalation;
    if (options.ladder) what.ladder.emplace(*options.ladder);
    const Result<Answer> answer = request_with_retry(root, id, what, options.timeout);
    if (!answer) return answer.error();
    return {};
}

} // namespace

bool is_stopped(const ProcessKey& supervisor)
{
    if (supervisor.pid <= 0) return false;
    const auto stat = os::read_stat(supervisor.pid);
    return stat && stat->key == supervisor &&
           stat->state == 'T'; // not 't': a tracer lets it go on in a moment
}

std::string stopped_words(const ProcessKey& supervisor)
{
    return fmt::format("its supervisor (pid {0}) is stopped and answers nobody: kill -CONT {0}",
                       supervisor.pid);
}

std::string stopped_text(store::TaskId id, const ProcessKey& supervisor)
{
    return fmt::format("task {}: {}", id.value, stopped_words(supervisor));
}

std::string waiting_text(store::TaskId id)
{
    return fmt::format("task {} waits in a queue, and nothing of it runs yet (bgt why {} says what "
                       "it waits for)",
                       id.value, id.value);
}

Result<void> request_stop(store::Root& root, store::TaskId id, const StopOptions& options)
{
    return stop_with(root, id, Request::Op::stop, options);
}

Result<void> request_restart(store::Root& root, store::TaskId id, const StopOptions& options)
{
    return stop_with(root, id, Request::Op::restart, options);
}

Result<void> request_look(store::Root& root, store::TaskId id, Duration timeout)
{
    Request what;
    what.op = Request::Op::sample;
    const Result<Answer> answer =
        request_with_retry(root, id, what, std::min<Duration>(timeout, answer_timeout));
    if (!answer) return answer.error();
    return {};
}

Result<void> request_ready_lost(store::Root& root, store::TaskId id, const std::string& condition)
{
    Request what;
    what.op = Request::Op::ready_lost;
    what.text = condition;
    const Result<Answer> answer = request_with_retry(root, id, what);
    if (!answer) return answer.error();
    return {};
}

Result<std::uint32_t> request_report(store::Root& root, store::TaskId id)
{
    Request what;
    what.op = Request::Op::report;
    const Result<Answer> answer = request_with_retry(root, id, what);
    if (!answer) return answer.error();
    return answer->count;
}

Result<ReportAhead> ReportAhead::ask(store::Root& root, store::TaskId id)
{
    const Result<store::Status> status = store::read_status_at(root.fd(), id);
    if (!status) return status.error();
    if (status->lifecycle != core::Lifecycle::running) return Error::failed("it does not run");
    const Result<store::TaskDir> task = root.open_task(id);
    if (!task) return task.error();
    if (is_stopped(status->supervisor)) return Error::failed(stopped_text(id, status->supervisor));
    std::optional<Fd> supervisor = os::open_pidfd(status->supervisor);
    if (!supervisor) return Error::failed("its supervisor can't be seen");
    Request what;
    what.op = Request::Op::report;
    Result<os::Question> question =
        os::Question::send(task->fd(), store::file::control, encode_request(what));
    if (!question) return question.error();
    return ReportAhead(std::move(*question), std::move(*supervisor));
}

Result<std::uint32_t> ReportAhead::number()
{
    const Result<std::string> reply =
        question_.answer(supervisor_.get(), os::now() + answer_timeout);
    if (!reply) return reply.error();
    const Result<Answer> answer = decode_answer(*reply);
    if (!answer) return answer.error();
    if (!answer->error.empty()) return Error::failed(answer->error);
    return answer->count;
}

Result<std::uint32_t> request_signal(store::Root& root, store::TaskId id, int signal,
                                     bool whole_tree)
{
    Request what;
    what.op = Request::Op::signal;
    what.signal = signal;
    what.whole_tree = whole_tree;
    const Result<Answer> answer = request_with_retry(root, id, what);
    if (!answer) return answer.error();
    return answer->count;
}

Result<void> request_start_beside(store::Root& root, store::TaskId id, std::vector<int> descriptors)
{
    Request what;
    what.op = Request::Op::start_beside;
    what.descriptors = std::move(descriptors);
    const Result<Answer> answer = request(root, id, what, answer_timeout);
    if (!answer) return answer.error();
    if (!answer->error.empty())
        return Error::failed(fmt::format("task {}: {}", id.value, answer->error));
    return {};
}

Result<void> request_pause(store::Root& root, store::TaskId id)
{
    return simple(root, id, Request::Op::pause);
}

Result<void> request_watch_pause(store::Root& root, store::TaskId id)
{
    return simple(root, id, Request::Op::watch_pause);
}

Result<void> request_resume(store::Root& root, store::TaskId id)
{
    return simple(root, id, Request::Op::resume);
}

Result<void> request_stdin_eof(store::Root& root, store::TaskId id)
{
    return simple(root, id, Request::Op::stdin_eof);
}

} // namespace bgt::supervise
