#include "end_tasks.hpp"

#include <bgt/ops/snapshot.hpp>
#include <bgt/os/blocked.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/wait.hpp>
#include <bgt/supervise/control.hpp>

#include <algorithm>
#include <set>

namespace bgt::ops {
namespace {

/// From SIGKILL on: what is not gone then remains.
constexpr auto force_timeout = std::chrono::seconds(5);
/// A task that was claimed by the dispatcher gets its folder in less than that.
constexpr auto start_timeout = std::chrono::seconds(5);
constexpr auto look_again_after = std::chrono::milliseconds(5);

class Ending {
public:
    Ending(store::Root& root, const EndRequest& request) : root_(root), request_(request) {}

    Result<EndAnswer> run(const std::function<Result<ToEnd>()>& find)
    {
        const Instant began = os::now();
        std::optional<Instant> incomplete_since;
        while (true) {
            BGT_TRY_ASSIGN(const ToEnd found, find());
            answer_.initial += found.cancelled;
            answer_.completed += found.cancelled;
            const bool is_new = ask_all(found.living);
            await_all();
            if (found.incomplete) {
                if (!incomplete_since) incomplete_since = os::now();
                if (os::now() - *incomplete_since > start_timeout) break;
                os::pause_for(look_again_after);
            } else if (!is_new && found.cancelled == 0) {
                break;
            }
        }
        answer_.took = os::now() - began;
        return std::move(answer_);
    }

private:
    struct Going {
        store::TaskId id;
        std::string label;
        std::string problem; ///< why it could not be asked
    };

    bool forced() const
    {
        return hastened_ || (request_.force_at && os::now() >= *request_.force_at);
    }

    /// Asks those that have not been asked yet. False: there are none.
    bool ask_all(const std::vector<store::TaskId>& ids)
    {
        bool is_new = false;
        for (const store::TaskId id : ids) {
            if (!seen_.insert(id).second) continue;
            is_new = true;
            ++answer_.initial;
            const auto status = store::read_status_at(root_.fd(), id);
            Going going{id, status ? label(id, *status) : to_string(id), {}};
            going.problem = ask(id, forced());
            going_.push_back(std::move(going));
        }
        return is_new;
    }

    /// Empty: it has been asked, or has ended.
    std::string ask(store::TaskId id, bool now)
    {
        supervise::StopOptions options;
        options.reason = request_.reason;
        options.now = now;
        options.no_escalation = !now;
        if (request_.grace && !now) options.ladder = ladder_of(id);
        const auto asked = supervise::request_stop(root_, id, options);
        if (asked || asked.error().kind == ErrorKind::not_found) return {};
        const auto status = store::read_status_at(root_.fd(), id);
        const bool is_gone = status ? is_final(*status) : !root_.open_task(id);
        return is_gone ? std::string() : asked.error().message;
    }

    /// The task's own signals with the grace as the last one's time.
    std::vector<core::StopStep> ladder_of(store::TaskId id)
    {
        std::vector<core::StopStep> ladder = core::Policy{}.stop_ladder;
        if (const auto task = root_.open_task(id))
            if (const auto spec = store::read_spec(task->fd());
                spec && !spec->policy.stop_ladder.empty())
                ladder = spec->policy.stop_ladder;
        ladder.back().wait = *request_.grace;
        return ladder;
    }

    void await_all()
    {
        std::vector<Going> late;
        for (Going& one : std::exchange(going_, {}))
            if (!one.problem.empty() || !has_gone(one, request_.force_at))
                late.push_back(std::move(one));
        for (Going& one : late) one.problem = ask(one.id, true);
        const Instant until = os::now() + force_timeout;
        for (Going& one : late)
            if (!one.problem.empty() || !has_gone(one, until)) remember(std::move(one));
    }

    /// False: it lives at that date, or SIGKILL does not end it.
    bool has_gone(Going& one, std::optional<Instant> until)
    {
        const int hasten = hastened_ ? -1 : request_.hasten.fd;
        const auto ended = supervise::await_status(
            root_, one.id, until,
            [](const store::Status& now) { return is_final(now) || has_survivors(now); }, hasten);
        if (!ended && is_cancelled(ended.error())) {
            hastened_ = true;
            return false;
        }
        const bool is_gone =
            ended ? *ended && is_final(**ended) : ended.error().kind == ErrorKind::not_found;
        if (is_gone || !root_.open_task(one.id)) { // it may have removed itself (--rm)
            ++answer_.completed;
            return true;
        }
        if (!ended) one.problem = ended.error().message;
        else if (*ended) one.problem = os::survivor_words((*ended)->survivors);
        return false;
    }

    void remember(Going one)
    {
        if (one.problem.empty()) one.problem = "it has not ended";
        answer_.remaining.push_back({one.id, std::move(one.label), std::move(one.problem)});
    }

    store::Root& root_;
    const EndRequest& request_;
    std::set<store::TaskId> seen_;
    std::vector<Going> going_;
    bool hastened_ = false;
    EndAnswer answer_;
};

} // namespace

Result<std::size_t> cancel_those_waiting(store::Root& root, const WhichWaiting& which)
{
    if (!store::QueueFile::is_there(root)) return std::size_t{0};
    BGT_TRY_ASSIGN(const store::QueueView view, store::QueueView::load(root, os::boot_id()));
    BGT_TRY_ASSIGN(const std::vector<core::TaskRange> ranges, which(view));
    return ranges.empty() ? Result<std::size_t>(std::size_t{0}) : cancel_waiting(root, which);
}

Result<EndAnswer> end_tasks(store::Root& root, const EndRequest& request,
                            const std::function<Result<ToEnd>()>& find)
{
    return Ending(root, request).run(find);
}

} // namespace bgt::ops
