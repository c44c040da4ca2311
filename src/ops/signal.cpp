#include <bgt/ops/signal.hpp>

#include <bgt/supervise/control.hpp>

namespace bgt::ops {

Result<Each<Signalled>> signal(store::Root& root, const SignalRequest& request,
                               const Progress<Signalled>& progress)
{
    return for_each(root, request.selection, Scope::living, progress,
                    [&](store::TaskId id) -> Result<Signalled> {
                        const Result<std::uint32_t> count =
                            supervise::request_signal(root, id, request.signal, request.whole_tree);
                        if (!count) return count.error();
                        return Signalled{*count};
                    });
}

} // namespace bgt::ops
