#pragma once
/// Ends all tasks, or some of them, and comes back when nothing of them is left (`bgt shutdown`).
#include <bgt/ops/end_answer.hpp>
#include <bgt/ops/select.hpp>
#include <optional>

namespace bgt::ops {

struct ShutdownRequest {
    Selection selection;             ///< empty: all
    std::optional<Duration> timeout; ///< then the rest gets SIGKILL; nullopt: never
};

enum class ShutdownStatus : std::uint8_t {
    completed,        ///< nothing is left
    timeout,          ///< something could not be ended: EndAnswer::remaining
    already_shutdown, ///< there was nothing to end
};
const char* to_string(ShutdownStatus);

struct ShutdownAnswer {
    ShutdownStatus status = ShutdownStatus::already_shutdown;
    EndAnswer tasks;
};

/// Waiting tasks are cancelled. While all tasks are ended nothing is started in the root, neither
/// by others nor out of a queue; a second shutdown waits for the first. Errors: those of select();
/// the one before does not come to its end within the timeout. Hazard: may fork; the caller must be
/// single-threaded.
Result<ShutdownAnswer> shutdown(store::Root&, const ShutdownRequest&);

} // namespace bgt::ops
