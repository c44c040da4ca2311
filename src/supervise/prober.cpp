#include <bgt/supervise/prober.hpp>

#include "ready_watcher.hpp"

#include <bgt/os/background.hpp>
#include <bgt/supervise/condition_probe.hpp>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace bgt::supervise {
namespace {

constexpr Duration first_interval = std::chrono::milliseconds(20);
constexpr Duration last_interval = std::chrono::milliseconds(200);
/// A question that is given up is asked from the start again.
constexpr Duration check_timeout = std::chrono::seconds(30);
/// A dev server may take long for its first answer, and would begin anew each time: what ends a question to it is the end
/// of the wait.
constexpr Duration http_timeout = std::chrono::hours(1);
/// One that does not answer for so long counts as gone.
constexpr Duration gone_timeout = std::chrono::seconds(5);

Duration timeout_of(const core::Condition& condition)
{
    if (condition.gone) return gone_timeout;
    return condition.kind() == core::Condition::Kind::http ? http_timeout : check_timeout;
}

/// One packet of the pipe: '1' or '0', and the text.
void tell(int pipe, const core::fact::Answered& answer)
{
    constexpr std::size_t max_packet = 512; // below PIPE_BUF (man 7 pipe)
    const std::string packet = ((answer.yes ? "1" : "0") + answer.text).substr(0, max_packet);
    while (write(pipe, packet.data(), packet.size()) < 0 && errno == EINTR) {}
}

int ask_until_it_holds(const core::Condition& condition, int pipe)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1); // whom its commands leave behind is found below it, and ended with it
    Duration interval = first_interval;
    std::string told;
    while (true) {
        const core::fact::Answered answer = probe(condition, timeout_of(condition));
        if (answer.yes || answer.text != told) tell(pipe, answer);
        if (answer.yes) return 0;
        told = answer.text;
        std::this_thread::sleep_for(interval);
        interval = std::min(interval * 5 / 4, last_interval);
    }
}

} // namespace

Result<Prober> Prober::start(const core::Condition& condition)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_DIRECT) != 0) return Error::system("making a pipe", errno);
    Fd read_end(ends[0]), write_end(ends[1]);
    // In a group of its own: Ctrl-C goes to the parent, which ends this one and its command in order.
    const Result<pid_t> pid = os::fork_helper({write_end.get()}, false, [&] { return ask_until_it_holds(condition, write_end.get()); });
    if (!pid) return pid.error();
    return Prober(*pid, std::move(read_end));
}

Prober::Prober(Prober&& other) noexcept : pid_(std::exchange(other.pid_, 0)), answer_(std::move(other.answer_)) {}

Prober::~Prober()
{
    if (pid_ <= 0) return;
    kill(pid_, SIGSTOP); // it starts nothing more while its command is looked for
    int status = 0;
    while (waitpid(pid_, &status, WUNTRACED) < 0 && errno == EINTR) {}
    if (!WIFSTOPPED(status)) return; // it had ended, and is reaped
    end_descendants_of(pid_);        // until nobody is found: a shell may fork while it is being ended
    kill(pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {}
}

Result<core::fact::Answered> Prober::answer()
{
    char packet[PIPE_BUF];
    ssize_t got = 0;
    do got = read(answer_.get(), packet, sizeof packet);
    while (got < 0 && errno == EINTR);
    if (got <= 0) return Error::failed("the process that checks the condition died");
    return core::fact::Answered{packet[0] == '1', std::string(packet + 1, static_cast<std::size_t>(got - 1))};
}

} // namespace bgt::supervise
