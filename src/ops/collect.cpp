#include <bgt/ops/collect.hpp>

#include <bgt/os/clock.hpp>

namespace bgt::ops {

Result<store::Pruned> collect(store::Root& root, const CollectRequest& request)
{
    if (!root.exists()) return store::Pruned{};
    return store::prune(root, request.keep, os::wall_now(), request.dry_run);
}

} // namespace bgt::ops
