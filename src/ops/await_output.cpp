#include <bgt/ops/await_output.hpp>

#include <bgt/ops/await_start.hpp>
#include <bgt/ops/log_view.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/supervise/control.hpp>

#include <algorithm>

namespace bgt::ops {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds first_silence(120);  ///< after which it is asked whether it reads
constexpr milliseconds max_silence(2000);   ///< between two such questions
constexpr milliseconds end_of_answer(1000); ///< of silence: it has said what it had to say
constexpr milliseconds look_timeout(1000);
constexpr milliseconds starting_poll(20);

/// One task, its log and its end under a watch.
class Awaiting {
public:
    Awaiting(store::Root& root, const AwaitOutputRequest& request, Cancel cancel)
        : root_(root), request_(request), cancel_(cancel), deadline_(os::now() + request.timeout)
    {
        options_.stream = request.stream;
    }

    Result<AwaitOutputAnswer> run()
    {
        BGT_TRY_ASSIGN(os::Watch watch, os::Watch::create());
        if (cancel_.fd >= 0) watch.add_fd(cancel_.fd);
        BGT_TRY_ASSIGN(LogView view, LogView::open(root_, request_.task, options_));
        BGT_TRY(view.watch_log(watch));
        BGT_TRY(view.task().watch(root_, watch));
        changed_ = os::now();
        answer_.log_size = view.log_size();
        for (;;) {
            answer_.over = view.task().over();
            if (const std::uint64_t size = view.log_size(); size != answer_.log_size)
                note_change(size);
            if (is_done()) return answer_;
            if (os::now() >= deadline_) {
                answer_.timed_out = answer_.log_size <= request_.cursor || request_.until_prompt;
                return answer_;
            }
            BGT_TRY_ASSIGN(const os::Watch::Wake wake, watch.wait(next_look(view)));
            if (cancel_.requested()) return cancelled();
            view.task().update(root_, watch, wake);
            BGT_TRY(view.renew(watch));
        }
    }

private:
    void note_change(std::uint64_t size)
    {
        answer_.log_size = size;
        changed_ = os::now();
        silence_ = first_silence;
    }

    bool is_done()
    {
        if (answer_.over) return true;
        const bool said = answer_.log_size > request_.cursor;
        if (!request_.until_prompt) return said;
        const Duration silent = os::now() - changed_;
        if (silent < silence_) return false;
        silence_ = std::min<Duration>(silence_ * 2, max_silence);
        answer_.waits_for_input = waits_for_input(root_, request_.task);
        return answer_.waits_for_input || (said && silent >= end_of_answer);
    }

    std::optional<Instant> next_look(const LogView& view) const
    {
        Instant next = deadline_;
        if (request_.until_prompt) {
            next = std::min(next, std::max(changed_ + silence_, os::now() + milliseconds(5)));
            if (answer_.log_size > request_.cursor)
                next =
                    std::min(next, std::max(changed_ + end_of_answer, os::now() + starting_poll));
        }
        if (view.task().needs_poll()) next = std::min(next, os::now() + starting_poll);
        return next;
    }

    store::Root& root_;
    const AwaitOutputRequest& request_;
    Cancel cancel_;
    Instant deadline_, changed_{};
    Duration silence_ = first_silence;
    LogOptions options_;
    AwaitOutputAnswer answer_;
};

} // namespace

bool waits_for_input(store::Root& root, store::TaskId id)
{
    if (!supervise::request_look(root, id, look_timeout)) return false;
    const auto status = store::read_status_at(root.fd(), id);
    return status && !store::is_over(*status) && status->activity == core::Activity::waiting_input;
}

Result<AwaitOutputAnswer> await_output(store::Root& root, const AwaitOutputRequest& request,
                                       Cancel cancel)
{
    return Awaiting(root, request, cancel).run();
}

} // namespace bgt::ops
