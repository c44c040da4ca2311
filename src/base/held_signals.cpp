#include <bgt/base/held_signals.hpp>

#include <bgt/base/descriptor.hpp>

#include <sys/signalfd.h>
#include <unistd.h>

namespace bgt {

sigset_t signal_set(std::initializer_list<int> signals)
{
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : signals) sigaddset(&set, signal);
    return set;
}

Fd signal_descriptor(const sigset_t& set)
{
    return Fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int take_signal(int descriptor)
{
    signalfd_siginfo info{};
    const auto got = retry_on_eintr([&] { return ::read(descriptor, &info, sizeof info); });
    return got == static_cast<ssize_t>(sizeof info) ? static_cast<int>(info.ssi_signo) : 0;
}

HeldSignals::HeldSignals(std::initializer_list<int> signals)
{
    sigset_t set = signal_set({});
    for (const int signal : signals) {
        struct sigaction now {};
        // While it is blocked the kernel queues also what is ignored.
        if (::sigaction(signal, nullptr, &now) == 0 && now.sa_handler != SIG_IGN)
            sigaddset(&set, signal);
    }
    ::sigprocmask(SIG_BLOCK, &set, &before_);
    fd_ = signal_descriptor(set);
    if (!fd_) ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

HeldSignals::~HeldSignals()
{
    if (fd_) ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

} // namespace bgt
