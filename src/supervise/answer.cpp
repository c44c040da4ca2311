// What a supervisor does on request of the CLI.
#include <bgt/supervise/supervisor.hpp>

#include <csignal>

namespace bgt::supervise {

Answer Supervisor::answer(const Request& request)
{
    switch (request.op) {
    case Request::Op::stop:
        dispatch(core::StopRequested{request.reason, request.now, request.ladder});
        return {};
    case Request::Op::pause:
        if (core::lifecycle(state_) != core::Lifecycle::running) return {"it is not running", 0};
        dispatch(core::PauseRequested{});
        return {};
    case Request::Op::resume:
        dispatch(core::ResumeRequested{});
        return {};
    case Request::Op::signal: return answer_signal(request);
    case Request::Op::stdin_eof:
        charge_.stdin_writer.reset();
        charge_.recorder.status().stdin_closed = true;
        charge_.recorder.save();
        return {};
    }
    return {"unknown request", 0};
}

Answer Supervisor::answer_signal(const Request& request)
{
    std::vector<os::ProcStat> targets = tree_->members();
    if (!request.whole_tree) {
        const store::ProcessKey root = charge_.recorder.status().root;
        std::erase_if(targets, [&](const os::ProcStat& member) { return member.key != root; });
        if (targets.empty()) return {"its root process has ended; others of its tree live (--tree reaches them)", 0};
    }
    const std::uint32_t count = signal_all(targets, request.signal);
    charge_.recorder.event("signal", {{"signal", std::int64_t{request.signal}}, {"count", std::int64_t{count}}});
    return {"", count};
}

} // namespace bgt::supervise
