#pragma once
/// What `bgt wait --for` waits for.
#include <bgt/base/result.hpp>
#include <bgt/base/time.hpp>
#include <bgt/core/pattern.hpp>
#include <bgt/core/http_url.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace bgt::supervise {

struct Condition {
    enum class Kind : std::uint8_t {
        exit,      ///< `exit`: the task is over
        exit_zero, ///< `exit=0`: it is over, and its exit code is 0
        ready,     ///< `ready`: the record says so
        log,       ///< `log:REGEX`: a line of its output matches (when rendered), the unfinished last one too
        log_fail,  ///< `log-fail:REGEX`: a guard: a line that matches ends the wait
        port,      ///< `port`, `port:N`: a process of its tree listens
        progress,  ///< `progress=N`: it has come so far
        quiet,     ///< `quiet:D`: no output for so long
        stalled,   ///< `stalled`: the record says so
        waiting_input, ///< `waiting-input`: the record says so
        tcp,       ///< `tcp:HOST:N`, `tcp:N`: a connection is accepted
        http,      ///< `http:URL`, `http:URL=STATUS`: a GET is answered with 2xx or 3xx, or with that status
        unix_socket, ///< `unix:PATH`, `unix:@NAME`: a connection is accepted
        file,      ///< `file:PATH`: it exists
        command,   ///< `cmd:COMMAND`: /bin/sh -c COMMAND exits with 0
    };
    Kind kind = Kind::exit;
    bool gone = false;                      ///< `gone:...`: port:N or one of the outside does NOT hold
    std::string text;                       ///< host, absolute path, or command
    std::uint16_t port = 0;                 ///< 0: any
    core::HttpUrl url;
    std::optional<int> status;              ///< the only one that will do
    std::shared_ptr<const core::Pattern> pattern; ///< of `log` and `log-fail`
    double fraction = 0;                    ///< of `progress`, 0..1
    Duration quiet{};                       ///< of `quiet`
    std::string before;                     ///< "it listened on port 80": completes "the task ended before ..."

    /// True of what has nothing to do with one task: it is asked once for all of them.
    bool is_outside() const { return kind >= Kind::tcp; }
    bool is_exit() const { return kind <= Kind::exit_zero; }
    /// Not waited for: only a reason to give up.
    bool is_guard() const { return kind == Kind::log_fail; }
    bool reads_output() const { return kind == Kind::log || kind == Kind::log_fail; }
    /// Told by the record of the task.
    bool is_recorded() const;
    /// Known only when the supervisor looks at its tree on request (supervise::request_look).
    bool needs_look() const { return kind == Kind::stalled || kind == Kind::waiting_input || kind == Kind::progress; }
    /// Whether it can be a condition of `--ready-...`: what ReadyWatch can see.
    bool can_make_ready() const { return is_outside() || reads_output() || kind == Kind::port; }
};

/// Reads one. `cwd` is what a relative path of `file:` begins at.
/// Error (usage): an unknown condition (with the list), a bad regex, port, host, URL, duration.
Result<Condition> parse_condition(const std::string& text, const std::string& cwd);

/// Whether an outside condition holds now. Takes at most about `timeout`. Hazard: `cmd` runs a command.
bool holds(const Condition&, Duration timeout);

} // namespace bgt::supervise
