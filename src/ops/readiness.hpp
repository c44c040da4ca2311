#pragma once
/// Whether what made a task ready still holds.
#include <bgt/ops/snapshot.hpp>

namespace bgt::ops {

/// Looks again at the ports, addresses and files that made a running task ready: nothing does so
/// while nobody asks. Where one of them holds no longer, its supervisor is told, and the snapshot
/// says "not ready". Who does not answer in time is given the benefit of the doubt. The snapshot
/// must have been taken with its ports. Takes up to 300 ms for each address.
void check_readiness(store::Root&, Snapshot&);

/// Why a task is not ready, condition by condition ("http:localhost:3000: answered 404"): of one
/// that runs as it is now, of one that has ended what its last attempt was answered last. The
/// snapshot must have been taken with its spec and, of a running task, its usage. Empty: it is
/// ready, has no condition of readiness, or nothing is known. Takes up to half a second.
std::vector<std::string> why_not_ready(store::Root&, const Snapshot&);

} // namespace bgt::ops
