#pragma once
/// The user's commands beside a task (`--on-end`, `--on-fail`, `--on-hang exec:`) and what came of
/// them.
#include <bgt/base/process_key.hpp>
#include <bgt/store/events.hpp>
#include <bgt/store/root.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace bgt::ops {

enum class HookState : std::uint8_t {
    running,
    ended,
    unknown,     ///< the process that watched it was killed
    not_started, ///< that could not be done
};
std::string_view to_string(HookState); ///< "running", "ended", "unknown", "not-started"

struct HookRun {
    std::string hook;    ///< "on-end"
    std::string command; ///< as it was given; of a notification what bgt made of it
    HookState state = HookState::unknown;
    WallTime started{};
    std::optional<WallTime> ended = {};
    std::optional<std::int64_t> code = {}; ///< exit code, or 128+N of a signal
    std::string error = {};                ///< what went wrong besides: "it was stopped: ..."
    std::int64_t leftovers = 0;            ///< processes that it left, which were stopped
    std::string output = {};               ///< the end of what it wrote
    std::int64_t output_bytes_cut = 0;
};
/// That what it was to do was not done, or not surely.
bool has_failed(const HookRun&);

/// Those that the events tell of, in the order of their starts. `is_alive`: whether that process,
/// which watches one, lives.
std::vector<HookRun> hook_runs(const std::vector<store::TaskEvent>&,
                               const std::function<bool(const ProcessKey&)>& is_alive);

/// The same of a task's folder.
std::vector<HookRun> read_hook_runs(const store::TaskDir&);

/// Those of a task that has ended, once its supervisor, which watches over them, is gone. Returns
/// earlier, with what is known then, when `wake_fd` (-1: none) can be read.
std::vector<HookRun> await_hook_runs(const store::Root&, store::TaskId, ProcessKey supervisor,
                                     int wake_fd);

} // namespace bgt::ops
