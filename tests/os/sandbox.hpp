#pragma once
/// Real processes for one test, all of which are gone at its end, however it ends.
#include <bgt/base/fd.hpp>
#include <bgt/os/proc.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace test {

inline constexpr std::chrono::seconds test_timeout{20};

/// Looks until the condition holds or the test_timeout is over; whether it holds.
bool eventually(const std::function<bool()>& condition,
                std::chrono::nanoseconds limit = test_timeout);

/// A started fixture program and its standard output.
struct Started {
    std::int32_t pid = 0;
    bgt::Fd output;
    bgt::Fd input;
    std::string unread;

    /// The next line without its newline; nullopt at the end of the output or when the test_timeout
    /// is over.
    std::optional<std::string> line();
    /// Numbers in the next line: of "pids 1 2 3" 1, 2 and 3.
    std::vector<std::int32_t> numbers();
    /// Everything up to the end of the output.
    std::string rest();
};

/// Makes the test the subreaper of all it starts; at its end every descendant gets SIGKILL and is
/// reaped.
class Sandbox {
public:
    Sandbox();
    ~Sandbox();
    Sandbox(const Sandbox&) = delete;
    Sandbox& operator=(const Sandbox&) = delete;

    /// Starts the fixture program in one of its modes, in a session of its own, with these
    /// variables added.
    Started start(const std::vector<std::string>& words,
                  const std::vector<std::string>& variables = {}, int output_fd = -1);
    /// Waits for a child to end: its status of waitpid, -1 when it is no child or takes too long.
    int reap(std::int32_t pid);
    /// A new folder under the temporary one, removed at the end.
    std::string folder();

private:
    std::vector<std::string> folders_;
};

/// Pids of these processes, sorted.
std::vector<std::int32_t> pids_of(const std::vector<bgt::os::ProcStat>&);
std::vector<std::int32_t> sorted(std::vector<std::int32_t>);

} // namespace test
