#pragma once
/// The tasks of a state root, found without looking at more of them than needed.
#include <bgt/ops/select.hpp>
#include <bgt/ops/snapshot.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace bgt::ops {

/// The states by which tasks can be listed; several can fit one task ("ended", "failed").
inline constexpr std::string_view state_filters[] = {"queued", "starting", "running",
                                                     "paused", "stopping", "backing-off",
                                                     "ended",  "failed",   "lost"};
/// Their names with ", " between them.
std::string known_states();
/// Error (usage): there is no such state; the message lists all.
Result<void> check_state(std::string_view);
/// Whether the task is in that state. "running" includes paused ones; "failed" is ended with a code
/// that is not 0, and not because somebody asked (bgt kill); "ended" includes failed and lost ones.
bool in_state(const Snapshot&, std::string_view state);

struct ListRequest {
    Selection selection;
    bool everything = false;         ///< all ended ones, not only the newest ten
    std::vector<std::string> states; ///< any of them
    std::string here = {};           ///< not empty: only tasks that run in this folder or below it
    bool leftover = false;           ///< only ended tasks of which kept processes live
    SnapshotFields fields;           ///< spec and log_tail for all, usage and ports for living ones
    bool tail_of_few = false;        ///< log_tail only where at most `few` tasks are listed
    OnMissing unread = {};           ///< told why tasks that wait are not among those listed
};

/// More tasks than this are listed without their last lines: each costs two system calls and a row
/// of screen.
inline constexpr std::size_t few = 100;

/// The living in the order of their ids, then the ended, the newest first: ten of them where
/// nothing else was asked. Words of the selection keep their order instead. Error (usage): an
/// unknown state; or that of select().
Result<std::vector<Snapshot>> list(store::Root&, const ListRequest&);

} // namespace bgt::ops
