#include <bgt/ops/collect.hpp>

#include <bgt/base/descriptor.hpp>
#include <bgt/os/clock.hpp>

namespace bgt::ops {

Result<store::Pruned> collect(store::Root& root, const CollectRequest& request)
{
    if (!root.exists()) return store::Pruned{};
    return store::prune(root, request.keep, os::wall_now(), request.dry_run, os::boot_id());
}

Result<store::HistoryTrimmed> collect_history(store::Root& root, const store::HistoryKeep& keep,
                                              bool dry_run)
{
    const PrivateUmask files;
    return store::trim_history(root, keep, dry_run);
}

} // namespace bgt::ops
