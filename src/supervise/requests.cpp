#include "requests.hpp"

#include <algorithm>

namespace bgt::supervise {
namespace {

constexpr auto sample_time = std::chrono::milliseconds(300);

} // namespace

Answer Requests::answer(const Request& request)
{
    switch (request.op) {
    case Request::Op::stop:
        sink_.dispatch(core::StopRequested{request.reason, request.now, request.ladder, false,
                                           request.no_escalation});
        return {};
    case Request::Op::restart: return restart(request);
    case Request::Op::sample:
        sink_.dispatch(core::SampleRequested{});
        target_.pass(Duration::zero()); // what it said before it began to wait is in the log
        return {};
    case Request::Op::report: return report();
    case Request::Op::pause:
        if (core::lifecycle(sink_.state()) != core::Lifecycle::running)
            return {"it is not running", 0};
        sink_.dispatch(core::PauseRequested{});
        return {};
    case Request::Op::resume:
        sink_.dispatch(core::ResumeRequested{});
        target_.resume_watch();
        return {};
    case Request::Op::watch_pause: return {target_.pause_watch(), 0};
    case Request::Op::signal: return signal(request);
    case Request::Op::ready_lost:
        if (!recorder_.status().ready) return {};
        recorder_.event("ready-check", {{"condition", request.text}});
        sink_.dispatch(core::ReadyLost{});
        target_.watch_readiness_again();
        return {};
    case Request::Op::start_beside: break; // the supervisor itself takes it, with its descriptors
    case Request::Op::stdin_eof:
        target_.close_stdin();
        recorder_.status().stdin_closed = true;
        recorder_.save();
        return {};
    }
    return {"unknown request", 0};
}

Answer Requests::restart(const Request& request)
{
    if (!can_start_) return {std::string(no_environment), 0};
    if (std::holds_alternative<core::Ended>(sink_.state().phase))
        return {"it has ended: start it anew (bgt retry)", 0};
    sink_.dispatch(core::StopRequested{request.reason, request.now, request.ladder, true});
    return {};
}

/// It is about now: not about the time since the last sample, which may be long ago.
Answer Requests::report()
{
    sink_.dispatch(core::SampleRequested{});
    target_.pass(sample_time);
    sink_.dispatch(core::SampleRequested{});
    const auto number = reports_.report(core::Reason::self);
    return number ? Answer{"", *number}
                  : Answer{"the report could not be written (the events of bgt show say why)", 0};
}

Answer Requests::signal(const Request& request)
{
    std::vector<os::ProcStat> targets = tree_.members();
    if (!request.whole_tree) {
        const ProcessKey main_process = recorder_.status().main_process;
        std::erase_if(targets,
                      [&](const os::ProcStat& member) { return member.key != main_process; });
        if (targets.empty())
            return {"its main process has ended; others of its tree live (--tree reaches them)", 0};
    }
    const std::uint32_t count = tree_.signal(targets, request.signal);
    recorder_.event("signal",
                    {{"signal", std::int64_t{request.signal}}, {"count", std::int64_t{count}}});
    return {"", count};
}

} // namespace bgt::supervise
