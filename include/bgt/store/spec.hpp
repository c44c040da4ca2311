#pragma once
/// `spec.json`: what was asked for. Written once, before the start; never changed.
#include <bgt/base/resource_limit.hpp>
#include <bgt/core/queue.hpp>
#include <bgt/core/scope_chain.hpp>
#include <bgt/core/task.hpp>
#include <bgt/core/watch_spec.hpp>
#include <bgt/store/status.hpp>
#include <bgt/store/task_id.hpp>
#include <map>
#include <string>
#include <vector>

namespace bgt::store {

using bgt::ResourceLimit;

enum class StdinFrom : std::uint8_t {
    null,
    pipe, ///< what `bgt send` writes
    file,
    caller, ///< what was the stdin of `bgt run`; of later attempts null
};

/// Of a task that `bgt up` started.
struct ProjectTask {
    std::string folder;      ///< of the bgt.toml or Procfile; absolute
    std::uint32_t level = 0; ///< one more than that of each task that it comes after
    std::map<std::string, std::string>
        table; ///< its keys there, each with a hash of its value: tells what has changed since
};

enum class NotifyBy : std::uint8_t {
    nothing,
    desktop, ///< notify-send
    bell,    ///< of the terminal from which the task was started
};
std::string_view to_string(NotifyBy); ///< "off", "desktop", "bell"
std::optional<NotifyBy> parse_notify_by(std::string_view);

/// What follows the end of the task.
struct Afterwards {
    std::string end_command;  ///< `--on-end CMD`; empty: none
    std::string fail_command; ///< `--on-fail CMD`
    NotifyBy notify_by = NotifyBy::nothing;
    Duration notify_after{}; ///< of a task that lived as long
    std::string terminal;    ///< whose bell is meant: the path of its device; empty: none
    /// Whether anything does.
    bool follows() const
    {
        return !end_command.empty() || !fail_command.empty() || notify_by != NotifyBy::nothing;
    }
};

struct TaskSpec {
    TaskId id;
    std::string name; ///< empty: none
    std::map<std::string, std::string> tags;
    std::vector<std::string> command;   ///< argv; any bytes but NUL
    bool shell = false;                 ///< `-c`: command is {"/bin/sh", "-c", TEXT}
    std::string cwd;                    ///< absolute
    std::optional<std::uint32_t> umask; ///< of the command
    WallTime created{};
    core::Policy policy;             ///< what the core decides by
    std::optional<ProcessKey> owner; ///< `--owner`
    core::ScopeChain scopes;         ///< around it (`bgt scope`)
    bool independent = false;        ///< `--independent`: of the task in which it is started
    StdinFrom stdin_from = StdinFrom::null;
    std::string stdin_file;               ///< absolute; with StdinFrom::file
    bool split = false;                   ///< stderr in a log of its own
    std::uint64_t log_max = 256ull << 20; ///< bytes of each log that are kept; 0: no limit
    std::optional<int> nice;
    std::vector<ResourceLimit> limits;
    bool remove_when_ended = false; ///< `--rm`
    std::string cookie; ///< 32 hex digits, secret: marks the tree's environments (TaskMarks)
    std::vector<std::string> ready; ///< `--ready-*`: conditions as `bgt wait --for` takes them, or
                                    ///< "notify"; all must hold
    std::string hang_command;       ///< `--on-hang exec:CMD`
    std::optional<core::WatchSpec> watch; ///< `--watch`
    Afterwards afterwards;
    std::string progress_pattern;               ///< `--progress-pattern`, a regex that compiles
    bool dump_stacks = true;                    ///< in hang reports; `--dump none`
    std::string queue;                          ///< from which it was started; empty: from none
    std::int32_t priority = 0;                  ///< there
    std::uint32_t slots = 1;                    ///< of that queue that it takes
    std::map<std::string, std::uint64_t> needs; ///< what it takes of the named resources
    std::string key;                            ///< at most one task of a key runs at once
    std::uint32_t slot = 0; ///< the first of its slots, from 1 on; 0: not started
    std::map<std::string, std::vector<std::uint32_t>>
        units;                           ///< of small resources, which units it got, from 0 on
    std::vector<core::Dependency> after; ///< what it waited for
    std::vector<std::string>
        element_env; ///< K=V that its place in an array gave it: BGT_ARRAY_INDEX, BGT_ITEM
    TaskId retry_of; ///< the task of which it is another run; 0: none
    std::optional<ProjectTask> project;
    bool keeps_history = true; ///< once it is over, a record of it is added to the history
    std::uint64_t mark = 0; ///< RLIMIT_RTTIME of the tree, a number like no other task's; 0: none
};

/// The command as a table shows it: quoted, safe for a terminal; of `-c` the text alone.
std::string shown_command(const TaskSpec&);

/// {"schema":1, ...}. Bytes that are not UTF-8 are kept as they are.
std::string encode_spec(const TaskSpec&);
/// The JSON object `changes` of fields of spec.json, with those added that say how this one waits.
std::string with_waiting_fields(std::string_view changes, const TaskSpec&);
/// Unknown fields are passed over (a newer bgt wrote them); a missing one keeps its default, but id
/// and command must be there. Error (failed): not JSON, wrong types, a schema above 1 that says it
/// can't be read.
Result<TaskSpec> decode_spec(std::string_view json);

/// Creates spec.json (0600) in the folder. Error: exists, no space.
Result<void> write_spec(int task_dir_fd, const TaskSpec&);
Result<TaskSpec> read_spec(int task_dir_fd);

} // namespace bgt::store
