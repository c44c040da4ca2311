// Threads that wait for each other, as far as it shows: in futexes, which tell of no holder but
// where the C library has noted one.
#include "diagnosis.hpp"

#include <bgt/base/signal_name.hpp>

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

namespace bgt::core::detail {

namespace {

constexpr int much_longer = 8; ///< how many sleeps without a sign of life make a loop

// man 7 signal: the same numbers on all machines but Alpha, MIPS and SPARC.
constexpr std::int32_t hup = 1, interrupt = 2, quit = 3, ill = 4, trap = 5, abort = 6, bus = 7,
                       fpe = 8, usr1 = 10, segv = 11, usr2 = 12, pipe = 13, alarm = 14, term = 15,
                       child = 17, vtalarm = 26, bad_call = 31;

template <std::size_t N>
bool has(const std::array<std::int32_t, N>& signals, std::int32_t signal)
{
    return std::find(signals.begin(), signals.end(), signal) != signals.end();
}

bool is_java(const ProcessEvidence& process)
{
    return process.comm == "java" ||
           std::any_of(process.threads.begin(), process.threads.end(),
                       [](const auto& thread) { return thread.name == "VM Thread"; });
}

/// A handler that every program of that runtime has says nothing of this one.
bool is_of_runtime(const ProcessEvidence& process, std::int32_t signal)
{
    constexpr std::array faults{ill, trap, abort, bus, fpe, segv, pipe, bad_call};
    constexpr std::array java{hup, interrupt, quit, usr1, usr2, term};
    constexpr std::array ruby{hup, interrupt, quit, usr1, usr2, alarm, term, child, vtalarm};
    constexpr std::array node{interrupt, usr1, term, child};
    const std::string_view program = program_of(process.command);
    if (has(faults, signal)) return true;
    if (is_java(process)) return has(java, signal);
    if (program.starts_with("python") || program.starts_with("pypy")) return signal == interrupt;
    if (program.starts_with("ruby")) return has(ruby, signal);
    return program.starts_with("node") && has(node, signal);
}

/// Who else might wake threads that all wait in futexes; empty: nobody that shows.
std::string outside_waker(const ProcessEvidence& process,
                          const std::vector<const ThreadEvidence*>& threads)
{
    std::string names;
    for (const std::int32_t signal : process.catches)
        if (!is_of_runtime(process, signal))
            names += (names.empty() ? "" : ", ") + signal_name(signal);
    if (!names.empty()) return fmt::format("it has a handler for {}, which may wake it", names);
    const bool shared = std::all_of(threads.begin(), threads.end(),
                                    [](const auto* thread) { return thread->futex_shared; });
    return shared ? "another process may share the futex, and wake it" : std::string();
}

std::vector<const ThreadEvidence*> own_threads(const ProcessEvidence& process)
{
    std::vector<const ThreadEvidence*> threads;
    for (const auto& thread : process.threads)
        if (!is_runtime_thread(thread)) threads.push_back(&thread);
    return threads;
}

/// Before Java 24 the first thread that waits for a monitor looks again by itself, at most a second
/// later (hotspot's objectMonitor.cpp, MAX_RECHECK_INTERVAL): a deadlock there shows two such
/// threads or more, and nothing that waits longer. So do threads that poll with short sleeps: only
/// the machine's own stack dump tells them apart.
bool may_be_at_monitors(const ProcessEvidence& process,
                        const std::vector<const ThreadEvidence*>& threads)
{
    std::size_t timed = 0;
    for (const auto* thread : threads) {
        if (!thread->timeout) continue;
        if (*thread->timeout > std::chrono::seconds(1)) return false;
        ++timed;
    }
    return is_java(process) && timed >= 2;
}

/// All in futexes, and some of these waits have dates.
Finding find_timed(const Facts& facts, const ProcessEvidence& process,
                   const std::vector<const ThreadEvidence*>& threads)
{
    const Evidence& evidence = facts.evidence();
    Duration shortest = Duration::max();
    for (const auto* thread : threads)
        shortest = std::min(shortest, thread->timeout.value_or(Duration::max()));
    const auto timed = std::count_if(threads.begin(), threads.end(),
                                     [](const auto* thread) { return thread->timeout; });
    Finding finding{Verdict::sleeping, {}, {}, process.pid, {}};
    if (!dump_of_locks(evidence, process) && may_be_at_monitors(process, threads)) {
        finding.verdict = Verdict::blocked;
        finding.known = true;
        finding.sentence =
            fmt::format("blocked: the threads of {} wait for each other, {} of {} as at locks that "
                        "others hold{}",
                        name_of(process), timed, threads.size(), without_cpu(evidence));
        finding.doubt = "a deadlock of Java threads looks like this, and so do threads that poll";
        finding.hint = fmt::format("jstack {} tells whether it is a deadlock", process.pid);
        return finding;
    }
    if (comes_again(evidence, process, shortest)) {
        finding.verdict = Verdict::polling;
        finding.sentence =
            fmt::format("polling: {} looks again and again, with timed waits of {} or less{}",
                        name_of(process), nap_words(shortest), without_cpu(evidence));
    } else {
        finding.sentence = fmt::format(
            "sleeping: the threads of {} wait for each other, {} of {} with a time limit{}",
            name_of(process), timed, threads.size(), without_cpu(evidence));
    }
    return finding;
}

/// No thread of Go runs and none waits for the network: each goroutine waits for another one, or
/// for a signal. (The wait with a date is that of its runtime.)
Finding find_go(const Facts& facts, const ProcessEvidence& process)
{
    Finding finding{Verdict::blocked, {}, {}, process.pid, {}};
    finding.sentence =
        fmt::format("blocked: no goroutine of {} can go on: they wait for each other or for a "
                    "signal, and all its threads in futex{}",
                    name_of(process), without_cpu(facts.evidence()));
    finding.hint =
        fmt::format("where: kill -QUIT {} makes it print the stack of each goroutine, and ends it",
                    process.pid);
    finding.doubt = "which of them waits for a signal can't be seen";
    finding.known = true;
    return finding;
}

std::string count_words(std::size_t threads)
{
    if (threads == 1) return "the only thread";
    return threads == 2 ? "both threads" : fmt::format("all {} threads", threads);
}

/// The threads of a circle of mutexes in which this one waits; empty: there is none.
std::vector<const ThreadEvidence*> circle_from(const ProcessEvidence& process,
                                               const ThreadEvidence& first)
{
    std::vector<const ThreadEvidence*> circle;
    for (const ThreadEvidence* at = &first; circle.size() < process.threads.size();) {
        if (at->call != Call::futex || at->timeout || at->futex_owner == 0) return {};
        circle.push_back(at);
        if (at->futex_owner == first.tid) return circle;
        const auto owner = std::find_if(
            process.threads.begin(), process.threads.end(),
            [&](const ThreadEvidence& thread) { return thread.tid == at->futex_owner; });
        if (owner == process.threads.end()) return {};
        at = &*owner;
    }
    return {};
}

} // namespace

bool is_runtime_thread(const ThreadEvidence& thread)
{
    constexpr std::array<std::string_view, 20> names{
        "VM Thread",      "VM Periodic Tas", "Reference Handl", "Finalizer",     "Signal Dispatc",
        "Service Thread", "Monitor Deflati", "C1 Compiler",     "C2 Compiler",   "Sweeper thread",
        "Common-Cleaner", "Notification T",  "GC Thread",       "G1 ",           "Attach Listener",
        "Cleaner-",       "Parallel",        "StringDedup",     "DestroyJavaVM", "ForkJoinPool"};
    return std::any_of(names.begin(), names.end(),
                       [&](std::string_view name) { return thread.name.starts_with(name); });
}

bool is_of_go(const ProcessEvidence& process)
{
    return process.runtime == "go";
}

std::optional<bool> dump_of_locks(const Evidence& evidence, const ProcessEvidence& process)
{
    const auto& dumps = evidence.dumps;
    const auto found = std::find_if(dumps.begin(), dumps.end(),
                                    [&](const auto& dump) { return dump.pid == process.pid; });
    return found == dumps.end() ? std::nullopt : found->deadlock;
}

/// Loops that use less than a tick between two looks count as `blocked`: that they have slept long
/// before tells too. Where it is not known when they last used CPU, that they never used much does.
bool comes_again(const Evidence& evidence, const ProcessEvidence& process, Duration limit)
{
    constexpr Duration longest = std::chrono::seconds(60);
    constexpr int little = 20; ///< a twentieth of its time is work
    const auto cpu = cpu_age(evidence);
    Duration quiet_for = std::min(
        {process.age, silence(evidence).value_or(Duration::max()), cpu.value_or(Duration::max())});
    if (!cpu && evidence.ages.cpu && process.cpu * little > process.age)
        quiet_for = std::min(quiet_for, *evidence.ages.cpu);
    return limit < longest &&
           (evidence.activity == Activity::trickle || quiet_for / much_longer >= limit);
}

std::optional<Finding> find_mutex_circle(const Facts& facts, const ProcessEvidence& process)
{
    for (const auto& thread : process.threads) {
        const auto circle = circle_from(process, thread);
        if (circle.empty()) continue;
        std::string tids;
        for (std::size_t at = 0; at < circle.size(); ++at)
            tids += fmt::format("{}{}",
                                at == 0                  ? ""
                                : at + 1 < circle.size() ? ", "
                                                         : " and ",
                                circle[at]->tid);
        const std::string who = circle.size() == 1 ? "thread " + tids : "threads " + tids;
        const std::string_view whose =
            circle.size() == 1   ? "waits in futex for a mutex that it holds itself"
            : circle.size() == 2 ? "wait in futex for each other's mutex"
                                 : "wait in futex, each for a mutex of the next";
        return Finding{
            Verdict::deadlock,
            fmt::format("deadlock: {} of {} {}{}", who, name_of(process), whose,
                        without_cpu(facts.evidence())),
            fmt::format("where: gdb -p {} -batch -ex 'thread apply all bt'", process.pid),
            process.pid,
            {}};
    }
    return std::nullopt;
}

Finding find_futex(const Facts& facts, const ProcessEvidence& process)
{
    const auto threads = own_threads(process);
    const Finding other{Verdict::unknown, {}, {}, process.pid, {}};
    const bool all = std::all_of(threads.begin(), threads.end(),
                                 [](const auto* thread) { return thread->call == Call::futex; });
    // Any thread that was not seen may wake one of these.
    if (threads.empty() || !all || process.thread_count > process.threads.size()) return other;
    if (is_of_go(process)) return find_go(facts, process);
    if (std::any_of(threads.begin(), threads.end(), [](const auto* t) { return t->timeout; }))
        return find_timed(facts, process, threads);
    if (const auto* lock = facts.lock_of(process.pid); lock && lock->kind == "semaphore")
        return other;
    const std::string waker = outside_waker(process, threads);
    const std::string where =
        fmt::format("where: gdb -p {} -batch -ex 'thread apply all bt'", process.pid);
    // One thread alone waits for nobody, and Java knows of its deadlocks itself.
    if (threads.size() > 1 && waker.empty() && !is_java(process))
        return {Verdict::deadlock,
                fmt::format("deadlock: {} of {} wait in futex{}", count_words(threads.size()),
                            name_of(process), without_cpu(facts.evidence())),
                where,
                process.pid,
                {},
                {},
                "all its threads are in futexes; a signal may wake them, too"};
    Finding finding{Verdict::blocked, {}, where, process.pid, {}};
    finding.sentence =
        fmt::format("blocked: {} of {} {} in a futex that nobody in the tree is seen to wake{}",
                    count_words(threads.size()), name_of(process),
                    threads.size() == 1 ? "waits" : "wait each", without_cpu(facts.evidence()));
    finding.doubt = waker.empty() ? "a signal may wake it, too" : waker;
    finding.known = true;
    if (!is_java(process)) return finding;
    finding.hint = fmt::format("where: jstack {}", process.pid);
    if (dump_of_locks(facts.evidence(), process))
        finding.doubt = "Java knows of no deadlock among its locks";
    return finding;
}

} // namespace bgt::core::detail

namespace bgt::core {

bool may_be_java_deadlock(const ProcessEvidence& process)
{
    const auto threads = detail::own_threads(process);
    return threads.size() > 1 && detail::is_java(process) &&
           std::all_of(threads.begin(), threads.end(),
                       [](const auto* thread) { return thread->call == Call::futex; });
}

} // namespace bgt::core
