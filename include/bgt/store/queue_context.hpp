#pragma once
/// What a waiting task takes along from whoever submitted it: environment, umask, limits, nice
/// value, processors, privileges; and where that was. Kept once for all tasks that share it, in a
/// file of queue/ that is named by its content (0600).
#include <bgt/base/privileges.hpp>
#include <bgt/base/resource_limit.hpp>
#include <bgt/base/result.hpp>
#include <bgt/store/queue_file.hpp>
#include <bgt/store/retention.hpp>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace bgt::store {

struct CallerLimit {
    int resource = 0; ///< RLIMIT_... of this machine (man 2 getrlimit)
    std::uint64_t soft = 0, hard = 0;
    bool operator==(const CallerLimit&) const = default;
};

struct QueueContext {
    std::vector<std::string> env; ///< K=V
    bool keep_env =
        false; ///< options gave some of it: it is kept in the task's folder, too (environment.hpp)
    mode_t umask = 022;
    std::vector<CallerLimit> limits;
    int nice = 0;
    std::vector<int> processors; ///< on which it may run (man 2 sched_setaffinity); empty: on all
    Privileges privileges;
    Namespaces namespaces;
    Retention retention; ///< of the root, as the caller has set it
};

/// As JSON, with the environment. decode_context() reads it. Error (damaged_file): it is not of
/// that form.
std::string encode_context(const QueueContext&);
Result<QueueContext> decode_context(std::string_view);

/// The name of the file that keeps it.
std::string context_name(const QueueContext&);
/// Keeps it where it is not there yet, and returns the name of its file. The caller holds the
/// journal's lock, so that no clearing takes it away before the record that names it is there.
Result<std::string> keep_context(const QueueFile&, const QueueContext&);
/// Error (damaged_file): it is gone, or not what was written: its name says what that was.
Result<QueueContext> read_context(const QueueFile&, const std::string& name);
/// Those that are kept.
std::vector<std::string> context_names(const QueueFile&);
/// Removes all files that none of `used` names, and what somebody who was killed had begun. The
/// caller holds the journal's lock.
void clear_contexts(const QueueFile&, const std::vector<std::string>& used);

} // namespace bgt::store
