#pragma once
/// What `bgt wait --for` waits for.
#include <bgt/base/result.hpp>
#include <bgt/base/time.hpp>
#include <bgt/core/pattern.hpp>
#include <bgt/os/probe.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace bgt::supervise {

struct Condition {
    enum class Kind : std::uint8_t {
        exit,      ///< `exit`: the task is over
        exit_zero, ///< `exit=0`: it is over, and its exit code is 0
        log,       ///< `log:REGEX`: a line of its output matches (when rendered), the unfinished last one too
        port,      ///< `port`, `port:N`: a process of its tree listens
        tcp,       ///< `tcp:HOST:N`, `tcp:N`: a connection is accepted
        http,      ///< `http:URL`, `http:URL=STATUS`: a GET is answered with 2xx or 3xx, or with that status
        file,      ///< `file:PATH`: it exists
        command,   ///< `cmd:COMMAND`: /bin/sh -c COMMAND exits with 0
    };
    Kind kind = Kind::exit;
    std::string text;                       ///< host, absolute path, or command
    std::uint16_t port = 0;                 ///< 0: any
    os::HttpUrl url;
    std::optional<int> status;              ///< the only one that will do
    std::shared_ptr<const core::Pattern> pattern; ///< of `log`
    std::string before;                     ///< "it listened on port 80": completes "the task ended before ..."

    /// True of what has nothing to do with one task: it is asked once for all of them.
    bool is_outside() const { return kind >= Kind::tcp; }
    bool is_exit() const { return kind <= Kind::exit_zero; }
};

/// Reads one. `cwd` is what a relative path of `file:` begins at.
/// Error (usage): an unknown condition (with the list), a bad regex, port, host, URL.
Result<Condition> parse_condition(const std::string& text, const std::string& cwd);

/// Whether an outside condition holds now. Takes at most about `timeout`. Hazard: `cmd` runs a command.
bool holds(const Condition&, Duration timeout);

} // namespace bgt::supervise
