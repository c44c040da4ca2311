#pragma once
/// A task whose record can't be read, and which nobody supervises: its processes live on, and are
/// known by the cookie in their environment, as spec.json has it, with the path of this folder.
#include <bgt/core/policy.hpp>
#include <bgt/store/root.hpp>
#include <cstdint>
#include <vector>

namespace bgt::supervise {

struct UnrecordedEnd {
    std::uint32_t ended = 0;             ///< processes that were found and are gone
    std::vector<std::int32_t> survivors; ///< that SIGKILL did not end; the first of them
};

/// Ends them: the signals of the ladder, then SIGKILL; `now`: SIGKILL at once. A copy of the folder
/// ends nobody, as the path leads to another one. Nothing is recorded. Error: somebody else holds
/// the lock, so there is a supervisor to be asked; spec.json can't be read either, so nobody knows
/// whose the processes are. Hazard: takes as long as the ladder.
Result<UnrecordedEnd> end_without_record(store::Root&, store::TaskId,
                                         const std::vector<core::StopStep>& ladder, bool now);

} // namespace bgt::supervise
