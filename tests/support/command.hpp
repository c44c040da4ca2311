#pragma once
/// Runs a program and keeps what it said.
#include "support/eventually.hpp"

#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <sys/types.h>
#include <vector>

namespace bgt::test {

struct Invocation {
    std::vector<std::string> argv;    ///< argv[0] is searched in PATH
    std::vector<std::string> env;     ///< K=V, all of it
    std::string cwd;                  ///< empty: the test's own
    std::optional<std::string> input; ///< what its stdin holds; nullopt: /dev/null
    std::function<void()> in_child; ///< called between fork and exec (dropping privileges, limits)
};

struct Ran {
    int code = -1; ///< exit code; 128+N when a signal ended it
    int signal = 0;
    bool in_time =
        false; ///< ended, and nobody held its stdout and stderr open, before the deadline
    std::string out, err;
    milliseconds took{};
};
std::ostream& operator<<(std::ostream&, const Ran&);

/// A program that runs beside the test. Ended with SIGKILL if it still lives at the end of the
/// object's life.
class Child {
public:
    explicit Child(const Invocation&);
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    pid_t pid() const { return pid_; }
    /// Waits for its end and the end of its output; past the deadline it is killed and `in_time` is
    /// false.
    Ran finish(milliseconds deadline = test_timeout);
    /// Waits until its stdout holds `text`.
    bool says(const std::string& text, milliseconds deadline = test_timeout);
    void send(int signal) const;
    /// Our ends of its stdout and stderr go away.
    void close_output();
    const std::string& out() const { return out_; }

private:
    bool step(std::chrono::steady_clock::time_point end);
    bool ended();

    pid_t pid_ = -1;
    int pidfd_ = -1, in_ = -1, out_fd_ = -1, err_fd_ = -1;
    std::string input_, out_, err_;
    std::optional<int> status_;
    Stopwatch started_;
};

/// Runs it to its end.
Ran run(const Invocation&, milliseconds deadline = test_timeout);

/// The environment that the tests themselves were given, as K=V.
std::vector<std::string> caller_environment();
/// Where PATH, or one of the places for administrators, has the program; empty: nowhere.
std::string find_program(const std::string& name);

} // namespace bgt::test
