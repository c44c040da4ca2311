#pragma once
/// Which tasks `bgt ps` is about, found without looking at more of them than needed.
#include <bgt/cli/select.hpp>
#include <bgt/supervise/snapshot.hpp>
#include <string>
#include <vector>

namespace bgt::cli {

struct PsRequest {
    Selection selection;
    bool everything = false;         ///< -a: ended ones without end
    std::vector<std::string> states; ///< --state: any of them
    bool leftover = false;           ///< only ended tasks of which kept processes live
    supervise::SnapshotFields want;            ///< spec and log_tail for all, usage and ports for living ones
    bool tail_of_few = false;        ///< log_tail only where at most `few` tasks are shown
};

/// More tasks than this are shown without their last lines: each costs two system calls and a row of screen.
inline constexpr std::size_t few = 100;

/// The living in the order of their ids, then the ended, the newest first: ten of them where nothing else was asked.
/// Words on the command line keep their order instead.
Result<std::vector<supervise::Snapshot>> find_tasks(store::Root&, const PsRequest&);

} // namespace bgt::cli
