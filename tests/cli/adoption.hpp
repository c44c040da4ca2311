#pragma once
/// Supervisors that are killed, and what they had started.
#include "support/catch.hpp"
#include "support/lab.hpp"

#include <csignal>
#include <sstream>

namespace bgt::test {

inline pid_t supervisor_of(const boost::json::object& task)
{
    return static_cast<pid_t>(number_at(task, "/supervisor"));
}

/// SIGKILL to the supervisor of a living task; returns once it is dead.
inline void kill_supervisor(pid_t supervisor)
{
    REQUIRE(supervisor > 1);
    REQUIRE(::kill(supervisor, SIGKILL) == 0);
    REQUIRE(eventually(test_timeout, [&] { return !is_alive(supervisor); }));
}

/// Of this name, 0 without one.
inline pid_t only_child(pid_t parent, const std::string& name)
{
    const std::string pid = std::to_string(parent);
    std::istringstream children(read_file("/proc/" + pid + "/task/" + pid + "/children"));
    for (pid_t child = 0; children >> child;)
        if (read_file("/proc/" + std::to_string(child) + "/comm") == name + "\n") return child;
    return 0;
}

/// The helper of this supervisor, 0 when none comes: it takes its name when it first runs.
inline pid_t helper_of(const boost::json::object& task)
{
    pid_t helper = 0;
    eventually(test_timeout,
               [&] { return (helper = only_child(supervisor_of(task), "bgt:helper")) != 0; });
    return helper;
}

inline bool is_whole(const Lab& lab, const std::string& id, const std::string& bytes)
{
    const Ran ran =
        run(lab.program({BGT_FIXTURE, "verify-spew", lab.task_folder(id) + "/out.log", bytes}));
    INFO(ran);
    CHECK(ran.out == "ok\n");
    return ran.code == 0;
}

} // namespace bgt::test
