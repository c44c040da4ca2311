#include <bgt/supervise/prober.hpp>

#include "ready_watcher.hpp"

#include <bgt/base/descriptor.hpp>
#include <bgt/os/background.hpp>
#include <bgt/os/wait.hpp>
#include <bgt/supervise/condition_probe.hpp>

#include <algorithm>
#include <fcntl.h>
#include <thread>
#include <unistd.h>

namespace bgt::supervise {
namespace {

constexpr Duration first_interval = std::chrono::milliseconds(20);
constexpr Duration last_interval = std::chrono::milliseconds(200);
/// A question that is given up is asked from the start again.
constexpr Duration check_timeout = std::chrono::seconds(30);
/// A dev server may take long for its first answer, and would begin anew each time: what ends a
/// question to it is the end of the wait.
constexpr Duration http_timeout = std::chrono::hours(1);
/// One that does not answer for so long counts as gone.
constexpr Duration gone_timeout = std::chrono::seconds(5);

Duration timeout_of(const core::Condition& condition)
{
    if (condition.gone) return gone_timeout;
    return condition.kind() == core::Condition::Kind::http ? http_timeout : check_timeout;
}

constexpr char yes = 'Y', no_response = 'N', other_response = 'O';

/// One packet of the pipe: one of these letters, and the text.
void tell(int pipe, const core::fact::Answered& answer)
{
    constexpr std::size_t max_packet = 512; // below PIPE_BUF (man 7 pipe)
    const char letter = answer.yes ? yes : answer.responded ? other_response : no_response;
    write_packet(pipe, (letter + answer.text).substr(0, max_packet));
}

int ask_until_it_holds(const core::Condition& condition, const Prober::Objection& objection,
                       int pipe)
{
    os::adopt_orphans(); // whom its commands leave behind is found below it, and ended with it
    Duration interval = first_interval;
    std::string told;
    while (true) {
        core::fact::Answered answer = probe(condition, timeout_of(condition));
        if (std::string why = answer.yes && objection ? objection(condition) : ""; !why.empty())
            answer = {false, std::move(why), true};
        if (answer.yes || answer.text != told) tell(pipe, answer);
        if (answer.yes) return 0;
        told = answer.text;
        std::this_thread::sleep_for(interval);
        interval = std::min(interval * 5 / 4, last_interval);
    }
}

} // namespace

Result<Prober> Prober::start(const core::Condition& condition, const Objection& objection)
{
    Result<Pipe> pipe = make_pipe("a pipe", O_DIRECT);
    if (!pipe) return pipe.error();
    const int writer = pipe->writer.get();
    // In a group of its own: Ctrl-C goes to the parent, which ends this one and its command in
    // order.
    const Result<pid_t> pid = os::fork_helper(
        {writer}, false, [&] { return ask_until_it_holds(condition, objection, writer); });
    if (!pid) return pid.error();
    return Prober(*pid, std::move(pipe->reader));
}

Prober::Prober(Prober&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), answer_(std::move(other.answer_))
{}

Prober::~Prober()
{
    if (pid_ <= 0) return;
    if (!os::stop_child(pid_))
        return;               // else it starts nothing more while its command is looked for
    end_descendants_of(pid_); // until nobody is found: a shell may fork while it is being ended
    os::kill_child(pid_);
    os::reap(pid_);
}

Result<core::fact::Answered> Prober::answer()
{
    const std::string packet = read_packet(answer_.get());
    if (packet.empty()) return Error::failed("the process that checks the condition died");
    return core::fact::Answered{packet[0] == yes, packet.substr(1), packet[0] != no_response};
}

} // namespace bgt::supervise
