#pragma once
/// Removes ended tasks beyond what is to be kept (`bgt gc`).
#include <bgt/store/retention.hpp>

namespace bgt::ops {

struct CollectRequest {
    store::Retention keep;
    bool dry_run = false; ///< removes nothing, and answers what would be removed
};

/// An absent root has nothing to remove. What could not be removed is in Pruned::problems.
Result<store::Pruned> collect(store::Root&, const CollectRequest&);

} // namespace bgt::ops
