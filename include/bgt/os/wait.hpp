#pragma once
/// Waiting for descriptors and children, with interrupted calls repeated.
#include <array>
#include <bgt/base/fd.hpp>
#include <bgt/base/process_key.hpp>
#include <bgt/base/result.hpp>
#include <bgt/base/time.hpp>
#include <bitset>
#include <optional>
#include <sys/types.h>

namespace bgt::os {

using Readable = std::bitset<3>;
/// Sleeps until one of the descriptors is readable, at its end or bad, or that date has come. -1 is
/// passed over. May return earlier, with none.
Readable await_readable(const std::array<int, 3>& fds, Instant deadline);

/// How a child ended.
struct ChildEnd {
    std::optional<int> exit_code; ///< nullopt: a signal ended it
};
/// Reaps that child if it has ended, without waiting. nullopt: it lives, or somebody else has
/// reaped it.
std::optional<ChildEnd> try_reap(pid_t child);
/// Reaps it if it has ended, without waiting; false: it lives. True also where somebody else has
/// reaped it.
bool has_ended(pid_t child);
/// Whether it is a child of this process, living or not, that nobody has reaped.
bool is_child(pid_t);
/// SIGKILL to a child that has not been reaped yet, so that its pid is surely its own.
void kill_child(pid_t child);
/// Waits for the end of the child.
void reap(pid_t child);
/// SIGSTOP, and waits until it stands. False: it has ended, and is reaped.
bool stop_child(pid_t child);
/// Waits that long.
void pause_for(Duration);

/// A child of this process that somebody else may reap (reap_all): known by its pidfd, so that
/// nothing is ever done to a later process with its pid.
class Child {
public:
    /// Error: there is no descriptor for it. Then it is killed and reaped.
    static Result<Child> watch(pid_t);
    Child() = default;

    /// Whether it has not ended; false also once it has been reaped.
    bool is_running() const;
    void signal(int signal) const;
    /// False: it has not ended in that time.
    bool await_end(Duration timeout) const;
    /// Reaps it where it has ended and nobody has yet.
    void reap() const;

private:
    Child(ProcessKey key, Fd pidfd) : key_(key), pidfd_(std::move(pidfd)) {}
    ProcessKey key_;
    Fd pidfd_; ///< none where a sandbox refuses it; then the process is looked at again and again
};

/// Of any process (man 2 pidfd_open); not set where there is none, or no descriptor (errno).
Fd pidfd_of(pid_t);
/// The same up to a date. Returns at once where it is no child of this process, or reaped already.
void reap_until(pid_t child, Instant deadline);

} // namespace bgt::os
