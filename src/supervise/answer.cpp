// What a supervisor does on request of the CLI.
#include <bgt/supervise/supervisor.hpp>

#include <bgt/os/clock.hpp>
#include <bgt/os/stdin_keeper.hpp>

#include <csignal>

namespace bgt::supervise {
namespace {

constexpr auto sample_timeout = std::chrono::milliseconds(300);

} // namespace

Answer Supervisor::answer(const Request& request)
{
    switch (request.op) {
    case Request::Op::stop:
        dispatch(core::StopRequested{request.reason, request.now, request.ladder, false, request.no_escalation});
        return {};
    case Request::Op::restart:
        if (adopted_) return {"its supervisor took over from one that was killed and does not know its environment: "
                              "start it anew (bgt retry)", 0};
        if (std::holds_alternative<core::Ended>(state_.phase)) return {"it has ended: start it anew (bgt retry)", 0};
        dispatch(core::StopRequested{request.reason, request.now, request.ladder, true});
        return {};
    case Request::Op::look:
        dispatch(core::SampleRequested{});
        return {};
    case Request::Op::report: {
        sample_briefly();
        const auto number = write_report(core::Reason::self);
        return number ? Answer{"", *number} : Answer{"the report could not be written (events tell why)", 0};
    }
    case Request::Op::pause:
        if (core::lifecycle(state_) != core::Lifecycle::running) return {"it is not running", 0};
        dispatch(core::PauseRequested{});
        return {};
    case Request::Op::resume:
        dispatch(core::ResumeRequested{});
        return {};
    case Request::Op::signal: return answer_signal(request);
    case Request::Op::stdin_eof:
        close_stdin();
        resources_.recorder.status().stdin_closed = true;
        resources_.recorder.save();
        return {};
    }
    return {"unknown request", 0};
}

void Supervisor::close_stdin()
{
    if (!resources_.stdin_writer) return;
    if (helpers_.contains(resources_.stdin_keeper)) {
        kill(resources_.stdin_keeper, SIGKILL); // not reaped yet, so the pid is its own
    } else {
        os::end_stdin_keeper(resources_.stdin_writer.get());
    }
    resources_.stdin_writer.reset();
}

/// A report is about now: not about the time since the last look, which may be long ago.
void Supervisor::sample_briefly()
{
    dispatch(core::SampleRequested{});
    take_output_until(-1, os::now() + sample_timeout);
    dispatch(core::SampleRequested{});
}

Answer Supervisor::answer_signal(const Request& request)
{
    std::vector<os::ProcStat> targets = tree_->members();
    if (!request.whole_tree) {
        const store::ProcessKey root = resources_.recorder.status().main_process;
        std::erase_if(targets, [&](const os::ProcStat& member) { return member.key != root; });
        if (targets.empty()) return {"its main process has ended; others of its tree live (--tree reaches them)", 0};
    }
    const std::uint32_t count = signal_all(targets, request.signal);
    resources_.recorder.event("signal", {{"signal", std::int64_t{request.signal}}, {"count", std::int64_t{count}}});
    return {"", count};
}

} // namespace bgt::supervise
