#pragma once
/// Who calls: the program that other programs talk to, and what of it an operation needs.
#include <bgt/core/scope_chain.hpp>
#include <bgt/ops/start.hpp>
#include <bgt/ops/submit.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace bgt::api {

/// A command as an operation takes it. The words are those of the options of `bgt run`.
struct StartWords {
    std::optional<std::string> shell; ///< text for a shell; else `command`
    std::vector<std::string> command;
    std::optional<std::string> name, cwd, timeout;
    std::vector<std::string> env; ///< K=V, added to the environment of this program
    bool stdin_pipe = false;
    std::vector<std::string> ready_port, ready_log, ready_http;
    std::vector<std::string> tags; ///< K=V
};

/// How it waits in a queue; the words are those of the options of `bgt submit`.
struct SubmitWords {
    std::optional<std::string> queue, priority, key;
    std::vector<std::string> after;
};

struct Caller {
    std::string tag;       ///< K=V, on all tasks that it starts: its own are those with this tag
    std::string folder;    ///< where commands run by default; absolute
    core::ScopeChain kept; ///< the scopes around a task that is to outlive this program
    core::ScopeChain own;  ///< around all others: they end with this program
    /// What `bgt run` would start for these words: with the rules and settings of the folder. Error
    /// (usage): an option makes no sense. Hazard: may change the working folder.
    std::function<Result<ops::StartRequest>(const StartWords&)> start_request;
    std::function<Result<ops::SubmitRequest>(const StartWords&, const SubmitWords&)> submit_request;
};

/// At the end of the program: what waits in queues of this state root and was to end with it is
/// taken out. What runs sees its end by itself.
void cancel_own_waiting(const std::string& root, const Caller&);

} // namespace bgt::api
