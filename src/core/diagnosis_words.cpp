#include "diagnosis.hpp"

#include <bgt/base/text.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>
#include <set>
#include <utility>

namespace bgt::core {

namespace detail {

namespace {

constexpr std::size_t name_columns = 40;
constexpr std::string_view java_attach =
    "/tmp/.java_pid";                     ///< where Java listens once jstack or bgt has asked it
constexpr std::size_t text_columns = 160; ///< as long as apt tells who holds its lock

/// Programs whose first word says more than their name.
constexpr std::array<std::string_view, 22> with_subcommand{
    "apt",  "apt-get", "bundle", "cargo",   "composer",  "docker", "dotnet", "gh",
    "git",  "go",      "gradle", "kubectl", "mvn",       "npm",    "pip",    "pip3",
    "pnpm", "podman",  "rails",  "rustup",  "terraform", "yarn"};
constexpr std::array<std::string_view, 9> interpreters{"bash",   "dash",    "node", "perl", "php",
                                                       "python", "python3", "ruby", "sh"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& list, std::string_view word)
{
    return std::find(list.begin(), list.end(), word) != list.end();
}

std::string lower_case(std::string text)
{
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

std::string_view base_name(std::string_view path)
{
    return path.substr(path.rfind('/') + 1); // npos + 1 is 0
}

/// The word after the program's name; empty where it is an option or was quoted.
std::string_view first_argument(std::string_view command)
{
    const auto space = command.find(' ');
    if (space == command.npos) return {};
    command.remove_prefix(space + 1);
    const std::string_view word = command.substr(0, command.find(' '));
    if (word.empty() || word.front() == '-' || word.find_first_of("'\"\\$") != word.npos) return {};
    return word;
}

} // namespace

std::string_view program_of(std::string_view command)
{
    return base_name(command.substr(0, command.find(' ')));
}

std::string name_of(const ProcessEvidence& process)
{
    const std::string_view program = program_of(process.command);
    std::string name = process.comm.empty() ? std::string(program) : process.comm;
    // A program that runs under an interpreter often is named for it, or for the thread that runs
    // it ("node-MainThread").
    if (contains(interpreters, program)) name = program;
    const std::string_view word = first_argument(process.command);
    if (contains(interpreters, program) && !word.empty())
        name += fmt::format(" {}", base_name(word));
    if (contains(with_subcommand, program) && program == name && !word.empty())
        name += fmt::format(" {}", word);
    return fmt::format("{} (pid {})", fit(name, name_columns), process.pid);
}

std::string holder_name(const LockEvidence& lock)
{
    return fmt::format("{} (pid {})", fit(program_of(lock.holder_command), name_columns),
                       lock.holder);
}

std::optional<Duration> cpu_age(const Evidence& evidence)
{
    const Ages& ages = evidence.ages;
    return is_exact(ages.cpu, ages.cpu_span) ? ages.cpu : std::nullopt;
}

std::string without_cpu(const Evidence& evidence)
{
    const auto age = cpu_age(evidence);
    return age ? ", no CPU for " + format_age(*age) : std::string();
}

std::string nap_words(Duration nap)
{
    if (nap >= std::chrono::seconds(10)) return format_age(nap);
    return format_duration(std::chrono::floor<std::chrono::milliseconds>(nap));
}

std::string last_text(const Evidence& evidence)
{
    for (auto line = evidence.output.rbegin(); line != evidence.output.rend(); ++line) {
        const auto begin = line->find_first_not_of(' ');
        if (begin == line->npos) continue;
        const auto end = line->find_last_not_of(' ');
        return "; last text: " +
               fit(std::string_view(*line).substr(begin, end - begin + 1), text_columns);
    }
    return {};
}

std::string trouble_in(const Evidence& evidence)
{
    constexpr std::array<std::string_view, 13> troubles{
        "could not get lock",     "database is locked",     "waiting for file lock",
        "unable to lock",         "unable to acquire lock", "connection refused",
        "connection timed out",   "could not resolve host", "no route to host",
        "network is unreachable", "name resolution",        "connection reset",
        "failed to connect"};
    constexpr std::size_t max_lines = 6;
    std::size_t looked_at = 0;
    for (auto line = evidence.output.rbegin();
         line != evidence.output.rend() && looked_at < max_lines; ++line) {
        if (line->find_first_not_of(' ') == line->npos) continue;
        ++looked_at;
        const std::string low = lower_case(*line);
        for (const std::string_view trouble : troubles)
            if (low.find(trouble) != low.npos) return std::string(trouble);
    }
    return {};
}

std::optional<Duration> silence(const Evidence& evidence)
{
    return evidence.ages.text ? evidence.ages.text : evidence.ages.byte;
}

std::string listening_on(const Evidence& evidence)
{
    std::set<std::string> places;
    for (const auto& socket : evidence.sockets) {
        if (socket.state != "LISTEN" || socket.local.starts_with(java_attach)) continue;
        const auto colon = socket.local.rfind(':');
        places.insert(socket.kind == "unix" || colon == std::string::npos
                          ? socket.local
                          : socket.local.substr(colon));
    }
    std::string text;
    std::size_t shown = 0;
    for (const auto& place : places) {
        if (place.empty() || ++shown > 4) continue;
        text += (text.empty() ? "" : ", ") + place;
    }
    return text;
}

namespace {

bool asks_yes_or_no(const Evidence& evidence)
{
    if (evidence.output.empty()) return false;
    const std::string line = lower_case(evidence.output.back());
    for (const std::string_view choice : {"(y)", "(y/n)", "[y/n]", "(yes/no", "[yes/no", "y/n?"})
        if (line.find(choice) != line.npos) return true;
    return false;
}

} // namespace

std::string next_command(const Facts& facts, const Finding& finding)
{
    const Evidence& evidence = facts.evidence();
    const std::int64_t id = evidence.task_id;
    const auto* process = facts.process(finding.pid);
    switch (finding.verdict) {
    case Verdict::waiting_input:
        if (!evidence.takes_input) return fmt::format("bgt kill {}", id);
        return fmt::format("bgt send {} {}", id, asks_yes_or_no(evidence) ? "y" : "TEXT");
    case Verdict::stopped:
        if (process && process->tracer > 0) return fmt::format("kill {}", process->tracer);
        return evidence.paused ? fmt::format("bgt resume {}", id)
                               : fmt::format("bgt signal --tree CONT {}", id);
    case Verdict::deadlock:
    case Verdict::unkillable:
    case Verdict::waits_lock:
    case Verdict::waits_pipe_reader:
    case Verdict::connecting:
    case Verdict::waits_network:
    case Verdict::waits_peer:
    case Verdict::waits_pipe_writer:
    case Verdict::waits_file:
    case Verdict::zombie_parent:
    case Verdict::waits_child:
    case Verdict::polling:
    case Verdict::sleeping:
    case Verdict::spinning: return fmt::format("bgt kill {}", id);
    case Verdict::idle:
    case Verdict::busy: return fmt::format("bgt logs -f {}", id);
    case Verdict::unknown:
    case Verdict::blocked: return fmt::format("bgt show {}", id);
    }
    return {};
}

} // namespace detail

bool is_exact(const std::optional<Duration>& age, const std::optional<Duration>& span)
{
    constexpr Duration little = std::chrono::seconds(2);
    return age && (!span || *span <= std::max(*age, little));
}

namespace {

std::string words_of(const ThreadEvidence& thread)
{
    const std::string on =
        thread.handles.empty() ? std::string() : " " + thread.handles.front().text;
    const std::string more =
        thread.handles.size() > 1 ? fmt::format(" +{}", thread.handles.size() - 1) : "";
    const std::string limit = thread.timeout ? " up to " + format_age(*thread.timeout) : "";
    switch (thread.call) {
    case Call::unknown: return thread.wchan.empty() ? "" : "in " + thread.wchan;
    case Call::running: return thread.state == 'R' ? "runs" : "";
    case Call::sleep: return thread.timeout ? "sleeps " + format_age(*thread.timeout) : "sleeps";
    case Call::wait_child: return thread.call_name + ": a child";
    case Call::poll: return thread.call_name + on + more + limit;
    case Call::futex: return thread.call_name + limit;
    case Call::read:
    case Call::write:
    case Call::receive:
    case Call::send:
    case Call::connect:
    case Call::accept:
    case Call::lock:
    case Call::open:
    case Call::signal:
    case Call::ipc:
    case Call::sync: return thread.call_name + on;
    }
    return {};
}

} // namespace

std::string wait_words(const ProcessEvidence& process)
{
    if (detail::is_zombie(process)) return "ended, not waited for";
    if (detail::is_stopped(process)) return "stopped";
    if (process.threads.empty()) return {};
    std::string words = words_of(process.threads.front());
    std::size_t same = 0;
    for (const auto& thread : process.threads)
        same += thread.call == process.threads.front().call ? 1 : 0;
    if (process.thread_count > 1)
        words += same == process.threads.size()
                     ? fmt::format(" (all {} threads)", process.thread_count)
                     : fmt::format(" (one of {} threads)", process.thread_count);
    return words;
}

std::string_view to_string(Verdict verdict)
{
    switch (verdict) {
    case Verdict::unknown: return "unknown";
    case Verdict::waiting_input: return "waiting-input";
    case Verdict::stopped: return "stopped";
    case Verdict::deadlock: return "deadlock";
    case Verdict::unkillable: return "unkillable";
    case Verdict::waits_lock: return "waits-lock";
    case Verdict::waits_pipe_reader: return "waits-pipe-reader";
    case Verdict::connecting: return "connecting";
    case Verdict::waits_network: return "waits-network";
    case Verdict::waits_peer: return "waits-peer";
    case Verdict::waits_pipe_writer: return "waits-pipe-writer";
    case Verdict::waits_file: return "waits-file";
    case Verdict::zombie_parent: return "zombie-parent";
    case Verdict::waits_child: return "waits-child";
    case Verdict::polling: return "polling";
    case Verdict::sleeping: return "sleeping";
    case Verdict::spinning: return "spinning";
    case Verdict::idle: return "idle";
    case Verdict::busy: return "busy";
    case Verdict::blocked: return "blocked";
    }
    return "unknown";
}

std::string_view to_string(Certainty certainty)
{
    switch (certainty) {
    case Certainty::sure: return "sure";
    case Certainty::likely: return "likely";
    case Certainty::unsure: return "unsure";
    }
    return "unsure";
}

std::string_view to_string(Call call)
{
    switch (call) {
    case Call::unknown: return "unknown";
    case Call::running: return "running";
    case Call::read: return "read";
    case Call::write: return "write";
    case Call::receive: return "receive";
    case Call::send: return "send";
    case Call::connect: return "connect";
    case Call::accept: return "accept";
    case Call::poll: return "poll";
    case Call::futex: return "futex";
    case Call::wait_child: return "wait-child";
    case Call::sleep: return "sleep";
    case Call::lock: return "lock";
    case Call::open: return "open";
    case Call::signal: return "signal";
    case Call::ipc: return "ipc";
    case Call::sync: return "sync";
    }
    return "unknown";
}

std::string_view to_string(HandleKind kind)
{
    switch (kind) {
    case HandleKind::other: return "other";
    case HandleKind::terminal: return "terminal";
    case HandleKind::pipe: return "pipe";
    case HandleKind::fifo: return "fifo";
    case HandleKind::socket: return "socket";
    case HandleKind::file: return "file";
    case HandleKind::device: return "device";
    case HandleKind::master: return "master";
    case HandleKind::event: return "event";
    case HandleKind::timer: return "timer";
    case HandleKind::signals: return "signals";
    case HandleKind::watch: return "watch";
    case HandleKind::process: return "process";
    }
    return "other";
}

} // namespace bgt::core
