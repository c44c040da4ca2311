#pragma once
/// Writes to the stdin of a task that was started with a pipe there.
#include <bgt/ops/answer.hpp>
#include <optional>
#include <string>

namespace bgt::ops {

struct SendRequest {
    std::string task;                ///< id, name or `-`
    std::string folder = {};         ///< of the caller, as Selection has it
    std::optional<std::string> text; ///< these bytes
    std::optional<int> from_fd;      ///< without a text: what can be read here, until its end
    bool eof = false;                ///< closes its stdin afterwards
    std::optional<Duration> timeout; ///< when it does not read
};

struct SendAnswer {
    store::TaskId id;
    bool all =
        true; ///< false: the timeout passed; some of it may have been written, and stdin stays open
};

/// Error: no such task; it has ended, has no such stdin, or closed it.
Result<SendAnswer> send(store::Root&, const SendRequest&, Cancel = {});

} // namespace bgt::ops
