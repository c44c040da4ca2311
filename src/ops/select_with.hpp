#pragma once
#include <bgt/ops/select.hpp>
#include <bgt/store/queue_view.hpp>

namespace bgt::ops {

/// select() of a caller that has read already what waits.
Result<std::vector<store::TaskId>> select_with(store::Root&, const store::QueueView&,
                                               const Selection&, Scope);

} // namespace bgt::ops
