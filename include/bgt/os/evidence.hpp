#pragma once
/// Gathering what a hang report tells (core/evidence.hpp): from /proc (man 5 proc: stat,
/// task/TID/{stat,syscall,wchan}, fd, fdinfo, locks), sock_diag (man 7 sock_diag) and statvfs.
#include <bgt/base/result.hpp>
#include <bgt/core/diagnosis.hpp>
#include <bgt/core/evidence.hpp>
#include <bgt/os/proc.hpp>
#include <bgt/os/sample.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bgt::os {

/// What gathering needs of the task's folder, which this layer does not know.
class EvidenceStore {
public:
    virtual ~EvidenceStore() = default;
    /// Where the output ends now, in bytes from its beginning: runtimes print their stacks there.
    virtual std::uint64_t output_end() = 0;
    /// What is there from `from` on, which is moved behind it; empty: nothing yet. nullopt: it
    /// can't be read.
    virtual std::optional<std::string> read_output(std::uint64_t& from) = 0;
    /// Puts the last lines of the output into the evidence.
    virtual void add_output(core::Evidence&) = 0;
    /// As a message from one process of bgt to another.
    virtual std::string encode(const core::Report&) const = 0;
    virtual Result<core::Report> decode(std::string_view) const = 0;
};

struct GatherRequest {
    explicit GatherRequest(EvidenceStore& asked) : store(asked) {}
    EvidenceStore& store;
    std::vector<ProcStat> members; ///< of the tree, parents before children
    std::int32_t supervisor = 0;   ///< its pid: it drains the task's output
    StdinFifo stdin_fifo;
    std::string folder;                 ///< of the task, whose disk is looked at
    std::string cwd;                    ///< where the task works; empty: not looked at
    std::optional<core::Sample> before; ///< an earlier look, against which recent CPU is counted
    bool dump_stacks = false;           ///< ask runtimes for their stacks (stack_dump.hpp)
    bool ask_java = false; ///< where not: ask Java about its locks, which prints nothing
    Duration bound = std::chrono::milliseconds(500); ///< what was not gathered by then is left out
};

/// Everything but what only the supervisor knows (the last part of core::Evidence). What may not be
/// read, or ends meanwhile, is left out: there is no error. Cost: some 100 microseconds a process,
/// and a look at every process of the system when somebody waits at a pipe or a local socket.
/// Hazard: reading the command line or the memory of a process can block where a file system of it
/// does not answer, and so can asking the task's folder for its free space: call it in a process
/// that can be killed.
core::Evidence gather(const GatherRequest&);

} // namespace bgt::os
