#pragma once
/// What `bgt run` was asked for, as words, and the request that follows from them.
#include <array>
#include <bgt/cli/context.hpp>
#include <bgt/cli/parser.hpp>
#include <bgt/config/services.hpp>
#include <bgt/core/hang_rules.hpp>
#include <bgt/ops/start.hpp>
#include <map>
#include <span>
#include <string_view>

namespace bgt::cli {

/// Options as values. What they need of this machine (files, folders, processes) is not looked at
/// yet.
struct RunPlan {
    store::TaskSpec spec;
    Duration grace{};
    std::string stop_signals;
    std::map<std::string, std::uint64_t> limits; ///< by name; the last one given wins
    std::vector<const config::Rule*>
        rules; ///< those of files that were applied; they live in the settings
    const config::KnownService* known = nullptr; ///< it made the command a service
    const config::KnownService* forwarder =
        nullptr; ///< it made the stop signals go to the main process alone
    const char* kind_option =
        nullptr; ///< the option that decided the kind, "--ready-port"; or null
};

struct RunOptions {
    using Word = std::optional<std::string>;
    using Words = std::vector<std::string>;

    Word fields, name, cwd, shell, stdin_from, timeout, on_hang, quiet_after, stalled_after, dump,
        grace, stop_signals, kill_mode, leftover, owner, log_max, nice, memory_max,
        progress_pattern, retries, backoff, retry_on, restart, max_restarts, max_wait, on_end,
        on_fail, notify, debounce, on_change;
    std::array<Word, core::hang_rules.size()> hang_limits; ///< of each row
    Words tags, env, env_files, limits, ready_log, ready_port, ready_http, ready_cmd, ready_file,
        watch, watch_ignore, command;
    bool if_absent = false, replace = false, anywhere = false, clear_env = false, split = false,
         service = false, job = false, ready_notify = false, wait_ready = false, wait = false,
         remove = false, explain = false, json = false, brief = false, independent = false;
    /// Options that a rule filled in ("--timeout"), and its line ("FILE:LINE").
    std::map<std::string, std::string, std::less<>> from_rule;
    /// Options that a rule would have filled in if its bgt.toml were trusted, and its line.
    std::map<std::string, std::string, std::less<>> ignored;

    /// Declares all options but those `without` names ("--replace"), and the command.
    void declare(Parser&, std::span<const std::string_view> without = {});
    /// The same without the command.
    void declare_options(Parser&, std::span<const std::string_view> without);
    /// Fills in from the rules what was not set, and reads all values.
    /// Error (usage): one message for the first thing that makes no sense, with its place where it
    /// is in a file. The settings must outlive the plan.
    Result<RunPlan> plan(const config::Settings&);
    /// The same as what start() takes. Error besides: what is not to be had (a file, a folder, a
    /// process).
    Result<ops::StartRequest> request(const config::Settings&);
    ops::IfNameTaken if_name_taken() const;
    /// A limit after which it hangs was asked for.
    bool has_hang_limit() const;
    /// A condition of readiness was asked for.
    bool awaits_ready() const;
    /// What rules are matched with: the command's words as a shell would have them, or the text of
    /// --shell.
    std::string command_line() const;
};

/// What waits in a queue ends some time: what a rule says about `--watch` does not hold for it.
void leave_out_watch(ops::StartRequest&);

} // namespace bgt::cli
