#pragma once
/// A command of the user's that bgt runs for him: its bounds, and what an event says of its end.
#include <bgt/os/bounded_command.hpp>
#include <bgt/store/events.hpp>
#include <string>
#include <utility>
#include <vector>

namespace bgt::supervise {

using HookVariables = std::vector<std::pair<std::string, std::string>>;

/// How long the command of a hook may take.
constexpr std::chrono::minutes hook_timeout{1};
/// And with what it has left behind and may take to stop, where it ends as it should.
constexpr std::chrono::seconds longest_hook{72};
/// How long a webhook may take.
constexpr std::chrono::seconds webhook_timeout{30};

/// Bounded in time and output. `cwd`: where that is no folder, / takes its place.
os::BoundedCommand hook_command(const std::string& text, std::vector<std::string> env,
                                const std::string& cwd, mode_t umask);

/// That of this process, as K=V.
std::vector<std::string> own_environment();
/// `env` with these variables in place of those of the same names; an empty value takes one away.
std::vector<std::string> with_variables(const std::vector<std::string>& env, const HookVariables&);
/// Takes away what a task's command is told of itself.
void forget_task(HookVariables&);

/// Code, output and what went wrong. `error` comes first in it.
std::vector<store::EventField> fields_of(const os::BoundedEnd&, std::string error);
/// "it was stopped: it took longer than 1m"; empty: it was not.
std::string stopped_for_timeout(os::StoppedFor);
/// Exit code 0, and nothing was stopped or is left.
bool is_fine(const os::BoundedEnd&);

} // namespace bgt::supervise
