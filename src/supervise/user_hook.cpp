#include "user_hook.hpp"

#include <bgt/base/held_signals.hpp>
#include <bgt/core/hook.hpp>
#include <bgt/os/background.hpp>
#include <bgt/os/bounded_command.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/proc.hpp>
#include <bgt/os/tree.hpp>
#include <bgt/os/wait.hpp>
#include <bgt/store/open_file.hpp>

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::supervise {
namespace {

constexpr std::size_t max_output_kept = 4096;
constexpr auto leftover_wait = std::chrono::seconds(2); ///< as of a task
constexpr auto grace = std::chrono::seconds(5);
constexpr auto grace_when_told = std::chrono::seconds(1); ///< somebody waits: a shutdown, bgt rm
/// Of one that ends as it should: the rest of its time goes to stopping it.
constexpr auto await_timeout = hook_timeout + leftover_wait + grace + std::chrono::seconds(5);
constexpr int went_wrong = 1;

/// `list` without the task's own cookie, which is the last one: a hook is no part of the tree.
std::string outer_cookies(std::string_view list, std::string_view own)
{
    if (!own.empty() && list.ends_with(own)) list.remove_suffix(own.size());
    if (list.ends_with(':')) list.remove_suffix(1);
    return std::string(list);
}

std::vector<std::string> own_environment()
{
    std::vector<std::string> env;
    for (char** entry = environ; entry && *entry; ++entry) env.emplace_back(*entry);
    return env;
}

/// That of the command, without what makes a process one of the task.
std::vector<std::string> hook_environment(const HookOwner& owner, const UserHook& hook)
{
    HookVariables ours{{"BGT_TASK_ID", to_string(owner.task.id())},
                       {"BGT_TASK_DIR", owner.task.path()},
                       {"BGT_ROOT", owner.root},
                       {core::hook_variable, hook.name}};
    ours.insert(ours.end(), hook.variables.begin(), hook.variables.end());
    for (const char* name : {"BGT_DEADLINE", "BGT_GRACE", "BGT_ATTEMPT", "NOTIFY_SOCKET",
                             "WATCHDOG_USEC", "WATCHDOG_PID"})
        ours.emplace_back(name, "");
    const std::string cookie = std::string(os::cookie_variable) + "=";
    std::vector<std::string> env;
    for (const std::string& entry : owner.env.empty() ? own_environment() : owner.env) {
        const auto name = std::string_view(entry).substr(0, entry.find('='));
        if (entry.starts_with(cookie))
            ours.emplace_back(
                os::cookie_variable,
                outer_cookies(std::string_view(entry).substr(cookie.size()), owner.spec.cookie));
        else if (std::ranges::find(ours, name, &HookVariables::value_type::first) == ours.end())
            env.push_back(entry);
    }
    for (const auto& [name, value] : ours)
        if (!value.empty()) env.push_back(name + "=" + value);
    return env;
}

std::string stop_words(os::StoppedFor why, pid_t supervisor)
{
    switch (why) {
    case os::StoppedFor::nothing: return {};
    case os::StoppedFor::timeout:
        return "it was stopped: it took longer than " + format_duration(hook_timeout);
    case os::StoppedFor::told:
        return os::is_parent(supervisor) ? "it was stopped, as the supervisor was told to end"
                                         : "it was stopped, as the supervisor was killed";
    }
    return {};
}

/// What an event says of its end.
std::vector<store::EventField> fields_of(const os::BoundedEnd& end, std::string error)
{
    std::vector<store::EventField> fields;
    if (end.code) fields.push_back({"code", std::int64_t{*end.code}});
    if (end.leftovers > 0)
        fields.push_back({"leftovers", static_cast<std::int64_t>(end.leftovers)});
    if (end.survivors > 0)
        error += fmt::format("{}{} {} could not be ended by SIGKILL", error.empty() ? "" : "; ",
                             end.survivors, end.survivors == 1 ? "process" : "processes");
    if (!error.empty()) fields.push_back({"error", std::move(error)});
    if (end.output.empty()) return fields;
    fields.push_back({"output", end.output});
    const std::uint64_t cut = end.output_bytes - end.output.size();
    if (cut > 0) fields.push_back({"output_bytes_cut", static_cast<std::int64_t>(cut)});
    return fields;
}

bool is_folder(const std::string& path)
{
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

/// In the process of its own.
int run_and_tell(const HookOwner& owner, const UserHook& hook, pid_t supervisor)
{
    // Told of the supervisor's end by the signal that stops the command.
    if (const sigset_t held = signal_set({SIGTERM});
        sigprocmask(SIG_BLOCK, &held, nullptr) != 0 || !os::signal_at_end_of(supervisor, SIGTERM))
        return went_wrong; // nothing was run
    const ProcessKey self = os::own_key();
    const Fd events =
        store::open_file(owner.task.fd(), store::file::events, O_RDWR | O_CREAT | O_APPEND);
    const auto tell = [&](std::string_view event, std::vector<store::EventField> fields) {
        fields.insert(fields.begin(), {{"hook", hook.name}, {"pid", std::int64_t{self.pid}}});
        static_cast<void>(store::append_event(events.get(), os::wall_now(), event, fields));
    };
    tell("hook",
         {{"start_ticks", static_cast<std::int64_t>(self.start_ticks)}, {"command", hook.command}});
    os::BoundedCommand command{.text = hook.command,
                               .env = hook_environment(owner, hook),
                               .cwd = is_folder(owner.spec.cwd) ? owner.spec.cwd : "/",
                               .umask = owner.spec.umask.value_or(077),
                               .timeout = hook_timeout,
                               .leftover_wait = leftover_wait,
                               .grace = grace,
                               .grace_when_told = grace_when_told,
                               .max_output = max_output_kept};
    const Result<os::BoundedEnd> end = os::run_bounded(command);
    if (!end) {
        tell("hook-ended", {{"error", end.error().message}});
        return went_wrong;
    }
    tell("hook-ended", fields_of(*end, stop_words(end->stopped, supervisor)));
    const bool fine = end->code == 0 && end->stopped == os::StoppedFor::nothing;
    return fine && end->survivors == 0 ? 0 : went_wrong;
}

} // namespace

Result<pid_t> start_user_hook(const HookOwner& owner, const UserHook& hook)
{
    const pid_t supervisor = os::own_pid();
    const Result<pid_t> pid = os::fork_helper(
        {owner.task.fd()}, true, [&] { return run_and_tell(owner, hook, supervisor); });
    if (!pid)
        owner.recorder.event(
            "hook-failed",
            {{"hook", hook.name}, {"command", hook.command}, {"error", pid.error().message}});
    return pid;
}

bool await_user_hooks(std::vector<pid_t> hooks, int signals)
{
    bool fine = true;
    bool told = false;
    const Instant deadline = os::now() + await_timeout;
    for (;;) {
        std::erase_if(hooks, [&](pid_t hook) {
            const auto end = os::try_reap(hook);
            if (end) fine = fine && end->exit_code == 0;
            return end || !os::is_child(hook);
        });
        if (hooks.empty()) return fine;
        if (os::now() >= deadline) break;
        os::await_readable({signals, -1, -1}, deadline);
        if (os::take_signals(signals) && !std::exchange(told, true))
            for (const pid_t hook : hooks) kill(hook, SIGTERM);
    }
    for (const pid_t hook : hooks) os::kill_child(hook); // stopped, say
    return false;
}

} // namespace bgt::supervise
