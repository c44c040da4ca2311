#pragma once
/// A command in the foreground, with whose end everything ends that was started or submitted inside
/// of it (`bgt scope`).
#include <bgt/core/scope_chain.hpp>
#include <bgt/ops/end_answer.hpp>
#include <bgt/os/foreground.hpp>
#include <bgt/store/root.hpp>
#include <optional>
#include <string>
#include <vector>

namespace bgt::ops {

/// The scopes around this process, as its environment names them. Error: (usage) the variable can't
/// be read; (failed) one of them has ended, so nothing may be started inside it.
Result<core::ScopeChain> scopes_around();

/// The same, and this process as the innermost one: what is started with them ends with it. Errors
/// as above; (failed) /proc can't be read; scopes are nested too deep.
Result<core::ScopeChain> scopes_inside();

struct ScopeRequest {
    std::vector<std::string> command;
    std::vector<std::string> env;    ///< K=V of the command, without BGT_SCOPE
    std::optional<Duration> grace;   ///< of tasks that are stopped; nullopt: their own
    Duration command_grace{};        ///< of the command, where a scope around this one ends
    std::optional<std::string> root; ///< set: BGT_ROOT of the command
};

struct ScopeAnswer {
    os::ForegroundEnd command;
    EndAnswer tasks;
};

/// Runs the command and then ends the tasks of the scope in this root; those in other roots are
/// ended by their supervisors, once this process has ended. A signal that comes meanwhile has the
/// rest killed at once. Errors: of the command (126, 127); (failed) /proc can't be read, the root
/// can't be read. Hazards: forks, so the caller must be single-threaded; changes the handling of
/// signals while it runs.
Result<ScopeAnswer> scope(store::Root&, const ScopeRequest&);

} // namespace bgt::ops
