#include <bgt/render/report.hpp>

#include "wrap.hpp"
#include <bgt/base/signal_name.hpp>
#include <bgt/base/size.hpp>
#include <bgt/base/text.hpp>
#include <bgt/render/words.hpp>
#include <bgt/store/report.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace bgt::render {

namespace {

using namespace core;
using Lines = std::vector<std::string>;

constexpr std::size_t fewest_lines = 12;
constexpr std::size_t max_indent = 16;
constexpr std::size_t output_wanted = 6; ///< lines that the tree leaves to the output

std::string age_item(std::string_view label, const std::optional<Duration>& age)
{
    return age ? fmt::format("{} {}", label, format_age(*age)) : std::string();
}

std::string joined(const Lines& parts, std::string_view separator)
{
    std::string text;
    for (const auto& part : parts) {
        if (part.empty()) continue;
        if (!text.empty()) text += separator;
        text += part;
    }
    return text;
}

std::string rule_line(const Evidence& evidence)
{
    std::string text = "none passed";
    if (evidence.rule)
        text = std::string(to_string(*evidence.rule)) +
               (evidence.limit ? " " + format_duration(*evidence.limit) : "");
    return fmt::format("limit     {}; {}, {}", text, to_string(evidence.kind),
                       to_string(evidence.activity));
}

/// Where the look before was long ago, nothing is known of the time between but that there was
/// some.
std::string since_look(const Ages& ages)
{
    constexpr Duration now = std::chrono::milliseconds(50);
    std::string none, within;
    Duration looked{}, span{};
    const auto add = [&](std::string_view what, const std::optional<Duration>& age,
                         const std::optional<Duration>& of) {
        if (!age || is_exact(age, of)) return;
        const bool just = *age < now;
        auto& names = just ? within : none;
        names += fmt::format("{}{}", names.empty() ? "" : just ? ", " : " or ", what);
        (just ? span : looked) = std::max(just ? span : looked, just ? *of : *age);
    };
    add("CPU", ages.cpu, ages.cpu_span);
    add("I/O", ages.io, ages.io_span);
    return joined(
        {none.empty() ? none
                      : fmt::format("no {} since the first look {} ago", none, format_age(looked)),
         within.empty() ? within : fmt::format("{} within the last {}", within, format_age(span))},
        ", ");
}

std::string ages_line(const Evidence& evidence)
{
    const Ages& ages = evidence.ages;
    const std::string text =
        joined({age_item("output", ages.byte), age_item("new text", ages.text),
                is_exact(ages.cpu, ages.cpu_span) ? age_item("CPU", ages.cpu) : "",
                is_exact(ages.io, ages.io_span) ? age_item("I/O", ages.io) : "",
                age_item("heartbeat", ages.heartbeat)},
               ", ");
    const std::string line = joined({text.empty() ? text : text + " ago", since_look(ages)}, "; ");
    return line.empty() ? line : "last      " + line;
}

std::string process_line(const ProcessEvidence& process, std::size_t depth)
{
    std::string text(std::min(2 * depth, max_indent) + 2, ' ');
    text += fmt::format("{} {} {} {}", process.pid, process.state, format_age(process.age),
                        fit(process.comm, 20));
    if (process.recent_cpu && *process.recent_cpu > Duration::zero())
        text += fmt::format(", CPU {}", format_age(*process.recent_cpu));
    if (const std::string waits = wait_words(process); !waits.empty()) text += ": " + waits;
    return text;
}

/// Each process under its parent.
std::vector<std::pair<const ProcessEvidence*, std::size_t>> in_tree_order(const Evidence& evidence)
{
    std::set<std::int32_t> known;
    for (const auto& process : evidence.processes) known.insert(process.pid);
    std::multimap<std::int32_t, const ProcessEvidence*> children;
    std::vector<std::pair<const ProcessEvidence*, std::size_t>> todo, order;
    for (auto it = evidence.processes.rbegin(); it != evidence.processes.rend(); ++it) {
        if (it->ppid != it->pid && known.contains(it->ppid)) children.emplace(it->ppid, &*it);
        else todo.emplace_back(&*it, 0);
    }
    while (!todo.empty()) {
        const auto [process, depth] = todo.back();
        todo.pop_back();
        order.emplace_back(process, depth);
        const auto [begin, end] = children.equal_range(process->pid);
        for (auto it = begin; it != end; ++it) todo.emplace_back(it->second, depth + 1);
        children.erase(begin, end); // so that a damaged report can't make a circle
    }
    return order;
}

/// At most `most` lines; the culprit is among them.
Lines tree_lines(const Report& report, std::size_t most)
{
    Lines lines;
    const auto order = in_tree_order(report.evidence);
    std::size_t left_out =
        report.evidence.more_processes + (report.evidence.processes.size() - order.size());
    const bool all = order.size() + (left_out != 0 ? 1 : 0) <= most;
    const std::size_t room = all ? order.size() : most - std::min<std::size_t>(most, 1);
    const auto is_culprit = [&](const auto& row) { return row.first->pid == report.diagnosis.pid; };
    const auto culprit = std::find_if(order.begin(), order.end(), is_culprit);
    const bool hidden =
        culprit != order.end() && static_cast<std::size_t>(culprit - order.begin()) >= room;
    for (std::size_t i = 0; i < order.size(); ++i) {
        const bool shown = hidden && room > 0 ? i + 1 < room || is_culprit(order[i]) : i < room;
        if (shown) lines.push_back(process_line(*order[i].first, order[i].second));
        else ++left_out;
    }
    if (left_out != 0 && most > 0) lines.push_back(fmt::format("  and {} more", left_out));
    return lines;
}

/// Whether a thread waits at this socket or pipe.
bool is_waited_for(const Evidence& evidence, std::uint64_t inode)
{
    for (const auto& process : evidence.processes)
        for (const auto& thread : process.threads)
            for (const auto& handle : thread.handles)
                if (handle.inode == inode) return true;
    return false;
}

std::string socket_line(const SocketEvidence& socket)
{
    std::string text =
        fmt::format("  {}/{} {} {}", socket.pid, socket.fd, socket.kind, socket.local);
    if (!socket.peer.empty()) text += " -> " + socket.peer;
    if (!socket.state.empty()) text += " " + socket.state;
    if (socket.peer_pid > 0)
        text += fmt::format(", peer {} (pid {})", socket.peer_comm, socket.peer_pid);
    if (socket.receive_queue != 0 && socket.state != "LISTEN")
        text += fmt::format(", {} unread", format_size(socket.receive_queue));
    if (socket.send_queue != 0 && socket.state != "LISTEN")
        text += fmt::format(", {} unsent", format_size(socket.send_queue));
    if (socket.received_ago)
        text += fmt::format(", received {} ago", format_age(*socket.received_ago));
    return text;
}

std::string ends_words(const std::vector<PipeEnd>& ends)
{
    if (ends.empty()) return "nobody";
    Lines names;
    for (const auto& end : ends) names.push_back(fmt::format("{} (pid {})", end.comm, end.pid));
    return joined(names, ", ");
}

/// Sockets, locks and pipes that somebody waits for.
Lines wait_lines(const Evidence& evidence)
{
    constexpr std::size_t max_of_each = 4;
    Lines sockets, locks, pipes;
    for (const auto& socket : evidence.sockets)
        if (is_waited_for(evidence, socket.inode) && sockets.size() < max_of_each)
            sockets.push_back(socket_line(socket));
    for (const auto& lock : evidence.locks)
        if (locks.size() < max_of_each)
            locks.push_back(fmt::format(
                "  {} {} {} {}, held by {}", lock.waiter, lock.polled ? "has open" : "waits for",
                lock.kind, lock.path,
                lock.holder > 0 ? fmt::format("{} ({})", lock.holder, lock.holder_command)
                                : "nobody that shows"));
    for (const auto& pipe : evidence.pipes)
        if (pipes.size() < max_of_each)
            pipes.push_back(fmt::format("  {}: written by {}; read by {}", pipe.text,
                                        ends_words(pipe.writers),
                                        pipe.task_output ? "bgt" : ends_words(pipe.readers)));
    Lines lines;
    const auto add = [&](std::string_view title, const Lines& more) {
        if (more.empty()) return;
        lines.emplace_back(title);
        lines.insert(lines.end(), more.begin(), more.end());
    };
    add("sockets", sockets);
    add("locks", locks);
    add("pipes", pipes);
    return lines;
}

std::string size_item(std::string_view label, const std::optional<std::uint64_t>& bytes)
{
    return bytes ? fmt::format("{} {}", label, format_size(*bytes)) : std::string();
}

std::string machine_line(const MachineEvidence& machine)
{
    const std::string load =
        machine.load ? fmt::format("load {:.2f} on {} cores", *machine.load, machine.cores)
                     : std::string();
    const std::string text = joined({load, size_item("free memory", machine.memory_free),
                                     size_item("disk", machine.disk_free),
                                     size_item("state disk", machine.state_disk_free)},
                                    ", ");
    return text.empty() ? text : "machine   " + text;
}

/// The chain that leads to the one that is stuck, and what keeps that from being sure.
Lines because_lines(const Diagnosis& diagnosis, std::size_t width)
{
    constexpr std::size_t indent = 10;
    Lines lines;
    const auto waits_for_child = [](const std::string& step) {
        return step.ends_with(": a child");
    };
    const auto& chain = diagnosis.chain;
    // That parents wait for their children shows in the tree.
    if (!chain.empty() && !std::all_of(chain.begin(), chain.end() - 1, waits_for_child))
        lines = wrapped("because   " + joined(chain, " -> "), width, indent);
    if (diagnosis.doubt.empty()) return lines;
    const std::string text =
        fmt::format("certainty {}: {}", to_string(diagnosis.certainty), diagnosis.doubt);
    for (auto& line : wrapped(text, width, indent)) lines.push_back(std::move(line));
    return lines;
}

Lines head_lines(const Report& report, std::size_t width)
{
    const Diagnosis& diagnosis = report.diagnosis;
    Lines lines = wrapped(diagnosis.sentence, width, 2);
    const std::string hint = diagnosis.hint.empty() ? "" : "   (" + diagnosis.hint + ")";
    for (auto& line : wrapped("next: " + diagnosis.next + hint, width, 6))
        lines.push_back(std::move(line));
    for (auto& line : because_lines(diagnosis, width)) lines.push_back(std::move(line));
    for (const auto& dump : report.evidence.dumps)
        if (dump.signal != 0)
            lines.push_back(fmt::format("stack dump of {} (pid {}) is in the log ({}, {})",
                                        dump.comm, dump.pid, dump.runtime,
                                        signal_name(dump.signal)));
    for (const auto& line : {rule_line(report.evidence), ages_line(report.evidence)})
        if (!line.empty()) lines.push_back(line);
    for (const std::string& condition : report.evidence.not_ready)
        for (auto& line : wrapped("not ready " + condition, width, 10))
            lines.push_back(std::move(line));
    if (!report.evidence.complete) {
        const std::string missing = joined(report.evidence.unseen, ", ");
        lines.push_back("          not all of this could be gathered in time" +
                        (missing.empty() ? "" : ": without " + missing));
    }
    return lines;
}

Lines output_lines(const Evidence& evidence, std::size_t most)
{
    Lines lines;
    const auto& output = evidence.output;
    if (output.empty() || most < 2) return lines;
    lines.emplace_back("output");
    const std::size_t count = std::min(output.size(), most - 1);
    for (std::size_t i = output.size() - count; i < output.size(); ++i)
        lines.push_back("  " + output[i]);
    return lines;
}

void append(Lines& lines, const Lines& more)
{
    lines.insert(lines.end(), more.begin(), more.end());
}

} // namespace

std::string report_text(const Report& report, const ReportStyle& style)
{
    const std::size_t rows = std::max(style.lines, fewest_lines),
                      width = std::max<std::size_t>(style.width, 20);
    Lines lines = head_lines(report, width);
    const std::size_t sentence_lines = wrapped(report.diagnosis.sentence, width, 2).size();
    const auto left = [&] { return rows - std::min(rows, lines.size()); };
    Lines waits = wait_lines(report.evidence);
    const std::string machine = machine_line(report.evidence.machine);
    const std::size_t for_output = std::min(output_wanted, report.evidence.output.size() + 1);
    const std::size_t others = for_output + waits.size() + 2;
    if (left() > 1 && !report.evidence.processes.empty()) {
        lines.emplace_back("processes");
        append(lines,
               tree_lines(report, std::max<std::size_t>(left() > others ? left() - others : 1,
                                                        std::min<std::size_t>(left(), 4))));
    }
    waits.resize(std::min(waits.size(), left()));
    append(lines, waits);
    if (!machine.empty() && left() > 0) lines.push_back(machine);
    append(lines, output_lines(report.evidence, left()));
    std::string text;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const std::string line = fit(printable(lines[i]), width);
        text += (style.color && i < sentence_lines ? colored(line, Tone::busy) : line) + "\n";
    }
    return text;
}

std::string report_json(const Report& report)
{
    return store::encode_report(report) + "\n";
}

} // namespace bgt::render
