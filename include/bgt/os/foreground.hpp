#pragma once
/// A command in the foreground of this process, as `env COMMAND` would run it: with its terminal,
/// its process group and its descriptors 0-2.
#include <bgt/base/fd.hpp>
#include <bgt/base/process_key.hpp>
#include <bgt/base/result.hpp>
#include <bgt/base/time.hpp>
#include <csignal>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace bgt::os {

struct ForegroundEnd {
    bool exited = true;       ///< else a signal ended it
    int status = 0;           ///< exit code or signal number
    bool by_terminal = false; ///< that signal came from the terminal's keys, to this process too
};

/// Holds the signals that are the command's from its making on: what is sent to this process while
/// it runs is passed on. Hazard: one of them at a time; the caller must be single-threaded.
class Foreground {
public:
    Foreground();
    ~Foreground();
    Foreground(const Foreground&) = delete;
    Foreground& operator=(const Foreground&) = delete;

    /// Executes the command, with the signal dispositions and the mask that this process was
    /// started with. It gets SIGKILL when this process dies. Error: no_command (127), cannot_exec
    /// (126), failed (125).
    Result<void> start(const std::vector<std::string>& argv, const std::vector<std::string>& env);
    /// Until the command has ended. SIGINT, TERM, HUP, QUIT, USR1 and USR2 are passed on, but those
    /// of the terminal's keys, which the command gets itself. When the command is stopped, so is
    /// this process. Once one of `owners` has ended the command gets SIGTERM, and after `grace`
    /// SIGKILL.
    ForegroundEnd await(const std::vector<ProcessKey>& owners, Duration grace);
    /// After await(): readable once another signal has come.
    int fd() const { return signals_ ? signals_.get() : -1; }

private:
    [[noreturn]] void run_child(const std::vector<std::string>& argv,
                                const std::vector<std::string>& env, int report, pid_t parent);
    void pass_on_signals();
    void forget_child();
    std::optional<ForegroundEnd> look_at_child();
    void stop_with_child() const;

    sigset_t before_{};
    struct sigaction child_before_ {};
    Fd signals_;
    pid_t child_ = -1;
    int from_terminal_ = 0; ///< the last signal that came from there
};

} // namespace bgt::os
