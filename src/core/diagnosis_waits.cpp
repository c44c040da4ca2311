// What a thread waits for at a descriptor: a pipe, a socket, a lock, a terminal, or several at once.
#include "diagnosis.hpp"

#include <bgt/base/text.hpp>

#include <algorithm>
#include <fmt/format.h>

namespace bgt::core::detail {

namespace {

std::vector<PipeEnd> without(const std::vector<PipeEnd>& ends, std::int32_t pid)
{
    std::vector<PipeEnd> others;
    std::copy_if(ends.begin(), ends.end(), std::back_inserter(others), [&](const PipeEnd& end) { return end.pid != pid; });
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
bool may_read(const ProcessEvidence& process, std::uint64_t inode)
{
    return std::any_of(process.threads.begin(), process.threads.end(), [&](const ThreadEvidence& thread) {
        switch (thread.call) {
        case Call::read:
        case Call::receive:
        case Call::poll:
            return std::any_of(thread.handles.begin(), thread.handles.end(), [&](const Handle& h) { return h.inode == inode; });
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

Finding find_reader(const Facts& facts, const ProcessEvidence& process, const Handle& handle, const PipeEvidence& pipe)
{
    Finding finding{Verdict::waits_pipe_reader, {}, {}, process.pid, {}};
    const auto readers = without(pipe.readers, process.pid);
    for (const std::int32_t pid : inside_of(readers)) {
        const auto* reader = facts.process(pid);
        if (reader && may_read(*reader, handle.inode)) finding.waits_for.push_back(pid);
    }
    const std::string what = handle.fd >= 0 ? fmt::format("its descriptor {} ({})", handle.fd, handle.text) : handle.text;
    std::string why = "and nobody else has it open";
    if (pipe.task_output) why = "the task's own output, which its supervisor does not take";
    else if (!readers.empty()) {
        const auto* reader = facts.process(readers.front().pid);
        const std::string instead = reader ? wait_words(*reader) : std::string();
        why = fmt::format("which {} does not read{}", end_name(readers.front()), instead.empty() ? "" : ": " + instead);
    }
    finding.sentence = fmt::format("waits for a reader: {} writes into {}, {}{}", name_of(process),
                                   handle.fd >= 0 ? "a full pipe, " + what : what, why, without_cpu(facts.evidence()));
    return finding;
}

/// A pipe that a program has to itself wakes its event loop, from another thread or out of a signal handler (libuv, and
/// the self-pipe trick): to wait there is to be at rest.
bool wakes_itself(const ProcessEvidence& process, const ThreadEvidence& thread, const PipeEvidence& pipe)
{
    return !pipe.writers.empty() && without(pipe.writers, process.pid).empty() &&
           (thread.call == Call::poll || process.thread_count > 1);
}

Finding find_writer(const Facts& facts, const ProcessEvidence& process, const ThreadEvidence& thread, const Handle& handle,
                    const PipeEvidence& pipe)
{
    if (wakes_itself(process, thread, pipe))
        return {Verdict::blocked, fmt::format("blocked: {} waits to be woken by itself{}", name_of(process), without_cpu(facts.evidence())),
                {}, process.pid, {}};
    Finding finding{Verdict::waits_pipe_writer, {}, {}, process.pid, {}};
    const auto writers = without(pipe.writers, process.pid);
    finding.waits_for = inside_of(writers);
    std::string why = "nobody has opened it for writing";
    if (!writers.empty()) why = fmt::format("{} has it open and writes nothing", end_name(writers.front()));
    else if (!pipe.writers.empty()) why = "it alone has it open for writing, so its end can't come";
    finding.sentence = fmt::format("waits for a writer: {} {} {}; {}{}", name_of(process), handle.fd < 0 ? "opens" : "reads",
                                   handle.text, why, without_cpu(facts.evidence()));
    return finding;
}

std::string since(const SocketEvidence& socket, const Evidence& evidence)
{
    if (socket.received_ago) return fmt::format(", nothing received for {}", format_age(*socket.received_ago));
    return without_cpu(evidence);
}

std::string peer_of(const SocketEvidence& socket)
{
    const std::string place = socket.peer.empty() ? socket.local : socket.peer;
    if (socket.kind == "udp" && place.ends_with(":53")) return place + " (DNS)";
    return place.empty() ? "an unconnected " + socket.kind + " socket" : place;
}

bool is_local_kind(const SocketEvidence& socket)
{
    return socket.kind == "unix";
}

Finding find_peer(const Facts& facts, const ProcessEvidence& process, const ThreadEvidence& thread, const SocketEvidence& socket)
{
    Finding finding{Verdict::waits_peer, {}, {}, process.pid, {}};
    if (facts.process(socket.peer_pid) && socket.peer_pid != process.pid) finding.waits_for = {socket.peer_pid};
    const std::string other = socket.peer_pid > 0 ? fmt::format("{} (pid {})", socket.peer_comm, socket.peer_pid) : "its peer";
    const std::string place = socket.peer.empty() ? socket.local : socket.peer;
    finding.sentence = fmt::format("waits for another process: {}, {} on {}, and {} says nothing{}", name_of(process),
                                   thread.call_name, place.empty() ? "a socket" : place, other, without_cpu(facts.evidence()));
    return finding;
}

Finding find_server(const Facts& facts, const ProcessEvidence& process, const Handle& handle)
{
    std::string place = listening_on(facts.evidence());
    if (place.empty()) place = handle.text;
    return {Verdict::idle, fmt::format("idle: {} waits for connections on {}", name_of(process), place), {}, process.pid, {}};
}

} // namespace

Facts::Facts(const Evidence& evidence) : evidence_(evidence)
{
    for (const auto& process : evidence.processes) {
        processes_.emplace(process.pid, &process);
        if (process.ppid != process.pid) children_[process.ppid].push_back(&process);
    }
    for (const auto& pipe : evidence.pipes) pipes_.emplace(pipe.inode, &pipe);
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

const SocketEvidence* Facts::socket(const Handle& handle) const
{
    const auto found = sockets_.find(handle.inode);
    return found == sockets_.end() ? nullptr : found->second;
}

const LockEvidence* Facts::lock_of(std::int32_t waiter) const
{
    const auto& locks = evidence_.locks;
    const auto found = std::find_if(locks.begin(), locks.end(), [&](const auto& lock) { return lock.waiter == waiter; });
    return found == locks.end() ? nullptr : &*found;
}

Finding find_pipe(const Facts& facts, const ProcessEvidence& process, const ThreadEvidence& thread, const Handle& handle)
{
    const PipeEvidence* known = facts.pipe(handle);
    const bool writes = thread.call == Call::write || thread.call == Call::send || (thread.call == Call::open && thread.writes_wanted);
    if (known) return writes ? find_reader(facts, process, handle, *known) : find_writer(facts, process, thread, handle, *known);
    Finding finding{writes ? Verdict::waits_pipe_reader : Verdict::waits_pipe_writer, {}, {}, process.pid, {}};
    finding.sentence = fmt::format("waits for a {}: {} is in {} on {}{}", writes ? "reader" : "writer", name_of(process),
                                   thread.call_name, handle.text, without_cpu(facts.evidence()));
    return finding;
}

Finding find_socket(const Facts& facts, const ProcessEvidence& process, const ThreadEvidence& thread, const Handle& handle)
{
    const SocketEvidence* socket = facts.socket(handle);
    if (thread.call == Call::accept || (socket && socket->state == "LISTEN" && thread.call != Call::connect))
        return find_server(facts, process, handle);
    const SocketEvidence none{0, -1, 0, "?", {}, handle.text, {}, 0, 0, {}, 0, {}};
    const SocketEvidence& known = socket ? *socket : none;
    if (is_local_kind(known)) return find_peer(facts, process, thread, known);
    if (thread.call == Call::connect || known.state == "SYN-SENT")
        return {Verdict::connecting,
                fmt::format("connects: {} to {}, which does not answer{}", name_of(process), peer_of(known),
                            without_cpu(facts.evidence())),
                {}, process.pid, {}};
    const bool sends = thread.call == Call::write || thread.call == Call::send;
    Finding finding{Verdict::waits_network, {}, {}, process.pid, {}};
    finding.sentence = fmt::format("waits for the network: {}, {} on {}{}", name_of(process), thread.call_name, peer_of(known),
                                   sends ? fmt::format(", which does not take {}", known.send_queue != 0
                                               ? fmt::format("{} bytes", known.send_queue) : std::string("what is sent"))
                                         : since(known, facts.evidence()));
    if (known.receive_queue != 0 && !sends)
        finding.hint = fmt::format("{} bytes have come and are not read", known.receive_queue);
    return finding;
}

namespace {

bool waits_for_child(const ProcessEvidence& process)
{
    return std::any_of(process.threads.begin(), process.threads.end(), [](const auto& thread) { return thread.call == Call::wait_child; });
}

} // namespace

Finding find_lock(const Facts& facts, const ProcessEvidence& process, const ThreadEvidence& thread)
{
    const Evidence& evidence = facts.evidence();
    Finding finding{Verdict::waits_lock, {}, {}, process.pid, {}};
    const LockEvidence* lock = facts.lock_of(process.pid);
    std::string path = lock ? lock->path : std::string();
    if (path.empty() && !thread.handles.empty()) path = thread.handles.front().text;
    const std::string on = path.empty() ? "" : " on " + path;
    if (!lock || lock->holder <= 0) {
        finding.sentence = fmt::format("waits for a lock: {}, {}{}, held by an unknown process{}", name_of(process),
                                       lock ? lock->kind : thread.call_name, on, without_cpu(evidence));
        return finding;
    }
    const std::string holder = fit(lock->holder_command, 60);
    finding.sentence = fmt::format("waits for a lock: {}, {} held by pid {} ({}){}{}", name_of(process), lock->kind, lock->holder,
                                   holder, on, without_cpu(evidence));
    finding.hint = fmt::format("or end pid {}, which holds it", lock->holder);
    // A holder that waits for the one it keeps waiting: `flock F sh -c 'flock F ...'`.
    const ProcessEvidence* up = facts.process(process.ppid);
    for (int depth = 0; up && depth < 64; ++depth, up = facts.process(up->ppid)) {
        if (!waits_for_child(*up)) break;
        if (up->pid != lock->holder) continue;
        finding.verdict = Verdict::deadlock;
        finding.hint.clear();
        finding.sentence = fmt::format("deadlock: {} waits for the {} that {} holds{}, which waits for it", name_of(process),
                                       lock->kind, name_of(*up), on);
        break;
    }
    return finding;
}

Finding find_poll(const Facts& facts, const ProcessEvidence& process, const ThreadEvidence& thread)
{
    const Evidence& evidence = facts.evidence();
    Finding best{Verdict::blocked, {}, {}, process.pid, {}};
    best.sentence = fmt::format("blocked: {} waits in {} for events{}", name_of(process), thread.call_name, without_cpu(evidence));
    if (thread.handles.empty() && thread.timeout && *thread.timeout > Duration::zero()) {
        best.verdict = evidence.activity == Activity::trickle ? Verdict::polling : Verdict::sleeping;
        best.sentence = fmt::format("{}: {} {} (sleeps of {}){}", to_string(best.verdict), name_of(process),
                                    best.verdict == Verdict::polling ? "looks again and again" : "sleeps",
                                    nap_words(*thread.timeout), without_cpu(evidence));
    }
    const bool only = thread.handles.size() == 1;
    bool serves = false;
    for (const auto& handle : thread.handles) {
        Finding finding{Verdict::unknown, {}, {}, process.pid, {}};
        if (handle.task_stdin || handle.kind == HandleKind::terminal) {
            // Event loops keep an eye on a terminal all their life; only a prompt, or nothing else to wait for, tells.
            if (only || evidence.unfinished_line) finding = find_input(facts, process, thread, handle);
        } else if (handle.kind == HandleKind::socket) {
            finding = find_socket(facts, process, thread, handle);
            serves = serves || finding.verdict == Verdict::idle;
            if (finding.verdict == Verdict::waits_peer && !only) continue; // socket pairs inside of runtimes
        } else if (only && (handle.kind == HandleKind::pipe || handle.kind == HandleKind::fifo)) {
            finding = find_pipe(facts, process, thread, handle);
        }
        if (finding.verdict != Verdict::unknown && says_more(finding.verdict, best.verdict)) best = std::move(finding);
        else if (finding.verdict == Verdict::idle && best.verdict == Verdict::sleeping) best = std::move(finding);
    }
    // A server with clients waits for work, and not for one of them.
    if (serves && best.verdict == Verdict::waits_network)
        best = {Verdict::idle, fmt::format("idle: {} waits for connections on {}", name_of(process), listening_on(evidence)), {}, process.pid, {}};
    return best;
}

Finding find_input(const Facts& facts, const ProcessEvidence& process, const ThreadEvidence&, const Handle& handle)
{
    const Evidence& evidence = facts.evidence();
    Finding finding{Verdict::waiting_input, {}, {}, process.pid, {}};
    const std::string what = handle.kind == HandleKind::terminal ? "its terminal" : "its stdin";
    finding.sentence = fmt::format("waiting for input: {} reads {}{}", name_of(process), what, last_text(evidence));
    if (!evidence.takes_input) finding.hint = "and start it again with an option that answers (--yes), or with --stdin pipe";
    return finding;
}

} // namespace bgt::core::detail
