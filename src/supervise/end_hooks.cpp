#include "end_hooks.hpp"

#include <bgt/base/descriptor.hpp>
#include <bgt/base/text.hpp>
#include <bgt/core/end_words.hpp>
#include <bgt/core/hook.hpp>
#include <bgt/os/terminal.hpp>
#include <bgt/store/log_lines.hpp>
#include <bgt/store/open_file.hpp>

#include <algorithm>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::supervise {
namespace {

constexpr std::size_t max_tail = 8192;

/// The last lines of a log, as a person would see them.
std::string last_lines(const store::TaskDir& task, const char* name)
{
    const Fd log = store::open_file(task.fd(), name, O_RDONLY);
    struct stat info {};
    if (!log || ::fstat(log.get(), &info) != 0) return {};
    std::string bytes(max_tail, '\0');
    const off_t from = std::max<off_t>(0, info.st_size - static_cast<off_t>(bytes.size()));
    const ssize_t got =
        retry_on_eintr([&] { return ::pread(log.get(), bytes.data(), bytes.size(), from); });
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    if (from > 0) bytes.erase(0, bytes.find('\n') + 1); // npos + 1 is 0: one line without an end
    std::string lines;
    store::LineCutter cutter(store::LineText::rendered);
    const auto take = [&](const store::LinePiece& piece) {
        lines.append(piece.text).append(piece.ends ? "\n" : "");
    };
    cutter.feed(bytes, 0, take);
    cutter.flush(take);
    return lines;
}

void write_tail(const HookOwner& end)
{
    std::string text = last_lines(end.task, store::file::out_log);
    text += last_lines(end.task, store::file::err_log);
    const Fd file =
        store::open_file(end.task.fd(), store::file::tail, O_WRONLY | O_CREAT | O_TRUNC);
    if (const int err = file ? write_all(file.get(), text) : errno)
        end.recorder.event("tail-failed", {{"why", Error::system("can't write it", err).message}});
}

void ring(const HookOwner& end)
{
    const std::string& terminal = end.spec.afterwards.terminal;
    const Result<void> rung = terminal.empty()
                                  ? Error::failed("the task was not started from a terminal")
                                  : os::ring_bell(terminal);
    if (rung) return end.recorder.event("notified", {{"by", std::string("bell")}});
    end.recorder.event("hook-failed", {{"hook", std::string("notify")},
                                       {"command", std::string("bell")},
                                       {"error", rung.error().message}});
}

UserHook desktop_notification(const HookOwner& end, Duration lived)
{
    const std::string name =
        end.spec.name.empty() ? "task " + to_string(end.task.id()) : printable(end.spec.name);
    const std::string text = core::ended_words(end.recorder.status().outcome) + " after " +
                             format_age(lived) + "\n" + store::shown_command(end.spec);
    return {"notify",
            "exec notify-send --app-name=bgt -- \"$BGT_TITLE\" \"$BGT_TEXT\"",
            {{"BGT_TITLE", "bgt: " + name}, {"BGT_TEXT", text}}};
}

/// For a task that lived as long as it has to.
std::optional<UserHook> notify(const HookOwner& end)
{
    const store::Afterwards& then = end.spec.afterwards;
    if (then.notify_by == store::NotifyBy::nothing) return std::nullopt;
    const store::Status& status = end.recorder.status();
    const Duration lived = status.ended && status.started
                               ? Duration(*status.ended - *status.started)
                               : Duration::zero();
    if (lived < then.notify_after) return std::nullopt;
    if (then.notify_by == store::NotifyBy::desktop) return desktop_notification(end, lived);
    ring(end);
    return std::nullopt;
}

/// Those that run the user's own commands.
std::vector<UserHook> commands(const HookOwner& end)
{
    const store::Afterwards& then = end.spec.afterwards;
    const core::Outcome& outcome = end.recorder.status().outcome;
    const HookVariables variables{
        {"BGT_OUTCOME", std::string(core::to_string(outcome.kind))},
        {"BGT_REASON", std::string(core::to_string(outcome.reason))},
        {"BGT_EXIT_CODE", std::to_string(core::exit_code(outcome))},
        {"BGT_TASK_NAME", end.spec.name},
        {"BGT_TAIL_FILE", end.task.path() + "/" + store::file::tail},
    };
    std::vector<UserHook> hooks;
    if (!then.fail_command.empty() && core::is_failure(outcome))
        hooks.push_back({"on-fail", then.fail_command, variables});
    if (!then.end_command.empty()) hooks.push_back({"on-end", then.end_command, variables});
    return hooks;
}

} // namespace

std::vector<pid_t> start_end_hooks(const HookOwner& end)
{
    if (!end.spec.afterwards.follows()) return {};
    std::vector<UserHook> hooks = commands(end);
    if (!hooks.empty()) write_tail(end);
    if (auto told = notify(end)) hooks.push_back(*std::move(told));
    std::vector<pid_t> pids;
    for (const UserHook& hook : hooks)
        if (const Result<pid_t> pid = start_user_hook(end, hook)) pids.push_back(*pid);
    return pids;
}

} // namespace bgt::supervise
