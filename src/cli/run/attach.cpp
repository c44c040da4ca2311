#include "attach.hpp"
#include "answer.hpp"

#include <bgt/base/descriptor.hpp>
#include <bgt/base/timer.hpp>
#include <bgt/core/end_words.hpp>
#include <bgt/ops/attach.hpp>
#include <bgt/ops/hooks.hpp>
#include <bgt/ops/pause.hpp>
#include <bgt/ops/stop.hpp>
#include <bgt/ops/task_monitor.hpp>
#include <bgt/render/hooks.hpp>
#include <bgt/render/wait_json.hpp>
#include <cerrno>
#include <csignal>
#include <poll.h>
#include <unistd.h>

namespace bgt::cli {

HeldSignals hold_attached_signals()
{
    if (::isatty(STDIN_FILENO) != 0) return HeldSignals{SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGQUIT};
    return HeldSignals{SIGINT, SIGTERM, SIGHUP};
}

namespace {

/// What a person does with a task from the terminal at which bgt stays with it.
class Keys {
public:
    Keys(Context& context, store::Root& root, store::TaskId id, const Fd& leave, int signals)
        : context_(context), root_(root), id_(id), leave_(leave), signals_(signals)
    {}

    void take(int signal)
    {
        if (signal == SIGTSTP) return suspend();
        if (signal == SIGQUIT) return ask();
        stop();
    }

private:
    void stop()
    {
        const bool now = stops_++ > 0;
        context_.hint(now ? "bgt run: killing it"
                          : "bgt run: stopping it (a second signal kills it)");
        if (const auto asked = ops::request_stop(root_, id_, now); !asked)
            context_.complain(asked.error().message);
    }
    void suspend()
    {
        const auto paused = ops::pause_one(root_, id_);
        if (!paused) context_.complain(paused.error().message);
        context_.hint("bgt run: paused task " + to_string(id_) + " (fg: it goes on)");
        ::raise(SIGSTOP);
        if (!paused) return;
        if (const auto resumed = ops::resume_one(root_, id_); !resumed)
            context_.complain(resumed.error().message);
    }
    void ask()
    {
        context_.hint("bgt run: task " + to_string(id_) +
                      ": [s]top it, [k]ill it, leave it in the [b]ackground, or [Enter] to go on?");
        pollfd either[] = {{STDIN_FILENO, POLLIN, 0}, {signals_, POLLIN, 0}};
        retry_on_eintr([&] { return ::poll(either, 2, -1); });
        char answer[64] = {};
        if (either[1].revents != 0 || ::read(STDIN_FILENO, answer, sizeof answer - 1) <= 0)
            return; // a signal is an answer
        if (answer[0] == 's') return stop();
        if (answer[0] == 'k') {
            ++stops_;
            return stop();
        }
        if (answer[0] == 'b') static_cast<void>(set_timer(leave_, Duration::zero()));
    }

    Context& context_;
    store::Root& root_;
    store::TaskId id_;
    const Fd& leave_;
    int signals_;
    int stops_ = 0;
};

} // namespace

std::string why_ended(const store::Root& root, store::TaskId id, const store::Status& status)
{
    const int code = ops::exit_code(status);
    if (code != code::hung && code != code::task_timeout) return {};
    const auto task = root.open_task(id);
    const auto spec = task ? store::read_spec(task->fd()) : Result<store::TaskSpec>(task.error());
    const std::string limit =
        ops::limit_in_words(status.outcome.reason, spec ? spec->policy : core::Policy{});
    if (limit.empty()) return {};
    const std::string next = code == code::hung ? "bgt why " : "bgt show ";
    return ops::label(id, status) + " " + core::ended_words(status.outcome) + ": " + limit +
           ", so the exit code is " + std::to_string(code) + " (" + next + to_string(id) + ")";
}

std::string background_words(store::TaskId id)
{
    const std::string number = to_string(id);
    return "task " + number + " keeps running in the background (bgt wait " + number +
           ", bgt logs -f " + number + ", bgt kill " + number + ")";
}

void print_end_json(Context& context, store::Root& root, store::TaskId id,
                    const std::optional<store::Status>& status)
{
    render::WaitTold told{code::wait_timeout, background_words(id), tail_of_task(root, id)};
    if (status) {
        told.code = ops::exit_code(*status);
        told.reason = why_ended(root, id, *status);
        if (told.reason.empty())
            told.reason = ops::label(id, *status) + " " + core::ended_words(status->outcome);
    }
    const auto now = ops::recover_and_inspect_all(root, {id}, {true, true, true, true});
    context.print(render::end_wait_json(now, status.has_value(), told, context.fields()));
}

bool has_hooks(const store::TaskSpec& spec)
{
    return spec.afterwards.follows() || !spec.hang_command.empty();
}

std::vector<std::string> failed_hooks(const store::Root& root, store::TaskId id,
                                      const store::Status& status, const HeldSignals& signals)
{
    std::vector<std::string> lines;
    if (status.tree_lives) return lines; // its supervisor stays for what was kept
    for (const ops::HookRun& hook :
         ops::await_hook_runs(root, id, status.supervisor, signals.fd())) {
        if (!ops::has_failed(hook)) continue;
        lines.push_back("a hook failed: " + render::hook_words(hook));
        for (const std::string& line : render::hook_output(hook)) lines.push_back("  " + line);
    }
    return lines;
}

Result<std::optional<store::Status>> stay_until_end(Context& context, store::Root& root,
                                                    store::TaskId id, HeldSignals& signals,
                                                    bool stream, std::optional<Duration> max_wait)
{
    std::signal(SIGPIPE, SIG_IGN); // a closed stdout is seen as EPIPE
    ops::AttachRequest request;
    if (stream) {
        request.out_fd = STDOUT_FILENO;
        request.err_fd = STDERR_FILENO;
    }
    request.note = [&](const std::string& text) { context.complain(text); };
    request.wake_fd = signals.fd();
    Result<Fd> timer = make_timer(); // readable: the task goes on in the background
    if (max_wait && !timer) return timer.error();
    const Fd leave = timer ? *std::move(timer) : Fd();
    if (max_wait) { BGT_TRY(set_timer(leave, *max_wait)); }
    Keys keys(context, root, id, leave, signals.fd());
    request.on_wake = [&] {
        while (const int signal = signals.take()) keys.take(signal);
    };
    auto last = ops::attach(root, id, request, ops::Cancel{leave.get()});
    if (last) return std::optional(*std::move(last));
    if (ops::is_cancelled(last.error())) return std::optional<store::Status>{};
    return last.error();
}

} // namespace bgt::cli
