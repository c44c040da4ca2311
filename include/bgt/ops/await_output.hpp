#pragma once
/// Sleeps until a task has said more, waits for input, or is over.
#include <bgt/ops/answer.hpp>
#include <bgt/store/log_file.hpp>
#include <bgt/store/root.hpp>
#include <optional>

namespace bgt::ops {

struct AwaitOutputRequest {
    store::TaskId task;
    std::uint64_t cursor = 0; ///< more than so many bytes of its log
    Duration timeout{};
    /// Goes on until what it says has come to its end: it reads its stdin, has been silent for a
    /// second since it said something, or is over.
    bool until_prompt = false;
    store::WhichLog stream = store::WhichLog::out;
};

struct AwaitOutputAnswer {
    std::uint64_t log_size = 0;
    bool over = false;
    bool waits_for_input = false; ///< a process of it reads a terminal or its stdin
    bool timed_out = false;       ///< nothing of what was waited for has come
};

/// Wakes at once by inotify. Whether it waits for input is asked of its supervisor only after a
/// silence. Error: no such task; it waits in a queue (waited for until the timeout); cancelled().
Result<AwaitOutputAnswer> await_output(store::Root&, const AwaitOutputRequest&, Cancel = {});

/// Whether a process of the task reads a terminal or its stdin just now, as its supervisor sees it.
/// False where nobody can tell.
bool waits_for_input(store::Root&, store::TaskId);

} // namespace bgt::ops
