// What can be said of one process, thread by thread.
#include "diagnosis.hpp"

#include <bgt/base/text.hpp>
#include <bgt/core/activity.hpp>
#include <bgt/core/share.hpp>

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

namespace bgt::core::detail {

namespace {

Finding find_stopped(const Facts& facts, const ProcessEvidence& process)
{
    const Evidence& evidence = facts.evidence();
    constexpr int ttin = 21,
                  ttou = 22; // man 7 signal: the same numbers on all machines but MIPS and SPARC
    Finding finding{Verdict::stopped, {}, {}, process.pid, {}};
    if (process.stop_signal == ttin || process.stop_signal == ttou) {
        finding.verdict = Verdict::waiting_input;
        finding.sentence = fmt::format(
            "waiting for input: {} was stopped because it {} a terminal from the background ({}){}",
            name_of(process), process.stop_signal == ttin ? "read" : "wrote or set",
            process.stop_signal == ttin ? "SIGTTIN" : "SIGTTOU", last_text(evidence));
        return finding;
    }
    if (process.tracer > 0) {
        finding.sentence = fmt::format("stopped: {} (pid {}) holds {} as its debugger",
                                       process.tracer_comm, process.tracer, name_of(process));
        finding.hint =
            "SIGCONT can't help: only its debugger lets it go on, or the end of that debugger";
        if (facts.process(process.tracer)) finding.waits_for = {process.tracer};
        return finding;
    }
    if (evidence.paused)
        finding.sentence = fmt::format("paused: {} was stopped by bgt pause", name_of(process));
    else if (process.state == 't')
        finding.sentence = fmt::format("stopped: a debugger holds {}", name_of(process));
    else
        finding.sentence = fmt::format(
            "stopped: {} was stopped by a signal and goes on with SIGCONT", name_of(process));
    return finding;
}

Finding find_child_wait(const Facts& facts, const ProcessEvidence& process,
                        const ThreadEvidence& thread)
{
    Finding finding{Verdict::waits_child, {}, {}, process.pid, {}};
    finding.waits_for = pids_of(facts.living_children(process));
    finding.sentence =
        fmt::format("waits for a child: {} is in {}{}", name_of(process), thread.call_name,
                    finding.waits_for.empty() ? ", and no child of it lives" : "");
    return finding;
}

/// By the place in the kernel: its client of a file system of another machine or process waits for
/// an answer.
bool waits_for_file_system(const ThreadEvidence& thread)
{
    constexpr std::array<std::string_view, 9> places{
        "request_wait_answer", "fuse_", "__fuse", "nfs", "rpc_wait", "__rpc", "cifs",
        "p9_client",           "ceph_"};
    return std::any_of(places.begin(), places.end(),
                       [&](std::string_view place) { return thread.wchan.starts_with(place); });
}

/// System V and POSIX semaphores: who would raise it can't be seen, who changed it last at best.
Finding find_semaphore(const Facts& facts, const ProcessEvidence& process,
                       const LockEvidence& semaphore)
{
    Finding finding{Verdict::waits_lock, {}, {}, process.pid, {}};
    finding.sentence =
        fmt::format("waits for a semaphore: {}, {}", name_of(process), semaphore.path);
    if (semaphore.holder > 0)
        finding.sentence += fmt::format(", which pid {} ({}) changed last", semaphore.holder,
                                        fit(semaphore.holder_command, 60));
    finding.sentence += without_cpu(facts.evidence());
    finding.doubt = "who would raise the semaphore can't be seen";
    return finding;
}

Finding find_plain(const Facts& facts, const ProcessEvidence& process, const ThreadEvidence& thread)
{
    Finding finding{Verdict::blocked, {}, {}, process.pid, {}};
    if (thread.state == 'R' || (process.state == 'R' && thread.tid == 0)) {
        finding.verdict = Verdict::busy;
        finding.sentence = fmt::format("busy: {} runs", name_of(process));
        return finding;
    }
    std::string where = thread.call_name.empty() ? thread.wchan : thread.call_name;
    if (!thread.handles.empty()) where += " on " + thread.handles.front().text;
    if (waits_for_file_system(thread)) {
        finding.sentence =
            fmt::format("blocked: {} waits for a file system that does not answer, in {}{}",
                        name_of(process), where, without_cpu(facts.evidence()));
        return finding;
    }
    finding.sentence =
        fmt::format("blocked: {} {}{}", name_of(process),
                    where.empty() ? "waits, it can't be seen for what" : "waits in " + where,
                    without_cpu(facts.evidence()));
    return finding;
}

/// In pause, sigsuspend or sigtimedwait: whoever may send it a signal can end that.
Finding find_signal(const Facts& facts, const ProcessEvidence& process,
                    const ThreadEvidence& thread)
{
    if (thread.timeout && *thread.timeout > Duration::zero())
        return find_sleep(facts, process, thread);
    std::string which = "a signal";
    if (!thread.handles.empty())
        which =
            (thread.handles.front().text.find(", ") == std::string::npos ? "the signal "
                                                                         : "one of the signals ") +
            thread.handles.front().text;
    Finding finding{Verdict::blocked, {}, {}, process.pid, {}};
    finding.sentence = fmt::format("blocked: {} waits for {}, in {}{}", name_of(process), which,
                                   thread.call_name, without_cpu(facts.evidence()));
    finding.known = true;
    return finding;
}

Finding find_reading(const Facts& facts, const ProcessEvidence& process,
                     const ThreadEvidence& thread)
{
    if (thread.handles.empty()) return find_plain(facts, process, thread);
    const Handle& handle = thread.handles.front();
    const bool writes = thread.call == Call::write || thread.call == Call::send;
    if (handle.kind == HandleKind::master ||
        (writes && handle.kind == HandleKind::terminal && facts.terminal(handle)))
        return find_pipe(facts, process, thread, handle);
    if (handle.kind == HandleKind::watch) return find_poll(facts, process, thread);
    if (!writes && (handle.task_stdin || handle.kind == HandleKind::terminal))
        return find_input(facts, process, thread, handle);
    switch (handle.kind) {
    case HandleKind::pipe:
    case HandleKind::fifo: return find_pipe(facts, process, thread, handle);
    case HandleKind::socket: return find_socket(facts, process, thread, handle);
    case HandleKind::other:
    case HandleKind::terminal:
    case HandleKind::file:
    case HandleKind::master:
    case HandleKind::event:
    case HandleKind::timer:
    case HandleKind::signals:
    case HandleKind::watch:
    case HandleKind::process:
    case HandleKind::device: return find_plain(facts, process, thread);
    }
    return find_plain(facts, process, thread);
}

Finding find_thread(const Facts& facts, const ProcessEvidence& process,
                    const ThreadEvidence& thread)
{
    switch (thread.call) {
    case Call::read:
    case Call::write:
    case Call::receive:
    case Call::send: return find_reading(facts, process, thread);
    case Call::connect:
    case Call::accept:
        if (!thread.handles.empty())
            return find_socket(facts, process, thread, thread.handles.front());
        return find_plain(facts, process, thread);
    case Call::open:
        if (!thread.handles.empty() && thread.handles.front().kind == HandleKind::fifo)
            return find_pipe(facts, process, thread, thread.handles.front());
        return find_plain(facts, process, thread);
    case Call::poll: return find_poll(facts, process, thread);
    case Call::wait_child: return find_child_wait(facts, process, thread);
    case Call::sleep: return find_sleep(facts, process, thread);
    case Call::lock: return find_lock(facts, process, thread);
    case Call::futex:
    case Call::ipc:
        if (const auto* lock = facts.lock_of(process.pid); lock && lock->kind == "semaphore")
            return find_semaphore(facts, process, *lock);
        return find_plain(facts, process, thread);
    case Call::signal: return find_signal(facts, process, thread);
    case Call::unknown:
    case Call::running:
    case Call::sync: return find_plain(facts, process, thread);
    }
    return find_plain(facts, process, thread);
}

/// Who waits in vfork is in state D too, but what its child does is the cause, and a signal does
/// end it.
bool is_stuck_in_kernel(const ThreadEvidence& thread)
{
    return thread.state == 'D' && thread.call != Call::wait_child;
}

Finding find_unkillable(const Facts& facts, const ProcessEvidence& process)
{
    const auto stuck =
        std::find_if(process.threads.begin(), process.threads.end(), is_stuck_in_kernel);
    std::string where;
    if (stuck != process.threads.end()) {
        where = stuck->call_name.empty() ? stuck->wchan : stuck->call_name;
        if (!stuck->handles.empty()) where += " on " + stuck->handles.front().text;
    }
    return {Verdict::unkillable,
            fmt::format("unkillable: {} waits in the kernel (state D){}{}", name_of(process),
                        where.empty() ? "" : ", " + where, without_cpu(facts.evidence())),
            "no signal ends it before the device or file system answers",
            process.pid,
            {}};
}

bool waits_in_kernel(const Facts& facts, const ProcessEvidence& process)
{
    const Activity activity = facts.evidence().activity;
    if (activity == Activity::busy || activity == Activity::trickle)
        return false; // D for a moment, as any disk access is
    if (process.recent_cpu && *process.recent_cpu > Duration::zero()) return false;
    const auto children = facts.living_children(process);
    if (std::any_of(children.begin(), children.end(),
                    [](const auto* child) { return child->age < std::chrono::seconds(1); }))
        return false; // vfork of a kernel that does not tell, until the child executes something
    if (process.threads.empty()) return process.state == 'D';
    return std::any_of(process.threads.begin(), process.threads.end(), is_stuck_in_kernel);
}

Finding find_zombies(const ProcessEvidence& process,
                     const std::vector<const ProcessEvidence*>& zombies)
{
    const std::string rest =
        zombies.size() > 1 ? fmt::format(" and {} more of its children have", zombies.size() - 1)
                           : " has";
    Finding finding{Verdict::zombie_parent,
                    fmt::format("zombie: {}{} ended, and {} does not take note of it",
                                name_of(*zombies.front()), rest, name_of(process)),
                    {},
                    process.pid,
                    {}};
    if (!zombies.front()->ended_for) finding.doubt = "it may have ended a moment ago";
    return finding;
}

bool is_weak(Verdict verdict)
{
    return says_more(Verdict::waits_child, verdict) || verdict == Verdict::waits_child;
}

} // namespace

bool is_zombie(const ProcessEvidence& process)
{
    return process.state == 'Z' && process.thread_count <= 1;
}

bool is_stopped(const ProcessEvidence& process)
{
    return process.state == 'T' || process.state == 't';
}

bool has_just_ended(const ProcessEvidence& process)
{
    return process.ended_for && *process.ended_for < min_share_span;
}

bool is_awake(const ProcessEvidence& process)
{
    return process.state == 'R' ||
           std::any_of(process.threads.begin(), process.threads.end(),
                       [](const auto& thread) { return thread.state == 'R'; });
}

bool is_starved(const Evidence& evidence, const ProcessEvidence& process)
{
    if (!evidence.recent_span || !process.recent_wait || is_zombie(process) || is_stopped(process))
        return false;
    return *evidence.recent_span >= min_share_span &&
           std::chrono::duration<double>(*process.recent_wait) >=
               starved_share * std::chrono::duration<double>(*evidence.recent_span);
}

std::vector<std::int32_t> pids_of(const std::vector<const ProcessEvidence*>& processes)
{
    std::vector<std::int32_t> pids;
    for (const auto* process : processes) pids.push_back(process->pid);
    return pids;
}

bool waits_for_child(const ProcessEvidence& process)
{
    return std::any_of(process.threads.begin(), process.threads.end(),
                       [](const auto& thread) { return thread.call == Call::wait_child; });
}

Finding find_sleep(const Facts& facts, const ProcessEvidence& process, const ThreadEvidence& thread)
{
    const Evidence& evidence = facts.evidence();
    constexpr Duration max_retry_pause = std::chrono::seconds(60);
    const std::string trouble = trouble_in(evidence);
    const bool retries = !trouble.empty() && thread.timeout && *thread.timeout < max_retry_pause;
    const bool again =
        retries || (thread.timeout && comes_again(evidence, process, *thread.timeout));
    Finding finding{again ? Verdict::polling : Verdict::sleeping, {}, {}, process.pid, {}};
    if (retries)
        finding.sentence = fmt::format("polling: {} retries: {} (sleeps of {})", name_of(process),
                                       trouble, nap_words(*thread.timeout));
    else if (again)
        finding.sentence = fmt::format("polling: {} looks again and again, with sleeps of {}",
                                       name_of(process), nap_words(*thread.timeout));
    else
        finding.sentence =
            fmt::format("sleeping: {} sleeps{}", name_of(process),
                        thread.timeout ? " (" + nap_words(*thread.timeout) + ")" : "");
    if (retries && trouble.find("lock") != trouble.npos) {
        finding.sentence += last_text(evidence);
        return finding;
    }
    if (const auto* lock = facts.lock_of(process.pid); lock && lock->polled && lock->holder > 0) {
        finding.sentence += fmt::format("; {} is locked by {}", lock->path, holder_name(*lock));
        finding.hint = fmt::format("or end pid {}, which holds the lock", lock->holder);
        finding.doubt = "it has that file open, but its tries to lock it are not seen";
        return finding;
    }
    const auto quiet = silence(evidence);
    finding.sentence +=
        quiet ? fmt::format(", nothing new for {}", format_age(*quiet)) : without_cpu(evidence);
    return finding;
}

namespace {

/// Whether its stack dump went to the output of the task.
bool is_in_log(const Evidence& evidence, const ProcessEvidence& process)
{
    return std::any_of(evidence.dumps.begin(), evidence.dumps.end(), [&](const auto& dump) {
        return dump.pid == process.pid && dump.signal != 0;
    });
}

/// Met awake, though neither the process nor the tree works: it sleeps again in a moment.
bool wakes_for_a_moment(const Facts& facts, const ProcessEvidence& process,
                        const ThreadEvidence& thread)
{
    return thread.call == Call::running && facts.evidence().activity != Activity::busy &&
           process.recent_cpu && *process.recent_cpu < much_cpu;
}

/// Whether a thread with this finding does something of its own: then others are not to blame for
/// all of the process.
bool is_own_work(const Facts& facts, const ProcessEvidence& process, const ThreadEvidence& thread,
                 const Finding& finding)
{
    if (wakes_for_a_moment(facts, process, thread)) return false;
    if (thread.call == Call::futex || finding.at_rest || !finding.waits_for.empty()) return false;
    return finding.verdict == Verdict::idle || finding.verdict == Verdict::busy ||
           says_more(finding.verdict, Verdict::waits_child);
}

} // namespace

Finding find_of(const Facts& facts, const ProcessEvidence& process)
{
    if (is_stopped(process)) return find_stopped(facts, process);
    if (waits_in_kernel(facts, process)) return find_unkillable(facts, process);
    if (dump_of_locks(facts.evidence(), process).value_or(false))
        return {Verdict::deadlock,
                fmt::format("deadlock: threads of {} wait for each other's locks, as {} says{}",
                            name_of(process),
                            is_in_log(facts.evidence(), process) ? "its stack dump" : "Java itself",
                            without_cpu(facts.evidence())),
                is_in_log(facts.evidence(), process)
                    ? "where: see \"Java-level deadlock\" in the log"
                    : fmt::format("where: jstack {}", process.pid),
                process.pid,
                {}};
    if (auto circle = find_mutex_circle(facts, process)) return std::move(*circle);
    Finding best{Verdict::unknown, {}, {}, process.pid, {}};
    std::vector<std::int32_t> waits_for;
    std::vector<std::int32_t> may_wait_for;
    bool other_work = false, timed = false;
    for (const auto& thread : process.threads) {
        if (is_runtime_thread(thread)) continue;
        Finding finding = find_thread(facts, process, thread);
        other_work = other_work || is_own_work(facts, process, thread, finding);
        timed = timed || (thread.timeout && !(thread.call == Call::futex && is_of_go(process)));
        may_wait_for.insert(may_wait_for.end(), finding.may_wait_for.begin(),
                            finding.may_wait_for.end());
        if (!finding.waits_for.empty())
            waits_for.insert(waits_for.end(), finding.waits_for.begin(), finding.waits_for.end());
        const bool leads_on = !finding.waits_for.empty() && best.waits_for.empty() &&
                              !says_more(best.verdict, Verdict::waits_child) &&
                              best.verdict != Verdict::idle && best.verdict != Verdict::busy;
        if (best.sentence.empty() || leads_on || says_more(finding.verdict, best.verdict))
            best = std::move(finding);
    }
    if (const Finding futex = find_futex(facts, process); futex.verdict != Verdict::unknown)
        best = futex;
    if (best.sentence.empty()) best = find_plain(facts, process, ThreadEvidence{});
    // Only where all that does anything waits for others, others are to blame.
    if (other_work) may_wait_for.insert(may_wait_for.end(), waits_for.begin(), waits_for.end());
    best.waits_for = other_work ? std::vector<std::int32_t>() : std::move(waits_for);
    best.may_wait_for = std::move(may_wait_for);
    best.timed = timed;
    auto zombies = facts.zombies_of(process);
    std::erase_if(zombies, [](const auto* child) { return has_just_ended(*child); });
    if (!zombies.empty() && best.waits_for.empty() && is_weak(best.verdict) &&
        best.verdict != Verdict::idle && !is_awake(process) &&
        !is_starved(facts.evidence(), process))
        return find_zombies(process, zombies);
    return best;
}

} // namespace bgt::core::detail
