#include <bgt/api/caller.hpp>

#include <bgt/ops/queues.hpp>

namespace bgt::api {

void cancel_own_waiting(const std::string& root_path, const Caller& caller)
{
    const core::ScopeChain& scopes = caller.own;
    auto root = store::Root::open(root_path, store::Root::IfMissing::empty);
    if (!root || !root->exists() || scopes.empty()) return;
    (void)ops::cancel_waiting(*root, [&](const store::QueueView& view) {
        return view.waiting_in_scope(scopes.boot, scopes.processes.back());
    });
}

} // namespace bgt::api
