#include <bgt/ops/hooks.hpp>

#include <bgt/os/clock.hpp>
#include <bgt/os/proc.hpp>
#include <bgt/os/wait.hpp>

#include <algorithm>
#include <limits>
#include <string_view>

namespace bgt::ops {
namespace {

/// No hook takes longer; its supervisor is stopped then.
constexpr auto max_wait = std::chrono::minutes(2);
constexpr auto look_interval = std::chrono::milliseconds(50); ///< where there are no pidfds

template <class T>
T field(const store::TaskEvent& event, std::string_view key, T otherwise = {})
{
    for (const auto& [name, value] : event.fields)
        if (const auto* known = std::get_if<T>(&value); known != nullptr && name == key)
            return *known;
    return otherwise;
}

std::optional<std::int64_t> code_of(const store::TaskEvent& event)
{
    const bool has_code =
        std::ranges::any_of(event.fields, [](const auto& one) { return one.first == "code"; });
    return has_code ? std::optional(field<std::int64_t>(event, "code")) : std::nullopt;
}

void put_end(HookRun& run, const store::TaskEvent& event)
{
    run.state = HookState::ended;
    run.ended = event.at;
    run.code = code_of(event);
    run.error = field<std::string>(event, "error");
    run.leftovers = field<std::int64_t>(event, "leftovers");
    run.output = field<std::string>(event, "output");
    run.output_bytes_cut = field<std::int64_t>(event, "output_bytes_cut");
}

} // namespace

std::string_view to_string(HookState state)
{
    switch (state) {
    case HookState::running: return "running";
    case HookState::ended: return "ended";
    case HookState::unknown: return "unknown";
    case HookState::not_started: return "not-started";
    }
    return "";
}

bool has_failed(const HookRun& run)
{
    switch (run.state) {
    case HookState::running: return false;
    case HookState::ended: return run.code != 0 || !run.error.empty();
    case HookState::unknown:
    case HookState::not_started: break;
    }
    return true;
}

std::vector<HookRun> hook_runs(const std::vector<store::TaskEvent>& events,
                               const std::function<bool(const ProcessKey&)>& is_alive)
{
    std::vector<HookRun> runs;
    std::vector<ProcessKey> watchers; ///< of each; pid 0: it has ended
    for (const store::TaskEvent& event : events) {
        const auto pid = static_cast<std::int32_t>(field<std::int64_t>(event, "pid"));
        if (event.event == "hook-ended") {
            for (std::size_t i = runs.size(); i-- > 0;) {
                if (watchers[i].pid == 0 || watchers[i].pid != pid) continue;
                put_end(runs[i], event);
                watchers[i].pid = 0;
                break;
            }
            continue;
        }
        if (event.event != "hook" && event.event != "hook-failed") continue;
        HookRun run{.hook = field<std::string>(event, "hook", "on-hang"),
                    .command = field<std::string>(event, "command"),
                    .started = event.at};
        if (event.event == "hook-failed") {
            run.state = HookState::not_started;
            run.error = field<std::string>(event, "error");
        }
        runs.push_back(std::move(run));
        watchers.push_back({event.event == "hook" ? pid : 0,
                            static_cast<std::uint64_t>(field<std::int64_t>(event, "start_ticks"))});
    }
    for (std::size_t i = 0; i < runs.size(); ++i)
        if (watchers[i].pid != 0 && is_alive(watchers[i])) runs[i].state = HookState::running;
    return runs;
}

std::vector<HookRun> read_hook_runs(const store::TaskDir& task)
{
    const auto read = store::read_events(task.fd(), std::numeric_limits<std::size_t>::max());
    return read ? hook_runs(read->events, os::is_alive) : std::vector<HookRun>{};
}

std::vector<HookRun> await_hook_runs(const store::Root& root, store::TaskId id,
                                     ProcessKey supervisor, int wake_fd)
{
    const Instant deadline = os::now() + max_wait;
    while (os::is_alive(supervisor) && os::now() < deadline) {
        const std::optional<Fd> pidfd = os::open_pidfd(supervisor);
        const os::Readable ready = os::await_readable({pidfd ? pidfd->get() : -1, wake_fd, -1},
                                                      pidfd ? deadline : os::now() + look_interval);
        if (ready[1]) break;
    }
    os::reap_until(supervisor.pid, os::now()); // of a caller that started it
    const Result<store::TaskDir> task = root.open_task(id);
    return task ? read_hook_runs(*task) : std::vector<HookRun>{};
}

} // namespace bgt::ops
