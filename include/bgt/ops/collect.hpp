#pragma once
/// Removes ended tasks beyond what is to be kept (`bgt gc`).
#include <bgt/store/history.hpp>
#include <bgt/store/retention.hpp>

namespace bgt::ops {

struct CollectRequest {
    store::Retention keep;
    bool dry_run = false; ///< removes nothing, and answers what would be removed
};

/// An absent root has nothing to remove. What could not be removed is in Pruned::problems.
Result<store::Pruned> collect(store::Root&, const CollectRequest&);

/// Drops records of the history (`bgt gc --history`); see store::trim_history().
Result<store::HistoryTrimmed> collect_history(store::Root&, const store::HistoryKeep&,
                                              bool dry_run);

} // namespace bgt::ops
