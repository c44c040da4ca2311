#pragma once
/// A task as it is now: its record checked against the proc, with what /proc adds. What `render` shows.
#include <bgt/os/proc.hpp>
#include <bgt/store/events.hpp>
#include <bgt/store/root.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace bgt::supervise {

struct Snapshot {
    store::TaskId id;
    store::Status status;
    std::shared_ptr<const store::TaskSpec> spec; ///< read only where asked for; it would be half of the size, were it here
    std::string problem;                   ///< not empty: the folder is damaged, this says how; status is then unreliable
    bool doubtful = false;                 ///< the problem is none of the record's: it may be whole, and the task alive
    std::string folder;
    std::uint64_t log_bytes = 0;           ///< bytes written to out.log (and err.log) so far, freed ones included
    // Of the living tree, where asked for:
    std::vector<os::ProcStat> tree;        ///< parents before children unless it was adopted
    std::uint32_t processes = 0;
    std::optional<double> cpu;             ///< fraction of one core over the tree's life (or since the last look with --watch)
    std::optional<std::uint64_t> rss_bytes;
    std::vector<std::uint16_t> ports;
    std::vector<std::int32_t> leftover;    ///< pids left by `--leftover keep`
    std::string log_tail;                  ///< the last bytes of output as written (last_line makes a line of them)
};

/// What a caller needs; each costs time.
struct SnapshotFields {
    bool spec = false;
    bool usage = false;      ///< processes, cpu, rss
    bool ports = false;
    bool log_tail = false;   ///< up to 4 KiB
};

/// The truth about one task. If its record says it is not ended and no supervisor holds its lock, this settles it: a
/// living tree gets a new supervisor (and the record then says adopted), a dead one is recorded as lost.
/// Error (not_found): no such task. A damaged folder is not an error but a Snapshot with `problem`.
Result<Snapshot> inspect(store::Root&, store::TaskId, const SnapshotFields&);

/// The same for many, sharing one look at /proc. Order kept; ids that are gone meanwhile are left out.
std::vector<Snapshot> inspect_all(store::Root&, const std::vector<store::TaskId>&, const SnapshotFields&);

/// True once nothing of the task is left to wait for.
bool is_over(const store::Status&);

/// Exit code of an ended task (core::exit_code; 127/126 for failed-to-start by what is recorded).
int exit_code(const store::Status&);

} // namespace bgt::supervise
