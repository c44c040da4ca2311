#pragma once
/// Waiting for descriptors and children, with interrupted calls repeated.
#include <bgt/base/time.hpp>
#include <array>
#include <bitset>
#include <optional>
#include <sys/types.h>

namespace bgt::os {

using Readable = std::bitset<3>;
/// Sleeps until one of the descriptors is readable, at its end or bad, or that date has come. -1 is passed over. May
/// return earlier, with none.
Readable await_readable(const std::array<int, 3>& fds, Instant deadline);

/// How a child ended.
struct ChildEnd {
    std::optional<int> exit_code; ///< nullopt: a signal ended it
};
/// Reaps that child if it has ended, without waiting. nullopt: it lives, or somebody else has reaped it.
std::optional<ChildEnd> try_reap(pid_t child);
/// SIGKILL to a child that has not been reaped yet, so that its pid is surely its own.
void kill_child(pid_t child);
/// Waits for the end of the child.
void reap(pid_t child);

} // namespace bgt::os
