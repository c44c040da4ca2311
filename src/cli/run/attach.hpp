#pragma once
/// `bgt run --wait`: stays with a task until it has ended.
#include <bgt/base/fd.hpp>
#include <bgt/cli/context.hpp>
#include <bgt/store/root.hpp>
#include <csignal>
#include <optional>
#include <string>

namespace bgt::cli {

/// INT, TERM and HUP are held back from its making on, and can be read one by one instead (man 2 signalfd). A signal
/// that the caller has ignored (nohup) stays ignored. The mask of before comes back at its end.
class HeldSignals {
public:
    HeldSignals();
    ~HeldSignals();
    HeldSignals(const HeldSignals&) = delete;
    HeldSignals& operator=(const HeldSignals&) = delete;

    /// Becomes readable when one has come.
    int fd() const { return fd_.get(); }
    /// Takes one; false: none has come.
    bool take();

private:
    sigset_t set_{}, before_{};
    Fd fd_;
};

/// Passes the output on to stdout and stderr (`stream`) until the task has ended. A held signal is passed on as a stop request, the second
/// one as SIGKILL at once. When stdout is closed, the passing on ends, the waiting goes on. Returns the last record;
/// nullopt: `max_wait` passed, and the task goes on.
Result<std::optional<store::Status>> stay_until_end(Context&, store::Root&, store::TaskId, HeldSignals&, bool stream,
                                                    std::optional<Duration> max_wait);
/// Of a task that bgt ended, what for: "24 test ended (SIGTERM, progress-timeout): no progress
/// for 5s, so the exit code is 120 (bgt why 24)". Empty of any other.
std::string why_ended(const store::Root&, store::TaskId, const store::Status&);

} // namespace bgt::cli
