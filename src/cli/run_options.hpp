#pragma once
/// What `bgt run` was asked for, as words, and the request that follows from them.
#include <bgt/cli/context.hpp>
#include <bgt/cli/parser.hpp>
#include <bgt/supervise/start.hpp>

namespace bgt::cli {

struct RunOptions {
    std::optional<std::string> name, cwd, shell, stdin_from, timeout, grace, stop_signals, leftover, owner, log_max,
        nice, memory_max;
    std::vector<std::string> tags, env, env_files, limits, command;
    bool if_absent = false, replace = false, clear_env = false, split = false, service = false, wait = false,
         remove = false, json = false;

    void declare(Parser&);
    /// Error (usage): one message for the first thing that makes no sense.
    Result<supervise::StartRequest> request(const config::Settings&) const;
    supervise::IfNameTaken if_name_taken() const;
};

} // namespace bgt::cli
