#include "attach.hpp"

#include <bgt/core/end_words.hpp>
#include <bgt/ops/attach.hpp>
#include <bgt/ops/stop.hpp>
#include <bgt/ops/task_monitor.hpp>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <sys/timerfd.h>
#include <unistd.h>

namespace bgt::cli {

namespace {

/// Becomes readable after so long (man 2 timerfd_create).
Result<Fd> timer(Duration after)
{
    Fd fd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    const auto ns = std::max(std::chrono::duration_cast<std::chrono::nanoseconds>(after).count(), std::int64_t{1}); // 0 would stop it
    itimerspec when{};
    when.it_value.tv_sec = static_cast<time_t>(ns / 1'000'000'000);
    when.it_value.tv_nsec = static_cast<long>(ns % 1'000'000'000);
    if (!fd || ::timerfd_settime(fd.get(), 0, &when, nullptr) != 0) return Error::system("--max-wait: a timer", errno);
    return fd;
}

/// "no progress for 5s"
std::string limit_words(core::Reason reason, const core::Policy& policy)
{
    const auto for_time = [](const char* text, const std::optional<Duration>& limit) {
        return text + (limit ? " for " + format_duration(*limit) : std::string());
    };
    switch (reason) {
    case core::Reason::output_timeout: return for_time("no output", policy.hang.output);
    case core::Reason::progress_timeout: return for_time("no progress", policy.hang.progress);
    case core::Reason::idle_timeout: return for_time("idle", policy.hang.idle);
    case core::Reason::ready_timeout: return for_time("not ready", policy.hang.ready);
    case core::Reason::timeout: return for_time("it ran", policy.timeout);
    case core::Reason::cpu_limit: return policy.hang.cpu ? "it used " + format_duration(*policy.hang.cpu) + " of CPU time" : "";
    case core::Reason::self:
    case core::Reason::killed:
    case core::Reason::owner_gone:
    case core::Reason::shutdown:
    case core::Reason::dependency_failed:
    case core::Reason::cancelled:
    case core::Reason::expired:
    case core::Reason::superseded: break;
    }
    return {};
}

} // namespace

std::string why_ended(const store::Root& root, store::TaskId id, const store::Status& status)
{
    const int code = ops::exit_code(status);
    if (code != code::hung && code != code::task_timeout) return {};
    const auto task = root.open_task(id);
    const auto spec = task ? store::read_spec(task->fd()) : Result<store::TaskSpec>(task.error());
    const std::string limit = limit_words(status.outcome.reason, spec ? spec->policy : core::Policy{});
    if (limit.empty()) return {};
    const std::string next = code == code::hung ? "bgt why " : "bgt show ";
    return ops::label(id, status) + " " + core::ended_words(status.outcome) + ": " + limit + ", so the exit code is " + std::to_string(code) +
           " (" + next + to_string(id) + ")";
}

Result<std::optional<store::Status>> stay_until_end(Context& context, store::Root& root, store::TaskId id, HeldSignals& signals,
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
    // The first signal asks for a stop, any other for SIGKILL.
    request.on_wake = [&, stops = 0]() mutable {
        while (signals.take() != 0) {
            const bool now = stops++ > 0;
            context.hint(now ? "bgt run: killing it" : "bgt run: stopping it (a second signal kills it)");
            if (const auto asked = ops::request_stop(root, id, now); !asked) context.complain(asked.error().message);
        }
    };
    Fd limit;
    if (max_wait) {
        auto made = timer(*max_wait);
        if (!made) return made.error();
        limit = *std::move(made);
    }
    auto last = ops::attach(root, id, request, ops::Cancel{limit.get()});
    if (last) return std::optional(*std::move(last));
    if (ops::is_cancelled(last.error())) return std::optional<store::Status>{};
    return last.error();
}

} // namespace bgt::cli
