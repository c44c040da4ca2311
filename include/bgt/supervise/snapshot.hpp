#pragma once
/// A task as it is now: its record checked against the lock, with what /proc adds. What `render`
/// shows.
#include <bgt/core/recovery.hpp>
#include <bgt/os/proc.hpp>
#include <bgt/store/events.hpp>
#include <bgt/store/queue_view.hpp>
#include <bgt/store/root.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace bgt::supervise {

struct Snapshot {
    store::TaskId id;
    store::Status status;
    std::shared_ptr<const store::TaskSpec>
        spec; ///< read only where asked for; it would be half of the size, were it here
    std::string
        problem; ///< not empty: the folder is damaged, this says how; status is then unreliable
    core::Recovery recovery =
        core::Recovery::none; ///< what would make the record true; the status is what it says
    bool doubtful =
        false; ///< the problem is none of the record's: it may be whole, and the task alive
    std::string folder;
    std::uint64_t log_bytes =
        0; ///< bytes written to out.log (and err.log) so far, freed ones included
    // Of the living tree, where asked for:
    bool supervisor_stopped = false; ///< by a signal (SIGSTOP): nobody answers for the task
    std::vector<os::ProcStat> tree;  ///< parents before children unless it was adopted
    std::uint32_t processes = 0;
    std::optional<double>
        cpu; ///< fraction of one core over the tree's life (or since the last look with --watch)
    std::optional<std::uint64_t> rss_bytes;
    std::vector<std::uint16_t> ports;
    std::vector<std::int32_t> leftover; ///< pids left by `--leftover keep`
    std::string log_tail; ///< the last bytes of output as written (last_line makes a line of them)
};

/// What a caller needs; each costs time.
struct SnapshotFields {
    bool spec = false;
    bool usage = false; ///< processes, cpu, rss
    bool ports = false;
    bool log_tail = false; ///< up to 4 KiB
};

/// One task as its record and /proc say. Only reads: where `recovery` is not none, the record is
/// not the truth. Error (not_found): no such task. A damaged folder is not an error but a Snapshot
/// with `problem`.
Result<Snapshot> inspect(store::Root&, store::TaskId, const SnapshotFields&);

/// The truth about one task. If its record says it is not ended and no supervisor holds its lock,
/// it is recovered first (recover.hpp): a living tree gets a new supervisor (and the record then
/// says adopted), a dead one is recorded as lost. Errors as of inspect(). Hazard: may fork.
Result<Snapshot> recover_and_inspect(store::Root&, store::TaskId, const SnapshotFields&);

/// The same for many, sharing one look at /proc. Order kept; ids that are gone meanwhile are left
/// out. `queue`: what waits, where the caller has read it; it is expensive where much does.
std::vector<Snapshot> recover_and_inspect_all(store::Root&, const std::vector<store::TaskId>&,
                                              const SnapshotFields&,
                                              const store::QueueView* queue = nullptr);

/// Exit code of an ended task (core::exit_code; 127/126 for failed-to-start by what is recorded).
int exit_code(const store::Status&);

} // namespace bgt::supervise
