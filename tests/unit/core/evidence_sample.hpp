#pragma once
/// Evidences made by hand, and what must be said of them.
#include "support/catch.hpp"

#include <bgt/core/diagnosis.hpp>

namespace evidence_sample {

using namespace bgt;
using namespace bgt::core;
using namespace std::chrono_literals;

inline ThreadEvidence thread(Call call, std::string name, std::vector<Handle> handles = {})
{
    ThreadEvidence made;
    made.state = 'S';
    made.call = call;
    made.call_name = std::move(name);
    made.handles = std::move(handles);
    return made;
}

inline ProcessEvidence process(std::int32_t pid, std::int32_t ppid, std::string comm,
                               std::vector<ThreadEvidence> threads)
{
    ProcessEvidence made;
    made.pid = pid;
    made.ppid = ppid;
    made.comm = comm;
    made.command = std::move(comm);
    made.state = 'S';
    made.age = 10min;
    made.threads = std::move(threads);
    made.thread_count = static_cast<std::uint32_t>(made.threads.size());
    for (auto& t : made.threads) t.tid = pid;
    return made;
}

inline ProcessEvidence waiting_shell(std::int32_t pid, std::int32_t ppid = 1)
{
    return process(pid, ppid, "sh", {thread(Call::wait_child, "wait4")});
}

inline Evidence evidence(std::vector<ProcessEvidence> processes)
{
    Evidence made;
    made.task_id = 7;
    made.processes = std::move(processes);
    made.activity = Activity::blocked;
    made.ages.byte = made.ages.text = 5min;
    made.ages.cpu = 252s;
    return made;
}

inline Handle terminal(std::int32_t fd = 0)
{
    return {fd, HandleKind::terminal, "/dev/pts/3", 6, false};
}
inline Handle pipe_handle(std::int32_t fd, std::uint64_t inode)
{
    return {fd, HandleKind::pipe, "pipe:[" + std::to_string(inode) + "]", inode, false};
}
inline Handle socket_handle(std::int32_t fd, std::uint64_t inode)
{
    return {fd, HandleKind::socket, "socket:[" + std::to_string(inode) + "]", inode, false};
}

inline SocketEvidence tcp(std::int32_t pid, std::uint64_t inode, std::string state,
                          std::string local, std::string peer)
{
    SocketEvidence made;
    made.pid = pid;
    made.inode = inode;
    made.kind = "tcp";
    made.state = std::move(state);
    made.local = std::move(local);
    made.peer = std::move(peer);
    return made;
}

inline ThreadEvidence futex(std::optional<Duration> timeout = {}, std::string name = {})
{
    ThreadEvidence made = thread(Call::futex, "futex");
    made.futex = 4096;
    made.timeout = timeout;
    made.name = std::move(name);
    return made;
}

inline Diagnosis expect(const Evidence& given, Verdict verdict, const std::string& sentence)
{
    const Diagnosis diagnosis = diagnose(given);
    CHECK(to_string(diagnosis.verdict) == to_string(verdict));
    CHECK(diagnosis.sentence == sentence);
    CHECK_FALSE(diagnosis.next.empty());
    return diagnosis;
}

} // namespace evidence_sample
