// What can be said of one process, thread by thread.
#include "diagnosis.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

namespace bgt::core::detail {

namespace {

constexpr int much_longer = 8; ///< how many sleeps without a sign of life make a loop

/// Threads that a Java machine runs for itself: they sleep and wake whatever the program does.
bool is_runtime_thread(const ThreadEvidence& thread)
{
    constexpr std::array<std::string_view, 20> names{
        "VM Thread",     "VM Periodic Tas", "Reference Handl", "Finalizer",       "Signal Dispatc", "Service Thread", "Monitor Deflati",
        "C1 Compiler",   "C2 Compiler",     "Sweeper thread",  "Common-Cleaner",  "Notification T", "GC Thread",      "G1 ",
        "Attach Listener", "Cleaner-",      "Parallel",        "StringDedup",     "DestroyJavaVM",  "ForkJoinPool"};
    return std::any_of(names.begin(), names.end(), [&](std::string_view name) { return thread.name.starts_with(name); });
}

std::vector<const ThreadEvidence*> own_threads(const ProcessEvidence& process)
{
    std::vector<const ThreadEvidence*> threads;
    for (const auto& thread : process.threads)
        if (!is_runtime_thread(thread)) threads.push_back(&thread);
    return threads;
}

/// Before Java 24 the first thread that waits for a monitor looks again by itself, at most a second later (hotspot's
/// objectMonitor.cpp, MAX_RECHECK_INTERVAL): a deadlock there shows two such threads or more, and nothing that waits
/// longer. So do threads that poll with short sleeps: only the machine's own stack dump tells them apart.
bool may_be_at_monitors(const ProcessEvidence& process, const std::vector<const ThreadEvidence*>& threads)
{
    const bool is_java = std::any_of(process.threads.begin(), process.threads.end(), [](const auto& t) { return t.name == "VM Thread"; });
    std::size_t timed = 0;
    for (const auto* thread : threads) {
        if (!thread->timeout) continue;
        if (*thread->timeout > std::chrono::seconds(1)) return false;
        ++timed;
    }
    return is_java && timed >= 2;
}

/// Whether the stack dump of the process tells of a deadlock; nullopt: there is none that does or denies it.
std::optional<bool> dump_of_locks(const Evidence& evidence, const ProcessEvidence& process)
{
    const auto& dumps = evidence.dumps;
    const auto found = std::find_if(dumps.begin(), dumps.end(), [&](const auto& dump) { return dump.pid == process.pid; });
    return found == dumps.end() ? std::nullopt : found->deadlock;
}

std::vector<std::int32_t> pids_of(const std::vector<const ProcessEvidence*>& processes)
{
    std::vector<std::int32_t> pids;
    for (const auto* process : processes) pids.push_back(process->pid);
    return pids;
}

Finding find_stopped(const Facts& facts, const ProcessEvidence& process)
{
    const Evidence& evidence = facts.evidence();
    constexpr int ttin = 21, ttou = 22; // man 7 signal: the same numbers on all machines but MIPS and SPARC
    Finding finding{Verdict::stopped, {}, {}, process.pid, {}};
    if (process.stop_signal == ttin || process.stop_signal == ttou) {
        finding.verdict = Verdict::waiting_input;
        finding.sentence = fmt::format("waiting for input: {} was stopped because it {} a terminal from the background ({}){}",
                                       name_of(process), process.stop_signal == ttin ? "read" : "wrote or set",
                                       process.stop_signal == ttin ? "SIGTTIN" : "SIGTTOU", last_text(evidence));
        return finding;
    }
    if (evidence.paused) finding.sentence = fmt::format("paused: {} was stopped by bgt pause", name_of(process));
    else if (process.state == 't') finding.sentence = fmt::format("stopped: a debugger holds {}", name_of(process));
    else finding.sentence = fmt::format("stopped: {} was stopped by a signal and goes on with SIGCONT", name_of(process));
    return finding;
}

Finding find_child_wait(const Facts& facts, const ProcessEvidence& process, const ThreadEvidence& thread)
{
    Finding finding{Verdict::waits_child, {}, {}, process.pid, {}};
    finding.waits_for = pids_of(facts.living_children(process));
    finding.sentence = fmt::format("waits for a child: {} is in {}{}", name_of(process), thread.call_name,
                                   finding.waits_for.empty() ? ", and no child of it lives" : "");
    return finding;
}

Finding find_sleep(const Facts& facts, const ProcessEvidence& process, const ThreadEvidence& thread)
{
    const Evidence& evidence = facts.evidence();
    // Loops that use less than a tick between two looks count as `blocked`: that they have slept long before tells too.
    const Duration quiet_for = std::min({process.age, silence(evidence).value_or(Duration::max()), evidence.ages.cpu.value_or(Duration::max())});
    const bool awoke = thread.timeout && (evidence.activity == Activity::trickle || quiet_for / much_longer >= *thread.timeout);
    const bool again = awoke && *thread.timeout < std::chrono::seconds(60);
    Finding finding{again ? Verdict::polling : Verdict::sleeping, {}, {}, process.pid, {}};
    if (again)
        finding.sentence = fmt::format("polling: {} looks again and again, with sleeps of {}", name_of(process),
                                       nap_words(*thread.timeout));
    else
        finding.sentence = fmt::format("sleeping: {} sleeps{}", name_of(process),
                                       thread.timeout ? " (" + nap_words(*thread.timeout) + ")" : "");
    const auto quiet = silence(evidence);
    finding.sentence += quiet ? fmt::format(", nothing new for {}", format_age(*quiet)) : without_cpu(evidence);
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
    finding.sentence = fmt::format("blocked: {} {}{}", name_of(process),
                                   where.empty() ? "waits, it can't be seen for what" : "waits in " + where,
                                   without_cpu(facts.evidence()));
    return finding;
}

Finding find_reading(const Facts& facts, const ProcessEvidence& process, const ThreadEvidence& thread)
{
    if (thread.handles.empty()) return find_plain(facts, process, thread);
    const Handle& handle = thread.handles.front();
    const bool writes = thread.call == Call::write || thread.call == Call::send;
    if (!writes && (handle.task_stdin || handle.kind == HandleKind::terminal)) return find_input(facts, process, thread, handle);
    switch (handle.kind) {
    case HandleKind::pipe:
    case HandleKind::fifo: return find_pipe(facts, process, thread, handle);
    case HandleKind::socket: return find_socket(facts, process, thread, handle);
    case HandleKind::other:
    case HandleKind::terminal:
    case HandleKind::file:
    case HandleKind::device: return find_plain(facts, process, thread);
    }
    return find_plain(facts, process, thread);
}

Finding find_thread(const Facts& facts, const ProcessEvidence& process, const ThreadEvidence& thread)
{
    switch (thread.call) {
    case Call::read:
    case Call::write:
    case Call::receive:
    case Call::send: return find_reading(facts, process, thread);
    case Call::connect:
    case Call::accept:
        if (!thread.handles.empty()) return find_socket(facts, process, thread, thread.handles.front());
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
    case Call::unknown:
    case Call::running:
    case Call::signal:
    case Call::ipc:
    case Call::sync: return find_plain(facts, process, thread);
    }
    return find_plain(facts, process, thread);
}

Finding find_unkillable(const Facts& facts, const ProcessEvidence& process)
{
    const auto stuck = std::find_if(process.threads.begin(), process.threads.end(), [](const auto& t) { return t.state == 'D'; });
    std::string where;
    if (stuck != process.threads.end()) {
        where = stuck->call_name.empty() ? stuck->wchan : stuck->call_name;
        if (!stuck->handles.empty()) where += " on " + stuck->handles.front().text;
    }
    return {Verdict::unkillable,
            fmt::format("unkillable: {} waits in the kernel (state D){}{}", name_of(process), where.empty() ? "" : ", " + where,
                        without_cpu(facts.evidence())),
            "no signal ends it before the device or file system answers", process.pid, {}};
}

bool waits_in_kernel(const Facts& facts, const ProcessEvidence& process)
{
    const Activity activity = facts.evidence().activity;
    if (activity == Activity::busy || activity == Activity::trickle) return false; // D for a moment, as any disk access is
    if (process.recent_cpu && *process.recent_cpu > Duration::zero()) return false;
    const auto children = facts.living_children(process);
    if (std::any_of(children.begin(), children.end(), [](const auto* child) { return child->age < std::chrono::seconds(1); }))
        return false; // vfork, until the child executes something
    return process.state == 'D' ||
           std::any_of(process.threads.begin(), process.threads.end(), [](const auto& t) { return t.state == 'D'; });
}

Finding find_zombies(const ProcessEvidence& process, const std::vector<const ProcessEvidence*>& zombies)
{
    const std::string rest = zombies.size() > 1 ? fmt::format(" and {} more of its children have", zombies.size() - 1) : " has";
    return {Verdict::zombie_parent,
            fmt::format("zombie: {}{} ended, and {} does not take note of it", name_of(*zombies.front()), rest, name_of(process)),
            {}, process.pid, {}};
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

Finding find_futex(const Facts& facts, const ProcessEvidence& process)
{
    const auto threads = own_threads(process);
    std::size_t waiting = 0, timed = 0, shared = 0;
    for (const auto* thread : threads) {
        if (thread->call != Call::futex) return {Verdict::unknown, {}, {}, process.pid, {}};
        ++(thread->timeout ? timed : waiting);
        shared += thread->futex_shared ? 1 : 0;
    }
    // One thread in a futex that others can reach may well be woken by one of them; so may any thread that was not seen.
    const bool alone = threads.size() == 1 && shared != 0;
    if (threads.empty() || alone || process.thread_count > process.threads.size())
        return {Verdict::unknown, {}, {}, process.pid, {}};
    if (timed != 0) {
        Finding finding{Verdict::sleeping, {}, {}, process.pid, {}};
        if (!dump_of_locks(facts.evidence(), process) && may_be_at_monitors(process, threads))
            finding.hint = fmt::format("a deadlock of Java threads looks like this too: jstack {}", process.pid);
        finding.sentence = fmt::format("sleeping: the threads of {} wait for each other, {} of {} with a time limit{}",
                                       name_of(process), timed, threads.size(), without_cpu(facts.evidence()));
        return finding;
    }
    const std::string who = waiting == 1   ? "the only thread"
                            : waiting == 2 ? "both threads"
                                           : fmt::format("all {} threads", waiting);
    return {Verdict::deadlock,
            fmt::format("deadlock: {} of {} {} in futex{}", who, name_of(process), waiting == 1 ? "waits" : "wait",
                        without_cpu(facts.evidence())),
            fmt::format("where: gdb -p {} -batch -ex 'thread apply all bt'", process.pid), process.pid, {}};
}

Finding find_of(const Facts& facts, const ProcessEvidence& process)
{
    if (is_stopped(process)) return find_stopped(facts, process);
    if (waits_in_kernel(facts, process)) return find_unkillable(facts, process);
    if (dump_of_locks(facts.evidence(), process).value_or(false))
        return {Verdict::deadlock,
                fmt::format("deadlock: threads of {} wait for each other's locks, as its stack dump says{}", name_of(process),
                            without_cpu(facts.evidence())),
                "where: see \"Java-level deadlock\" in the log", process.pid, {}};
    Finding best{Verdict::unknown, {}, {}, process.pid, {}};
    std::vector<std::int32_t> waits_for;
    bool other_work = false; // a thread that waits for nobody of the tree
    for (const auto& thread : process.threads) {
        if (is_runtime_thread(thread)) continue;
        Finding finding = find_thread(facts, process, thread);
        if (finding.waits_for.empty()) other_work = other_work || thread.call != Call::futex;
        else waits_for.insert(waits_for.end(), finding.waits_for.begin(), finding.waits_for.end());
        if (best.sentence.empty() || says_more(finding.verdict, best.verdict)) best = std::move(finding);
    }
    if (const Finding futex = find_futex(facts, process); futex.verdict != Verdict::unknown) best = futex;
    if (best.sentence.empty()) best = find_plain(facts, process, ThreadEvidence{});
    // Only where all that does anything waits for others, others are to blame.
    best.waits_for = other_work ? std::vector<std::int32_t>() : std::move(waits_for);
    const auto zombies = facts.zombies_of(process);
    if (!zombies.empty() && best.waits_for.empty() && is_weak(best.verdict) && best.verdict != Verdict::idle)
        return find_zombies(process, zombies);
    return best;
}

} // namespace bgt::core::detail
