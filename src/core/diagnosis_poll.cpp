// What an event loop waits for: several descriptors at once, some of which only it can make ready.
#include "diagnosis.hpp"

#include <bgt/base/text.hpp>

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <set>
#include <utility>

namespace bgt::core::detail {

namespace {

bool is_input(const Handle& handle)
{
    return handle.task_stdin || handle.kind == HandleKind::terminal;
}

bool has_kind(const std::vector<const Handle*>& handles, HandleKind kind)
{
    return std::any_of(handles.begin(), handles.end(),
                       [&](const Handle* handle) { return handle->kind == kind; });
}

/// Programs that hand each key on to somewhere else: that they want keys does not say that a
/// question was asked.
bool passes_keys_on(const ProcessEvidence& process)
{
    constexpr std::array<std::string_view, 8> names{"docker", "kubectl", "mosh-client", "podman",
                                                    "screen", "ssh",     "telnet",      "tmux"};
    return std::any_of(names.begin(), names.end(),
                       [&](std::string_view name) { return process.comm.starts_with(name); });
}

/// "its own event counter and its own pipe": what its threads wait at that only it can make ready.
std::string own_words(const Facts& facts, const ProcessEvidence& process)
{
    std::set<std::string_view> kinds;
    for (const auto& thread : process.threads)
        for (const auto& handle : thread.handles) {
            if (!wakes_itself(facts, process, handle)) continue;
            if (handle.kind == HandleKind::event) kinds.insert("event counter");
            if (handle.kind == HandleKind::pipe || handle.kind == HandleKind::fifo)
                kinds.insert("pipe");
            if (handle.kind == HandleKind::socket) kinds.insert("pair of sockets");
            if (handle.kind == HandleKind::signals) kinds.insert("signal descriptor");
        }
    std::string words;
    for (const std::string_view kind : kinds)
        words += fmt::format("{}its own {}", words.empty() ? "" : " and ", kind);
    return words;
}

/// What it is called where a program waits for whatever comes: its event loop, which poll and
/// select alone are not.
std::string place_words(const Facts& facts, const ProcessEvidence& process,
                        const ThreadEvidence& thread)
{
    const std::string own = own_words(facts, process);
    const bool is_loop =
        thread.call_name.starts_with("epoll") || thread.call_name.starts_with("io_uring");
    if (is_loop || own.empty()) return "its event loop, which only it can wake";
    return fmt::format("{} at {}, which only it can wake", thread.call_name, own);
}

/// Nothing but itself can wake it.
Finding find_alone(const Facts& facts, const ProcessEvidence& process, const ThreadEvidence& thread)
{
    const Evidence& evidence = facts.evidence();
    Finding finding{Verdict::blocked, {}, {}, process.pid, {}};
    if (const auto children = facts.living_children(process); !children.empty()) {
        finding.verdict = Verdict::waits_child;
        finding.waits_for = pids_of(children);
        finding.sentence = fmt::format("waits for a child: {} is in its event loop, in {}",
                                       name_of(process), thread.call_name);
        return finding;
    }
    if (thread.timeout && *thread.timeout > Duration::zero())
        return find_sleep(facts, process, thread);
    finding.at_rest = !thread.handles.empty();
    finding.sentence = fmt::format("blocked: {} waits in {}{}", name_of(process),
                                   finding.at_rest ? place_words(facts, process, thread)
                                                   : thread.call_name + " for events",
                                   without_cpu(evidence));
    const auto is_timer = [](const Handle& handle) { return handle.kind == HandleKind::timer; };
    if (std::any_of(thread.handles.begin(), thread.handles.end(), is_timer)) {
        finding.verdict = Verdict::sleeping;
        finding.sentence = fmt::format("sleeping: {} waits for its timer{}", name_of(process),
                                       without_cpu(evidence));
    }
    if (finding.at_rest) finding.doubt = "nothing outside of it is waited for";
    return finding;
}

/// Whether a loop that has an eye on a terminal, or on its stdin, waits for somebody to type. They
/// do so all their life; that nothing else is waited for tells, or a prompt, or that each key is
/// wanted at once.
bool asks(const Facts& facts, const ProcessEvidence& process,
          const std::vector<const Handle*>& waits, const Handle& input)
{
    if (has_kind(waits, HandleKind::master))
        return false; // it hands on what is typed to the programs in that terminal
    if (facts.evidence().unfinished_line) return true;
    if (input.raw) {
        const bool serves = std::any_of(waits.begin(), waits.end(), [&](const Handle* handle) {
            const auto* socket = facts.socket(*handle);
            return handle->kind == HandleKind::socket && socket && socket->state == "LISTEN";
        });
        return !serves && !has_kind(waits, HandleKind::watch) && !passes_keys_on(process);
    }
    return waits.size() == 1 && facts.living_children(process).empty();
}

Finding find_watch(const Facts& facts, const ProcessEvidence& process, const Handle& handle)
{
    const std::string what = handle.text.empty() ? "files" : handle.text;
    return {Verdict::waits_file,
            fmt::format("waits for a change of a file: {} watches {}{}", name_of(process), what,
                        without_cpu(facts.evidence())),
            {},
            process.pid,
            {}};
}

Finding find_handle(const Facts& facts, const ProcessEvidence& process,
                    const ThreadEvidence& thread, const Handle& handle)
{
    switch (handle.kind) {
    case HandleKind::socket: return find_socket(facts, process, thread, handle);
    case HandleKind::pipe:
    case HandleKind::fifo:
    case HandleKind::master: return find_pipe(facts, process, thread, handle);
    case HandleKind::watch: return find_watch(facts, process, handle);
    case HandleKind::process: {
        Finding finding{Verdict::waits_child, {}, {}, process.pid, {}};
        if (facts.process(handle.number)) finding.waits_for = {handle.number};
        finding.sentence = fmt::format("waits for a process: {} waits for the end of pid {}",
                                       name_of(process), handle.number);
        return finding;
    }
    case HandleKind::other:
    case HandleKind::terminal:
    case HandleKind::file:
    case HandleKind::device:
    case HandleKind::event:
    case HandleKind::timer:
    case HandleKind::signals: break;
    }
    return {Verdict::unknown, {}, {}, process.pid, {}};
}

/// What counts only where nothing else is waited for: pipes and sockets to other processes are
/// there in every runtime.
bool is_plumbing(Verdict verdict)
{
    return verdict == Verdict::waits_peer || verdict == Verdict::waits_pipe_writer ||
           verdict == Verdict::waits_pipe_reader || verdict == Verdict::waits_child;
}

} // namespace

Finding find_poll(const Facts& facts, const ProcessEvidence& process, const ThreadEvidence& thread)
{
    const Evidence& evidence = facts.evidence();
    std::vector<const Handle*> waits; // for what others do
    for (const auto& handle : thread.handles)
        if (!wakes_itself(facts, process, handle)) waits.push_back(&handle);
    if (waits.empty()) return find_alone(facts, process, thread);
    Finding best{Verdict::blocked, {}, {}, process.pid, {}};
    best.sentence = fmt::format("blocked: {} waits in {} for events{}", name_of(process),
                                thread.call_name, without_cpu(evidence));
    Finding plumbing{Verdict::unknown, {}, {}, process.pid, {}};
    std::vector<std::int32_t> others;
    const bool only = waits.size() == 1;
    bool serves = false;
    for (const Handle* handle : waits) {
        Finding finding = find_handle(facts, process, thread, *handle);
        if (is_input(*handle) && asks(facts, process, waits, *handle))
            finding = find_input(facts, process, thread, *handle);
        else if (is_input(*handle)) continue;
        serves = serves || finding.verdict == Verdict::idle;
        others.insert(others.end(), finding.waits_for.begin(), finding.waits_for.end());
        if (!only && is_plumbing(finding.verdict)) {
            if (!finding.waits_for.empty() && plumbing.sentence.empty())
                plumbing = std::move(finding);
            continue;
        }
        if (finding.verdict != Verdict::unknown && says_more(finding.verdict, best.verdict))
            best = std::move(finding);
    }
    // A server with clients waits for work, and not for one of them.
    if (serves && best.verdict == Verdict::waits_network)
        best = {Verdict::idle,
                fmt::format("idle: {} waits for connections on {}", name_of(process),
                            listening_on(evidence)),
                {},
                process.pid,
                {}};
    if (best.verdict == Verdict::blocked && !plumbing.sentence.empty()) {
        best = std::move(plumbing);
        best.waits_for = std::move(others);
    } else if (best.waits_for.empty()) {
        best.may_wait_for = std::move(others);
    }
    // A loop over descriptors that has ended its wait by itself again and again, and whose
    // descriptors say nothing.
    if (best.verdict == Verdict::blocked && thread.timeout && *thread.timeout > Duration::zero())
        best = find_sleep(facts, process, thread);
    if (!only && best.doubt.empty() && best.verdict != Verdict::idle)
        best.doubt = "it waits for several things at once";
    return best;
}

Finding find_input(const Facts& facts, const ProcessEvidence& process, const ThreadEvidence&,
                   const Handle& handle)
{
    const Evidence& evidence = facts.evidence();
    Finding finding{Verdict::waiting_input, {}, {}, process.pid, {}};
    const std::string what = handle.kind == HandleKind::terminal ? "its terminal" : "its stdin";
    finding.sentence = fmt::format("waiting for input: {} reads {}{}", name_of(process), what,
                                   last_text(evidence));
    if (!evidence.takes_input)
        finding.hint =
            "and start it again with an option that answers (--yes), or with --stdin pipe";
    return finding;
}

} // namespace bgt::core::detail
