#include <bgt/supervise/ready_watch.hpp>

#include <bgt/base/descriptor.hpp>
#include <bgt/os/background.hpp>
#include <bgt/os/proc.hpp>

#include "ready_watcher.hpp"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <set>
#include <unistd.h>

namespace bgt::supervise {
namespace {

Result<std::vector<core::Condition>> read_conditions(const ReadyWatch::What& what)
{
    std::vector<core::Condition> conditions;
    for (const std::string& text : what.conditions) {
        Result<core::Condition> condition = core::parse_condition(text, what.cwd);
        if (!condition) return condition.error();
        if (!condition->can_make_ready())
            return Error::usage("the condition " + text + " can't make a task ready");
        conditions.push_back(std::move(*condition));
    }
    if (std::ranges::all_of(conditions, &core::Condition::is_guard))
        return Error::usage("log-fail alone can't make a task ready");
    return conditions;
}

} // namespace

Result<ReadyWatch> ReadyWatch::start(const store::TaskDir& task, const What& what)
{
    Result<std::vector<core::Condition>> conditions = read_conditions(what);
    if (!conditions) return conditions.error();
    Result<Pipe> pipe = make_pipe("a pipe", O_NONBLOCK | O_DIRECT);
    if (!pipe) return pipe.error();
    const Result<pid_t> pid =
        os::fork_helper({task.fd(), pipe->writer.get()}, true, [&, parent = os::own_pid()] {
            return run_ready_watcher(task, what, std::move(*conditions), pipe->writer.get(),
                                     parent);
        });
    if (!pid) return pid.error();
    Result<os::Child> child = os::Child::watch(*pid);
    if (!child) return child.error();
    return ReadyWatch(*pid, std::move(*child), std::move(pipe->reader));
}

ReadyWatch::ReadyWatch(ReadyWatch&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      child_(std::move(other.child_)),
      answer_(std::move(other.answer_))
{}

ReadyWatch::Answer ReadyWatch::answer()
{
    const std::string bytes = read_packet(answer_.get());
    if (bytes.empty()) return {Answer::Kind::failed, "the process that watches for readiness died"};
    const Answer::Kind kinds[] = {Answer::Kind::ready, Answer::Kind::never, Answer::Kind::failed,
                                  Answer::Kind::told, Answer::Kind::responded};
    for (const Answer::Kind kind : kinds)
        if (bytes[0] == letter_of(kind)) return {kind, bytes.substr(1)};
    return {Answer::Kind::failed, "the process that watches for readiness gave no sensible answer"};
}

void ReadyWatch::stop()
{
    if (pid_ == 0) return;
    if (child_.is_running()) {
        child_.signal(SIGSTOP); // it starts nothing more while its descendants are ended
        end_descendants_of(pid_);
        child_.signal(SIGKILL);
        child_.await_end(std::chrono::seconds(1));
    }
    child_.reap();
    child_ = os::Child();
    answer_.reset();
    pid_ = 0;
}

} // namespace bgt::supervise
