#pragma once
/// `bgt run --wait`: stays with a task until it has ended.
#include <bgt/base/held_signals.hpp>
#include <bgt/cli/context.hpp>
#include <bgt/store/root.hpp>
#include <bgt/store/spec.hpp>
#include <optional>
#include <string>
#include <vector>

namespace bgt::cli {

/// Holds back what ends this program (INT, TERM, HUP) and, where stdin is a terminal, what its keys
/// send: TSTP (Ctrl-Z) and QUIT (Ctrl-\\).
HeldSignals hold_attached_signals();

/// Passes the output on to stdout and stderr (`stream`) until the task has ended. A held signal is
/// passed on as a stop request, the second one as SIGKILL at once. TSTP pauses the task and stops
/// this process; when that goes on, so does the task. QUIT asks at the terminal what is to be done.
/// When stdout is closed, the passing on ends, the waiting goes on. Returns the last record;
/// nullopt: `max_wait` passed or somebody said so, and the task goes on.
Result<std::optional<store::Status>> stay_until_end(Context&, store::Root&, store::TaskId,
                                                    HeldSignals&, bool stream,
                                                    std::optional<Duration> max_wait);
/// Whether something is to follow its hang or its end.
bool has_hooks(const store::TaskSpec&);
/// What to say of the hooks of a task that has ended, once they have ended too; a held signal ends
/// the waiting for them.
std::vector<std::string> failed_hooks(const store::Root&, store::TaskId, const store::Status&,
                                      const HeldSignals&);
/// Of a task that bgt ended, what for: "24 test ended (SIGTERM, progress-timeout): no progress
/// for 5s, so the exit code is 120 (bgt why 24)". Empty of any other.
std::string why_ended(const store::Root&, store::TaskId, const store::Status&);

/// The answer of --wait in JSON: the task, its exit code and reason, and the last lines of its
/// output. nullopt: it goes on in the background.
void print_end_json(Context&, store::Root&, store::TaskId, const std::optional<store::Status>&);
/// "task 7 keeps running in the background (bgt wait 7, ...)"
std::string background_words(store::TaskId);

} // namespace bgt::cli
