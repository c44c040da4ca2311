// What a thread waits for at a descriptor: a pipe, a socket, a lock, a terminal, or several at
// once.
#include "diagnosis.hpp"

#include <bgt/base/size.hpp>
#include <bgt/base/text.hpp>

#include <algorithm>
#include <fmt/format.h>

namespace bgt::core::detail {

namespace {

std::vector<PipeEnd> without(const std::vector<PipeEnd>& ends, std::int32_t pid)
{
    std::vector<PipeEnd> others;
    std::copy_if(ends.begin(), ends.end(), std::back_inserter(others),
                 [&](const PipeEnd& end) { return end.pid != pid; });
    return others;
}

std::string end_name(const PipeEnd& end)
{
    return fmt::format("{} (pid {})", end.comm, end.pid);
}

std::vector<std::int32_t> inside_of(const std::vector<PipeEnd>& ends)
{
    std::vector<std::int32_t> pids;
    for (const auto& end : ends)
        if (end.inside) pids.push_back(end.pid);
    return pids;
}

/// Whether the process is about to read this pipe, or does something else after which it might.
bool may_read(const ProcessEvidence& process, const Handle& written)
{
    const auto is_it = [&](const Handle& handle) {
        if (written.kind == HandleKind::terminal)
            return handle.kind == HandleKind::master && handle.number == written.number;
        return handle.inode == written.inode;
    };
    return std::any_of(
        process.threads.begin(), process.threads.end(), [&](const ThreadEvidence& thread) {
            switch (thread.call) {
            case Call::read:
            case Call::receive:
            case Call::poll:
                return std::any_of(thread.handles.begin(), thread.handles.end(), is_it);
            case Call::running:
            case Call::unknown:
            case Call::write: return true; // works, or waits in a circle: that shows elsewhere
            case Call::send:
            case Call::connect:
            case Call::accept:
            case Call::futex:
            case Call::wait_child:
            case Call::sleep:
            case Call::lock:
            case Call::open:
            case Call::signal:
            case Call::ipc:
            case Call::sync: return false;
            }
            return false;
        });
}

constexpr const char* not_all_seen = "not all processes could be looked at in time";

/// Whether the CPU of the one that is named was looked at: only that of the tree is.
bool is_measured(const std::vector<PipeEnd>& ends)
{
    return ends.empty() || ends.front().inside;
}

Finding find_reader(const Facts& facts, const ProcessEvidence& process, const Handle& handle,
                    const PipeEvidence& pipe)
{
    Finding finding{Verdict::waits_pipe_reader, {}, {}, process.pid, {}};
    const auto readers = without(pipe.readers, process.pid);
    for (const std::int32_t pid : inside_of(readers)) {
        const auto* reader = facts.process(pid);
        if (reader && may_read(*reader, handle)) finding.waits_for.push_back(pid);
    }
    const bool is_terminal = handle.kind == HandleKind::terminal;
    const std::string what = handle.fd >= 0
                                 ? fmt::format("its descriptor {} ({})", handle.fd, handle.text)
                                 : handle.text;
    std::string why = "and nobody else has it open";
    if (pipe.task_output) why = "the task's own output, which its supervisor does not take";
    else if (!readers.empty()) {
        const auto* reader = facts.process(readers.front().pid);
        const std::string instead = reader ? wait_words(*reader) : std::string();
        why = fmt::format("which {} does not read{}", end_name(readers.front()),
                          instead.empty() ? "" : ": " + instead);
    }
    if (readers.empty() && !pipe.task_output && !pipe.all_seen) {
        why = "and who has it open for reading is not known";
        finding.doubt = not_all_seen;
    } else if (handle.fd < 0 && readers.empty() && !pipe.task_output) {
        finding.sentence = fmt::format(
            "waits for a reader: {} opens {} to write into it; nobody has opened it for reading{}",
            name_of(process), what, without_cpu(facts.evidence()));
        return finding;
    }
    finding.sentence = fmt::format(
        "waits for a reader: {} writes into {}, {}{}", name_of(process),
        handle.fd >= 0 ? (is_terminal ? "a full terminal, " : "a full pipe, ") + what : what, why,
        is_measured(readers) ? without_cpu(facts.evidence()) : "");
    return finding;
}

/// What speaks for it that this process gives something to others all the same; empty: nothing.
std::string writes_words(const Facts& facts, std::int32_t pid)
{
    const auto* process = facts.process(pid);
    if (!process || process->recent_written.value_or(0) == 0) return {};
    return fmt::format("has written {} since the look before",
                       format_size(*process->recent_written));
}

Finding find_writer(const Facts& facts, const ProcessEvidence& process,
                    const ThreadEvidence& thread, const Handle& handle, const PipeEvidence& pipe)
{
    // To wait at a pipe that it alone can write into is to be at rest: another thread or a signal
    // handler will.
    if (wakes_itself(facts, process, handle) &&
        (thread.call == Call::poll || process.thread_count > 1)) {
        Finding rest{Verdict::blocked,
                     fmt::format("blocked: {} reads its own pipe, which only it can wake{}",
                                 name_of(process), without_cpu(facts.evidence())),
                     {},
                     process.pid,
                     {}};
        rest.at_rest = true;
        return rest;
    }
    Finding finding{Verdict::waits_pipe_writer, {}, {}, process.pid, {}};
    const auto writers = without(pipe.writers, process.pid);
    finding.waits_for = inside_of(writers);
    std::string why = "nobody has opened it for writing";
    if (!writers.empty()) {
        const std::string writes = writes_words(facts, writers.front().pid);
        why = fmt::format("{} {}", end_name(writers.front()),
                          writes.empty() ? "has it open and writes nothing" : writes);
        if (!writes.empty()) finding.doubt = "something was written since the look before";
    } else if (!pipe.all_seen) {
        why = pipe.writers.empty() ? "who has it open for writing is not known"
                                   : "who has it open for writing, but it itself, is not known";
        finding.doubt = not_all_seen;
    } else if (!pipe.writers.empty()) {
        why = "it alone has it open for writing, so its end can't come";
    }
    const std::string what = handle.kind == HandleKind::master ? pipe.text : handle.text;
    finding.sentence = fmt::format("waits for a writer: {} {} {}; {}{}", name_of(process),
                                   handle.fd < 0 ? "opens" : "reads", what, why,
                                   is_measured(writers) ? without_cpu(facts.evidence()) : "");
    return finding;
}

std::string since(const SocketEvidence& socket, const Evidence& evidence)
{
    if (socket.received_ago)
        return fmt::format(", nothing received for {}", format_age(*socket.received_ago));
    return without_cpu(evidence);
}

std::string peer_of(const SocketEvidence& socket)
{
    const std::string place = socket.peer.empty() ? socket.local : socket.peer;
    if (socket.kind == "udp" && place.ends_with(":53")) return place + " (DNS)";
    return place.empty() ? "an unconnected " + socket.kind + " socket" : place;
}

/// Data came so lately that it waits for the next piece. Of a limit that has passed no more than
/// half counts.
bool receives_now(const Evidence& evidence, const SocketEvidence& socket)
{
    constexpr Duration lately = std::chrono::seconds(2);
    const Duration longest =
        evidence.rule && evidence.limit ? std::min<Duration>(lately, *evidence.limit / 2) : lately;
    return socket.received != 0 && socket.received_ago && *socket.received_ago <= longest;
}

bool is_local_kind(const SocketEvidence& socket)
{
    return socket.kind == "unix";
}

/// "postgres (pid 9, postgres: app app [local] UPDATE waiting)": what it calls itself may tell what
/// it does.
std::string peer_name(const SocketEvidence& socket)
{
    constexpr std::size_t title_columns = 60;
    const bool has_title = !socket.peer_command.empty() && socket.peer_command != socket.peer_comm;
    return fmt::format("{} (pid {}{})", socket.peer_comm, socket.peer_pid,
                       has_title ? ", " + fit(socket.peer_command, title_columns) : "");
}

/// Only of a peer that was measured.
std::string peer_cpu(const SocketEvidence& socket)
{
    constexpr double noise = 0.02;
    if (!socket.peer_share) return {};
    if (*socket.peer_share < noise) return " and uses no CPU";
    return fmt::format(" and uses {:.0f} % of a core", *socket.peer_share * 100);
}

Finding find_peer(const Facts& facts, const ProcessEvidence& process, const ThreadEvidence& thread,
                  const SocketEvidence& socket)
{
    if (socket.peer_pid == process.pid) {
        Finding rest{
            Verdict::blocked,
            fmt::format("blocked: {} waits in {} at its own pair of sockets, which only it "
                        "can wake{}",
                        name_of(process), thread.call_name, without_cpu(facts.evidence())),
            {},
            process.pid,
            {}};
        rest.at_rest = true;
        return rest;
    }
    Finding finding{Verdict::waits_peer, {}, {}, process.pid, {}};
    if (facts.process(socket.peer_pid) && socket.peer_pid != process.pid)
        finding.waits_for = {socket.peer_pid};
    const std::string writes = writes_words(facts, socket.peer_pid);
    if (!writes.empty()) finding.doubt = "something was written since the look before";
    const std::string other = socket.peer_pid > 0 ? peer_name(socket) : "its peer";
    const std::string place = socket.peer.empty() ? socket.local : socket.peer;
    if (socket.peer_pid == 0 && socket.peer_unseen) {
        finding.sentence = fmt::format(
            "waits for another process: {}, {} on {}, and who has its other end is not known",
            name_of(process), thread.call_name, place.empty() ? "a socket" : place);
        finding.doubt = not_all_seen;
        return finding;
    }
    finding.sentence =
        fmt::format("waits for another process: {}, {} on {}, and {} {}{}", name_of(process),
                    thread.call_name, place.empty() ? "a socket" : place, other,
                    writes.empty() ? "says nothing" : writes, peer_cpu(socket));
    return finding;
}

Finding find_server(const Facts& facts, const ProcessEvidence& process, const Handle& handle)
{
    std::string place = listening_on(facts.evidence());
    if (place.empty()) place = handle.text;
    return {Verdict::idle,
            fmt::format("idle: {} waits for connections on {}", name_of(process), place),
            {},
            process.pid,
            {}};
}

} // namespace

Facts::Facts(const Evidence& evidence) : evidence_(evidence)
{
    for (const auto& process : evidence.processes) {
        processes_.emplace(process.pid, &process);
        if (process.ppid != process.pid) children_[process.ppid].push_back(&process);
    }
    for (const auto& pipe : evidence.pipes) {
        if (pipe.terminal >= 0) terminals_.emplace(pipe.terminal, &pipe);
        else pipes_.emplace(pipe.inode, &pipe);
    }
    for (const auto& socket : evidence.sockets) sockets_.emplace(socket.inode, &socket);
}

const ProcessEvidence* Facts::process(std::int32_t pid) const
{
    const auto found = processes_.find(pid);
    return found == processes_.end() ? nullptr : found->second;
}

std::vector<const ProcessEvidence*> Facts::living_children(const ProcessEvidence& process) const
{
    const auto found = children_.find(process.pid);
    std::vector<const ProcessEvidence*> living;
    if (found != children_.end())
        std::copy_if(found->second.begin(), found->second.end(), std::back_inserter(living),
                     [](const auto* child) { return !is_zombie(*child); });
    return living;
}

std::vector<const ProcessEvidence*> Facts::zombies_of(const ProcessEvidence& process) const
{
    const auto found = children_.find(process.pid);
    std::vector<const ProcessEvidence*> zombies;
    if (found != children_.end())
        std::copy_if(found->second.begin(), found->second.end(), std::back_inserter(zombies),
                     [](const auto* child) { return is_zombie(*child); });
    return zombies;
}

const PipeEvidence* Facts::pipe(const Handle& handle) const
{
    const auto found = pipes_.find(handle.inode);
    return found == pipes_.end() ? nullptr : found->second;
}

const PipeEvidence* Facts::terminal(const Handle& handle) const
{
    const auto found = handle.number >= 0 ? terminals_.find(handle.number) : terminals_.end();
    return found == terminals_.end() ? nullptr : found->second;
}

const SocketEvidence* Facts::socket(const Handle& handle) const
{
    const auto found = sockets_.find(handle.inode);
    return found == sockets_.end() ? nullptr : found->second;
}

const LockEvidence* Facts::lock_of(std::int32_t waiter) const
{
    const auto& locks = evidence_.locks;
    const auto found = std::find_if(locks.begin(), locks.end(),
                                    [&](const auto& lock) { return lock.waiter == waiter; });
    return found == locks.end() ? nullptr : &*found;
}

Finding find_pipe(const Facts& facts, const ProcessEvidence& process, const ThreadEvidence& thread,
                  const Handle& handle)
{
    const bool is_terminal =
        handle.kind == HandleKind::master || handle.kind == HandleKind::terminal;
    const PipeEvidence* known = is_terminal ? facts.terminal(handle) : facts.pipe(handle);
    const bool writes = thread.call == Call::write || thread.call == Call::send ||
                        (thread.call == Call::open && thread.writes_wanted);
    if (known)
        return writes ? find_reader(facts, process, handle, *known)
                      : find_writer(facts, process, thread, handle, *known);
    Finding finding{
        writes ? Verdict::waits_pipe_reader : Verdict::waits_pipe_writer, {}, {}, process.pid, {}};
    finding.sentence =
        fmt::format("waits for a {}: {} is in {} on {}, and who has its other end is not known{}",
                    writes ? "reader" : "writer", name_of(process), thread.call_name, handle.text,
                    without_cpu(facts.evidence()));
    finding.doubt = not_all_seen;
    return finding;
}

Finding find_socket(const Facts& facts, const ProcessEvidence& process,
                    const ThreadEvidence& thread, const Handle& handle)
{
    const SocketEvidence* socket = facts.socket(handle);
    if (thread.call == Call::accept ||
        (socket && socket->state == "LISTEN" && thread.call != Call::connect))
        return find_server(facts, process, handle);
    const SocketEvidence none{0, -1, 0, "?", {}, handle.text, {}, 0, 0, {}, 0, {}};
    const SocketEvidence& known = socket ? *socket : none;
    if (is_local_kind(known)) return find_peer(facts, process, thread, known);
    if (thread.call == Call::connect || known.state == "SYN-SENT")
        return {Verdict::connecting,
                fmt::format("connects: {} to {}, which does not answer{}", name_of(process),
                            peer_of(known), without_cpu(facts.evidence())),
                {},
                process.pid,
                {}};
    const bool sends = thread.call == Call::write || thread.call == Call::send;
    if (!sends && receives_now(facts.evidence(), known))
        return {Verdict::busy,
                fmt::format("busy: {} receives from {}, {} so far, the last {} ago",
                            name_of(process), peer_of(known), format_size(known.received),
                            format_age(*known.received_ago)),
                {},
                process.pid,
                {}};
    Finding finding{Verdict::waits_network, {}, {}, process.pid, {}};
    finding.sentence = fmt::format(
        "waits for the network: {}, {} on {}{}", name_of(process), thread.call_name, peer_of(known),
        sends ? fmt::format(", which does not take {}",
                            known.send_queue != 0 ? fmt::format("{} bytes", known.send_queue)
                                                  : std::string("what is sent"))
              : since(known, facts.evidence()));
    if (!socket) finding.doubt = "what kind of socket it is could not be seen in time";
    if (known.receive_queue != 0 && !sends)
        finding.hint = fmt::format("{} bytes have come and are not read", known.receive_queue);
    return finding;
}

bool wakes_itself(const Facts& facts, const ProcessEvidence& process, const Handle& handle)
{
    switch (handle.kind) {
    case HandleKind::event:
    case HandleKind::timer:
    case HandleKind::signals: return true;
    case HandleKind::pipe:
    case HandleKind::fifo: {
        const auto* pipe = handle.task_stdin ? nullptr : facts.pipe(handle);
        return pipe && !pipe->writers.empty() && without(pipe->writers, process.pid).empty();
    }
    case HandleKind::socket: {
        const auto* socket = facts.socket(handle);
        return socket && socket->kind == "unix" && socket->peer_pid == process.pid;
    }
    case HandleKind::other:
    case HandleKind::terminal:
    case HandleKind::file:
    case HandleKind::device:
    case HandleKind::master:
    case HandleKind::watch:
    case HandleKind::process: return false;
    }
    return false;
}

Finding find_lock(const Facts& facts, const ProcessEvidence& process, const ThreadEvidence& thread)
{
    const Evidence& evidence = facts.evidence();
    Finding finding{Verdict::waits_lock, {}, {}, process.pid, {}};
    const LockEvidence* lock = facts.lock_of(process.pid);
    std::string path = lock ? lock->path : std::string();
    if (path.empty() && !thread.handles.empty()) path = thread.handles.front().text;
    const std::string on = path.empty() ? "" : " on " + path;
    if (!lock || lock->holder <= 0) {
        finding.sentence = fmt::format("waits for a lock: {}, {}{}, held by an unknown process{}",
                                       name_of(process), lock ? lock->kind : thread.call_name, on,
                                       without_cpu(evidence));
        return finding;
    }
    const std::string holder = fit(lock->holder_command, 60);
    finding.sentence =
        fmt::format("waits for a lock: {}, {} held by pid {} ({}){}{}", name_of(process),
                    lock->kind, lock->holder, holder, on, without_cpu(evidence));
    if (facts.process(lock->holder) && lock->holder != process.pid)
        finding.waits_for = {lock->holder};
    finding.hint = fmt::format("or end pid {}, which holds it", lock->holder);
    return finding;
}

} // namespace bgt::core::detail
