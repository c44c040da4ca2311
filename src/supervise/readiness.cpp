#include <bgt/supervise/readiness.hpp>

#include <bgt/os/background.hpp>
#include <bgt/os/descriptors.hpp>

#include <algorithm>
#include <utility>

namespace bgt::supervise {

void Readiness::end()
{
    boost::system::error_code none; // it is closed whatever close says (man 2 close)
    if (answer_.is_open()) answer_.close(none);
    if (!watch_) return;
    const Duration before = os::reaped_cpu();
    with_.helpers.erase(watch_->pid());
    watch_.reset();
    with_.signs.leave_out(os::reaped_cpu() - before);
}

void Readiness::attempt_ended()
{
    while (watch_) {
        ReadyWatch::Answer answer = watch_->answer();
        if (answer.is_final()) break;
        keep(std::move(answer));
    }
    if (watch_ && last_answer_)
        with_.recorder.event(not_ready_event,
                             {{"last", std::exchange(last_answer_, std::nullopt)->text}});
    end();
}

/// What was answered says more than that nobody answers: most often that comes at the end.
void Readiness::keep(ReadyWatch::Answer answer)
{
    using Kind = ReadyWatch::Answer::Kind;
    if (answer.kind == Kind::responded || !last_answer_ || last_answer_->kind == Kind::told)
        last_answer_ = std::move(answer);
}

void Readiness::begin(std::uint64_t out_from, std::uint64_t err_from)
{
    end();
    const core::State& state = with_.sink.state();
    if (with_.conditions.empty() || core::lifecycle(state) != core::Lifecycle::running ||
        state.hang_state.ready)
        return;
    const store::Status& status = with_.recorder.status();
    ReadyWatch::What what;
    for (const std::string& condition : with_.conditions)
        if (condition != notify_condition) what.conditions.push_back(condition);
    conditions_hold_ = what.conditions.empty();
    announced_ = std::ranges::find(with_.conditions, notify_condition) == with_.conditions.end();
    if (conditions_hold_) return;
    what.cwd = with_.cwd;
    what.out_from = out_from;
    what.err_from = err_from;
    what.freed_out = status.freed_bytes;
    what.freed_err = status.freed_err_bytes;
    what.members = with_.members;
    Result<ReadyWatch> watch = ReadyWatch::start(with_.task, what);
    if (!watch) return never(watch.error().message);
    watch_.emplace(std::move(*watch));
    with_.helpers.insert(watch_->pid());
    Fd answer = os::duplicate(watch_->fd());
    boost::system::error_code refused;
    answer_.assign(answer.get(), refused);
    if (refused) return never(refused.message());
    answer.release();
    await_answer();
}

void Readiness::await_answer()
{
    answer_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](auto error) {
        if (!error) on_answer();
    });
}

void Readiness::on_answer()
{
    ReadyWatch::Answer answer = watch_->answer();
    if (!answer.is_final()) {
        keep(std::move(answer));
        return await_answer();
    }
    end();
    last_answer_.reset();
    switch (answer.kind) {
    case ReadyWatch::Answer::Kind::told:
    case ReadyWatch::Answer::Kind::responded: return;
    case ReadyWatch::Answer::Kind::ready: conditions_hold_ = true; return check();
    case ReadyWatch::Answer::Kind::never:
    case ReadyWatch::Answer::Kind::failed: return never(answer.text);
    }
}

/// Who waits for a readiness that nobody will see must not wait for ever.
void Readiness::never(const std::string& why)
{
    end();
    with_.recorder.event("ready-watch", {{"error", why}});
    with_.sink.dispatch(core::NeverReady{});
}

void Readiness::announce()
{
    if (std::exchange(announced_, true)) return;
    check();
}

void Readiness::check()
{
    if (conditions_hold_ && announced_) with_.sink.dispatch(core::Ready{});
}

} // namespace bgt::supervise
