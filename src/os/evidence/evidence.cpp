#include "evidence.hpp"

#include "sample/sample_text.hpp"

#include "stack_dump.hpp"
#include <bgt/base/text.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/sample.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <system_error>

namespace bgt::os {

namespace detail {

namespace {

constexpr int exit_code_field =
    52; ///< of /proc/PID/stat: of a stopped process the signal that stopped it (Linux 5.17)

Duration ticks_to_duration(std::uint64_t ticks)
{
    const std::uint64_t hz = ticks_per_second();
    return std::chrono::seconds(ticks / hz) +
           std::chrono::nanoseconds(ticks % hz * (1'000'000'000 / hz));
}

std::int32_t stop_signal_of(std::string_view stat)
{
    const auto close = stat.rfind(')');
    if (close == stat.npos) return 0;
    const auto words = words_of(stat.substr(close + 1)); // the first is field 3
    std::int32_t signal = 0;
    if (words.size() <= exit_code_field - 3) return 0;
    std::string_view word = words[exit_code_field - 3];
    while (!word.empty() && word.back() == '\n') word.remove_suffix(1);
    return read_number(word, signal) && signal > 0 && signal <= 64 ? signal : 0;
}

/// A shell that has waited for the stop has taken its signal away. But a process of the background
/// of a terminal that is stopped where it was about to use that terminal was stopped for it.
std::int32_t terminal_stop_of(std::string_view stat,
                              const std::vector<core::ThreadEvidence>& threads)
{
    const auto life = parse_life_stat(stat);
    if (!life || life->tty == 0 || life->foreground <= 0 || life->foreground == life->pgrp)
        return 0;
    for (const auto& thread : threads) {
        if (thread.handles.empty() || thread.handles.front().kind != core::HandleKind::terminal)
            continue;
        if (thread.call == core::Call::read) return SIGTTIN;
        if (thread.call == core::Call::write || thread.call_name == "ioctl") return SIGTTOU;
    }
    return 0;
}

/// Of /proc/PID/stat; 0 where it is of another form.
std::int32_t nice_of(std::string_view stat)
{
    constexpr std::size_t nice_field = 19;
    const auto close = stat.rfind(')');
    if (close == stat.npos) return 0;
    const auto words = words_of(stat.substr(close + 1)); // the first is field 3
    std::int32_t nice = 0;
    return words.size() > nice_field - 3 && read_number(words[nice_field - 3], nice) ? nice : 0;
}

/// Asked only of who is runnable now, or was so at the look before.
std::optional<Duration> recent_wait(const Gathering& gathering, const ProcStat& stat,
                                    const core::ProcessEvidence& process)
{
    const auto& before = gathering.request.before;
    if (!before) return std::nullopt;
    const bool awake =
        process.state == 'R' || std::any_of(process.threads.begin(), process.threads.end(),
                                            [](const auto& thread) { return thread.state == 'R'; });
    const auto was_asked = [&](const core::ProcessSample& known) {
        return known.pid == process.pid && known.cpu_wait;
    };
    if (!awake && std::none_of(before->processes.begin(), before->processes.end(), was_asked))
        return std::nullopt;
    core::ProcessSample sample;
    sample.pid = process.pid;
    sample.start = stat.key.start_ticks;
    sample.state = process.state;
    sample.cpu = process.cpu;
    sample.cpu_wait = cpu_wait_of(process.pid);
    return core::waited_for_cpu(*before, sample, now() - before->at);
}

/// Of one that has ended: since a look that saw its end, and none where it was not seen then.
std::optional<Duration> ended_for(const Gathering& gathering, const ProcStat& stat)
{
    const auto& before = gathering.request.before;
    if (!before) return std::nullopt;
    const bool had_ended =
        std::any_of(before->processes.begin(), before->processes.end(), [&](const auto& known) {
            return known.pid == stat.key.pid && known.start == stat.key.start_ticks &&
                   known.state == 'Z';
        });
    return had_ended ? now() - before->at : Duration::zero();
}

std::optional<Duration> recent_cpu(const Gathering& gathering, const ProcStat& stat)
{
    if (!gathering.request.before) return std::nullopt;
    const Duration now_used = ticks_to_duration(stat.cpu_ticks);
    for (const auto& process : gathering.request.before->processes)
        if (process.pid == stat.key.pid && process.start == stat.key.start_ticks)
            return std::max(Duration::zero(), now_used - process.cpu);
    return now_used; // it was not there: all that it has used is recent
}

/// Its debugger, and the signals for which it has handlers.
void add_status(const Gathering& gathering, core::ProcessEvidence& process)
{
    constexpr std::int32_t last_signal = 31; // those beyond are of the C library, or for messages
    const std::string status = gathering.proc.read(process.pid, "status", 8192);
    std::string_view rest = status, line;
    std::uint64_t caught = 0;
    while (next_line(rest, line)) {
        const auto words = words_of(line);
        if (words.size() == 2 && words[0] == "TracerPid:") read_number(words[1], process.tracer);
        if (words.size() == 2 && words[0] == "SigCgt:") read_number(words[1], caught, 16);
    }
    for (std::int32_t signal = 1; signal <= last_signal; ++signal)
        if ((caught >> (signal - 1) & 1) != 0) process.catches.push_back(signal);
    if (const auto tracer = process.tracer > 0 ? gathering.proc.stat(process.tracer) : std::nullopt;
        tracer)
        process.tracer_comm = printable(tracer->comm);
}

/// What it has read and written since the look before.
void add_bytes(const Gathering& gathering, const ProcStat& stat, core::ProcessEvidence& process)
{
    if (!gathering.request.before) return;
    const std::string text = gathering.proc.read(process.pid, "io", 512);
    if (text.empty()) return;
    const IoCounters counters = io_counters(text);
    std::uint64_t read = 0, written = 0;
    for (const auto& known : gathering.request.before->processes)
        if (known.pid == process.pid && known.start == stat.key.start_ticks) {
            read = known.read_bytes;
            written = known.written_bytes;
        }
    process.recent_read = counters.read - std::min(counters.read, read);
    process.recent_written = counters.written - std::min(counters.written, written);
}

/// nullopt: it has ended, or another one has its pid.
std::optional<core::ProcessEvidence> process_of(const Gathering& gathering, const ProcStat& member)
{
    const std::int32_t pid = member.key.pid;
    const std::string text = gathering.proc.read(pid, "stat", 1024);
    const auto stat = parse_stat(text);
    if (!stat || stat->key != member.key || stat->state == 'X') return std::nullopt;
    core::ProcessEvidence process;
    process.pid = pid;
    process.ppid = stat->ppid;
    process.comm = printable(stat->comm);
    process.state = stat->state;
    process.age = age_of(stat->key);
    process.cpu = ticks_to_duration(stat->cpu_ticks);
    process.recent_cpu = recent_cpu(gathering, *stat);
    process.thread_count = static_cast<std::uint32_t>(std::max(stat->threads, 0));
    if (!is_living(*stat)) {
        process.ended_for = ended_for(gathering, *stat);
        return process;
    }
    if (stat->state == 'T') process.stop_signal = stop_signal_of(text);
    add_bytes(gathering, *stat, process);
    process.command = shown_text(command_line(pid));
    process.threads = threads_of(gathering, pid);
    process.nice = nice_of(text);
    process.recent_wait = recent_wait(gathering, *stat, process);
    const bool in_futex =
        std::any_of(process.threads.begin(), process.threads.end(),
                    [](const auto& thread) { return thread.call == core::Call::futex; });
    if (in_futex || stat->state == 't') add_status(gathering, process);
    if (in_futex && process.thread_count > 1 && is_made_by_go(gathering, pid))
        process.runtime = "go";
    if (stat->state == 'T' && process.stop_signal == 0)
        process.stop_signal = terminal_stop_of(text, process.threads);
    for (std::int32_t fd = 0; fd <= 2; ++fd)
        process.stdio.push_back(shown_text(link_of(gathering.proc, pid, fd)));
    return process;
}

void add_children(Gathering& gathering, const core::ProcessEvidence& parent,
                  std::vector<core::ProcessEvidence>& out)
{
    const auto children = parent.thread_count <= 1
                              ? gathering.proc.children_of_main_thread(parent.pid)
                              : gathering.proc.children(parent.pid);
    if (!children) return;
    const auto& before = gathering.request.before;
    for (const std::int32_t pid : *children) {
        if (gathering.inside.contains(pid) || out.size() >= core::max_processes_shown) continue;
        const auto stat = gathering.proc.stat(pid);
        if (!stat || stat->ppid != parent.pid) continue;
        if (is_living(*stat) && (!before || stat->key.start_ticks < before->start_now)) continue;
        if (is_living(*stat)) gathering.inside.insert(pid);
        if (auto process = process_of(gathering, *stat)) out.push_back(std::move(*process));
    }
}

} // namespace

/// Of as many processes as a report shows, one after the other; each question is asked only while
/// there is time.
void ask_for_stacks(Gathering& gathering)
{
    for (const auto& member : gathering.request.members) {
        if (!gathering.shown.contains(member.key.pid)) continue;
        if (gathering.is_late()) return;
        const std::uint64_t from = gathering.request.store.output_end();
        auto asked = dump_stacks(member);
        if (!asked) continue;
        if (asked->runtime == "java") asked->deadlock = await_java_locks(gathering, from);
        gathering.found.dumps.push_back(std::move(*asked));
    }
}

void ask_about_locks(Gathering& gathering)
{
    constexpr std::chrono::milliseconds longest{400};
    for (const auto& member : gathering.request.members) {
        const auto& processes = gathering.found.processes;
        const auto is_it = [&](const auto& process) { return process.pid == member.key.pid; };
        const auto process = std::find_if(processes.begin(), processes.end(), is_it);
        if (process == processes.end() || !core::may_be_java_deadlock(*process)) continue;
        if (gathering.is_late()) return;
        if (auto asked = ask_java(member, std::min(gathering.end, now() + longest)))
            gathering.found.dumps.push_back(std::move(*asked));
    }
}

Gathering::Gathering(const GatherRequest& asked) : request(asked), end(now() + asked.bound)
{
    for (const auto& member : asked.members) inside.insert(member.key.pid);
}

bool Gathering::is_late()
{
    if (now() < end) return false;
    found.complete = false;
    return true;
}

void gather_process(Gathering& gathering, std::size_t member)
{
    if (auto process = process_of(gathering, gathering.request.members[member]))
        gathering.found.processes.push_back(std::move(*process));
}

void gather_children(Gathering& gathering)
{
    auto& rows = gathering.found.processes;
    std::vector<core::ProcessEvidence> children;
    for (const auto& process : rows)
        if (rows.size() + children.size() < core::max_processes_shown && !gathering.is_late())
            add_children(gathering, process, children);
    for (auto& child : children) rows.push_back(std::move(child));
    if (gathering.request.before)
        gathering.found.recent_span = now() - gathering.request.before->at;
}

std::string shown_text(std::string_view bytes)
{
    return fit(printable(bytes.substr(0, 4 * core::max_line_columns)), core::max_line_columns);
}

bool next_line(std::string_view& rest, std::string_view& line)
{
    if (rest.empty()) return false;
    line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    return true;
}

std::vector<std::string_view> words_of(std::string_view line)
{
    constexpr std::string_view blanks = " \t";
    std::vector<std::string_view> words;
    for (std::size_t at = line.find_first_not_of(blanks); at != line.npos;
         at = line.find_first_not_of(blanks, at)) {
        const std::size_t end = std::min(line.find_first_of(blanks, at), line.size());
        words.push_back(line.substr(at, end - at));
        at = end;
    }
    return words;
}

template <class Number>
bool read_number(std::string_view word, Number& out, int base)
{
    const auto parsed = std::from_chars(word.data(), word.data() + word.size(), out, base);
    return parsed.ec == std::errc{} && parsed.ptr == word.data() + word.size();
}

template bool read_number(std::string_view, std::uint64_t&, int);
template bool read_number(std::string_view, std::int64_t&, int);
template bool read_number(std::string_view, std::int32_t&, int);

} // namespace detail

} // namespace bgt::os
