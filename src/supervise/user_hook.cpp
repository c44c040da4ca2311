#include "user_hook.hpp"

#include <bgt/base/held_signals.hpp>
#include <bgt/core/hook.hpp>
#include <bgt/os/background.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/proc.hpp>
#include <bgt/os/tree.hpp>
#include <bgt/os/wait.hpp>
#include <bgt/store/open_file.hpp>
#include <bgt/store/root.hpp>
#include <bgt/store/root_events.hpp>

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <unistd.h>

namespace bgt::supervise {
namespace {

constexpr int went_wrong = 1;

/// `list` without the task's own cookie, which is the last one: a hook is no part of the tree.
std::string outer_cookies(std::string_view list, std::string_view own)
{
    if (!own.empty() && list.ends_with(own)) list.remove_suffix(own.size());
    if (list.ends_with(':')) list.remove_suffix(1);
    return std::string(list);
}

/// That of the command, without what makes a process one of the task.
std::vector<std::string> hook_environment(const HookOwner& owner, const UserHook& hook)
{
    HookVariables ours{{"BGT_TASK_ID", to_string(owner.task.id())},
                       {"BGT_TASK_DIR", owner.task.path()},
                       {"BGT_ROOT", owner.root},
                       {core::hook_variable, hook.name}};
    ours.insert(ours.end(), hook.variables.begin(), hook.variables.end());
    forget_task(ours);
    const std::string cookie = std::string(os::cookie_variable) + "=";
    const std::vector<std::string> env = owner.env.empty() ? own_environment() : owner.env;
    for (const std::string& entry : env)
        if (entry.starts_with(cookie))
            ours.emplace_back(
                os::cookie_variable,
                outer_cookies(std::string_view(entry).substr(cookie.size()), owner.spec.cookie));
    return with_variables(env, ours);
}

std::string stop_words(os::StoppedFor why, pid_t supervisor)
{
    switch (why) {
    case os::StoppedFor::nothing: return {};
    case os::StoppedFor::timeout: return stopped_for_timeout(why);
    case os::StoppedFor::told:
        return os::is_parent(supervisor) ? "it was stopped, as the supervisor was told to end"
                                         : "it was stopped, as the supervisor was killed";
    }
    return {};
}

/// In the stream of all tasks. What can't be written is not.
void tell_root(const HookOwner& owner, std::string_view what, WallTime at,
               std::vector<store::EventField> fields)
{
    const auto root = store::Root::open(owner.root, store::Root::IfMissing::empty);
    const core::EventType* type = core::find_event_type(what);
    if (!root || !root->exists() || !type) return;
    store::RootEvent event;
    event.at = at;
    event.type = type->word;
    event.level = type->level;
    event.task = owner.task.id();
    event.name = owner.spec.name;
    for (store::EventField& field : fields) {
        if (field.key == "start_ticks") continue;
        const auto* code = std::get_if<std::int64_t>(&field.value);
        if (field.key == "error" || (field.key == "code" && code && *code != 0))
            event.level = core::EventLevel::error;
        event.data.emplace_back(field.key, std::move(field.value));
    }
    static_cast<void>(store::EventWriter(root->fd()).append(event));
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
        const WallTime now = os::wall_now();
        static_cast<void>(store::append_event(events.get(), now, event, fields));
        tell_root(owner, event, now, std::move(fields));
    };
    tell("hook",
         {{"start_ticks", static_cast<std::int64_t>(self.start_ticks)}, {"command", hook.command}});
    const Result<os::BoundedEnd> end =
        os::run_bounded(hook_command(hook.command, hook_environment(owner, hook), owner.spec.cwd,
                                     owner.spec.umask.value_or(077)));
    if (!end) {
        tell("hook-ended", {{"error", end.error().message}});
        return went_wrong;
    }
    tell("hook-ended", fields_of(*end, stop_words(end->stopped, supervisor)));
    return is_fine(*end) ? 0 : went_wrong;
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
    const Instant deadline = os::now() + longest_hook;
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
