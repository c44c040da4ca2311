#pragma once
/// A server of the Model Context Protocol on two descriptors (`bgt mcp`).
#include <bgt/api/caller.hpp>
#include <string>

namespace bgt::mcp {

struct Server {
    int in = 0, out = 1;
    std::string root; ///< of the tasks; absolute
    api::Caller caller;
};

/// Answers until the end of `in`, until nobody reads `out`, or until the parent of this process has
/// ended. Each request that looks at tasks is answered by a helper process of its own, so that none
/// waits for another; a request that is given up ends its helper, never a task. The tasks that are
/// to end with the server do so by their scope, also when this process is killed. Hazards: forks,
/// so the caller must be single-threaded; ignores SIGPIPE from now on.
void serve(const Server&);

} // namespace bgt::mcp
