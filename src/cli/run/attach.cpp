#include "attach.hpp"

#include <bgt/ops/attach.hpp>
#include <bgt/ops/stop.hpp>
#include <csignal>
#include <sys/signalfd.h>
#include <unistd.h>

namespace bgt::cli {

HeldSignals::HeldSignals()
{
    sigemptyset(&set_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set_, signal);
    sigprocmask(SIG_BLOCK, &set_, &before_);
    fd_ = Fd(::signalfd(-1, &set_, SFD_CLOEXEC | SFD_NONBLOCK));
}

HeldSignals::~HeldSignals()
{
    sigprocmask(SIG_SETMASK, &before_, nullptr);
}

bool HeldSignals::take()
{
    signalfd_siginfo info = {};
    return ::read(fd(), &info, sizeof info) == static_cast<ssize_t>(sizeof info);
}

Result<store::Status> stay_until_end(Context& context, store::Root& root, store::TaskId id, HeldSignals& signals, bool stream)
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
        while (signals.take()) {
            const bool now = stops++ > 0;
            context.hint(now ? "bgt run: killing it" : "bgt run: stopping it (once more: kill it)");
            if (const auto asked = ops::request_stop(root, id, now); !asked) context.complain(asked.error().message);
        }
    };
    return ops::attach(root, id, request);
}

} // namespace bgt::cli
