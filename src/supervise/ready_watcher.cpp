#include "ready_watcher.hpp"

#include <bgt/base/descriptor.hpp>
#include <bgt/core/waiting.hpp>
#include <bgt/os/background.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/descriptors.hpp>
#include <bgt/os/ports.hpp>
#include <bgt/os/tree.hpp>
#include <bgt/os/wait.hpp>
#include <bgt/os/watch.hpp>
#include <bgt/supervise/output_matcher.hpp>
#include <bgt/supervise/prober.hpp>
#include <bgt/supervise/stranger.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <unistd.h>

namespace bgt::supervise {
namespace {

constexpr Duration first_interval = std::chrono::milliseconds(20);
constexpr Duration last_interval = std::chrono::milliseconds(200);
/// Answers that change all the time are told less often after so many.
constexpr int told_at_once = 64;
constexpr Duration told_interval = std::chrono::seconds(1);

using Answer = ReadyWatch::Answer;
using core::Observation;

/// The driver of core::Waiting for one task, which lives as long as anybody asks.
class Watcher {
public:
    /// `answer`: where what is answered meanwhile is told.
    Watcher(store::TaskDir task, const ReadyWatch::What& what,
            std::vector<core::Condition> conditions, int answer)
        : task_(std::move(task)),
          what_(what),
          answer_(answer),
          waiting_(std::move(conditions), 1, {}),
          probers_(waiting_.conditions().size())
    {}

    Answer run(int parent)
    {
        if (Result<void> opened = open(parent); !opened) return failed(opened.error());
        while (true) {
            Result<bool> more = look();
            if (!more) return failed(more.error());
            if (const std::optional<Answer> answer = decided()) return *answer;
            const std::optional<Instant> until = *more ? std::optional(os::now()) : next_look_;
            Result<os::Watch::Wake> wake = watch_->wait(until);
            if (!wake) return failed(wake.error());
            if (parent >= 0 && std::ranges::find(wake->fds, parent) != wake->fds.end()) leave();
            if (Result<void> taken = take(*wake); !taken) return failed(taken.error());
        }
    }

private:
    static Answer failed(const Error& error) { return {Answer::Kind::failed, error.message}; }

    std::optional<Answer> decided() const
    {
        const core::WaitVerdict verdict = waiting_.verdict();
        const std::string& before = waiting_.conditions()[verdict.condition].before;
        switch (verdict.kind) {
        case core::WaitVerdict::Kind::met: return Answer{Answer::Kind::ready, before};
        case core::WaitVerdict::Kind::impossible: return Answer{Answer::Kind::never, before};
        case core::WaitVerdict::Kind::pending: break;
        }
        return std::nullopt;
    }

    /// The supervisor has ended: nobody wants to know any more.
    [[noreturn]] static void leave()
    {
        end_descendants_of(os::own_pid());
        _exit(1);
    }

    Result<void> open(int parent)
    {
        Result<os::Watch> watch = os::Watch::create();
        if (!watch) return watch.error();
        watch_.emplace(std::move(*watch));
        if (parent >= 0) watch_->add_fd(parent);
        if (waiting_.needed().has(Observation::listeners)) next_look_ = os::now();
        if (waiting_.needed().has(Observation::output)) {
            if (Result<void> opened = open_output(); !opened) return opened;
        }
        for (std::size_t i = 0; i < probers_.size(); ++i) {
            if (!waiting_.needs_probe(i)) continue;
            Result<Prober> prober = Prober::start(
                waiting_.conditions()[i],
                [this, self = os::own_pid()](const core::Condition& condition) {
                    return stranger_words(condition, os::without_trees(what_.members(), {self}));
                });
            if (!prober) return prober.error();
            probers_[i].emplace(std::move(*prober));
            watch_->add_fd(probers_[i]->fd());
        }
        return {};
    }

    Result<void> open_output()
    {
        Result<OutputMatcher> output = OutputMatcher::open(task_, what_.freed_out, what_.freed_err);
        if (!output) return output.error();
        output->skip_to(what_.out_from, what_.err_from);
        output_.emplace(std::move(*output));
        return output_->watch(*watch_, task_);
    }

    /// True: there is more output to read.
    Result<bool> look()
    {
        bool more = false;
        if (output_) {
            Result<bool> scanned = output_->scan(
                [this](std::string_view line) { waiting_.take(0, core::fact::Line{line}); });
            if (!scanned) return scanned.error();
            more = *scanned;
        }
        if (next_look_ && os::now() >= *next_look_) look_at_ports();
        return more;
    }

    void look_at_ports()
    {
        auto members = os::without_trees(what_.members(), {os::own_pid()});
        std::erase_if(members, [](const auto& one) { return os::is_parent(one.key.pid); });
        waiting_.take(0, core::fact::Listening{os::listening_ports(members)});
        next_look_.reset();
        if (waiting_.needed().has(Observation::listeners)) next_look_ = os::now() + interval_;
        interval_ = std::min(interval_ * 5 / 4, last_interval);
    }

    Result<void> take(const os::Watch::Wake& wake)
    {
        if (output_) {
            if (Result<void> renewed = output_->renew(*watch_, task_); !renewed) return renewed;
        }
        for (std::size_t i = 0; i < probers_.size(); ++i) {
            if (!probers_[i] || std::ranges::find(wake.fds, probers_[i]->fd()) == wake.fds.end())
                continue;
            const Result<core::fact::Answered> answer = probers_[i]->answer();
            if (!answer || answer->yes) {
                watch_->remove_fd(probers_[i]->fd());
                probers_[i].reset();
            }
            if (!answer) return answer.error();
            waiting_.answer(i, *answer);
            if (!answer->yes && !answer->text.empty()) tell(what_.conditions[i], *answer);
        }
        return {};
    }

    void tell(const std::string& condition, const core::fact::Answered& answer)
    {
        constexpr std::size_t max_packet = 512; // below PIPE_BUF (man 7 pipe)
        const Instant now = os::now();
        if (++told_ > told_at_once && now < last_told_ + told_interval) return;
        last_told_ = now;
        const Answer::Kind kind = answer.responded ? Answer::Kind::responded : Answer::Kind::told;
        write_packet(answer_,
                     (letter_of(kind) + condition + ": " + answer.text).substr(0, max_packet));
    }

    store::TaskDir task_;
    const ReadyWatch::What& what_;
    int answer_;
    int told_ = 0;
    Instant last_told_{};
    core::Waiting waiting_;
    std::vector<std::optional<Prober>> probers_; ///< one a condition
    std::optional<OutputMatcher> output_;
    std::optional<os::Watch> watch_;
    std::optional<Instant> next_look_; ///< at ports
    Duration interval_ = first_interval;
};

} // namespace

char letter_of(Answer::Kind kind)
{
    switch (kind) {
    case Answer::Kind::ready: return 'R';
    case Answer::Kind::never: return 'N';
    case Answer::Kind::told: return 'T';
    case Answer::Kind::responded: return 'A';
    case Answer::Kind::failed: break;
    }
    return 'F';
}

void end_descendants_of(pid_t pid)
{
    constexpr int max_looks =
        100; // one in state D is never gone: its parent's end is all that can be done
    for (int i = 0; i < max_looks; ++i) {
        const std::vector<os::ProcStat> below = os::descendants_of(pid);
        if (below.empty()) return;
        for (const os::ProcStat& process : below)
            static_cast<void>(static_cast<bool>(os::send_signal(process.key, SIGKILL)));
    }
}

int run_ready_watcher(const store::TaskDir& task, const ReadyWatch::What& what,
                      std::vector<core::Condition> conditions, int answer, pid_t parent)
{
    os::adopt_orphans(); // what its commands leave behind is not the task's
    // Its commands must be ended too, so its parent's end is an event; only where that can't be had
    // a signal.
    const Fd parent_fd = os::pidfd_of(parent);
    // SIGCONT: a parent that stops it (ReadyWatch::stop) and is killed before it ends it would
    // leave it stopped for good.
    if (!os::signal_at_end_of(parent, parent_fd ? SIGCONT : SIGKILL)) return 1;
    store::TaskDir folder(task.id(), task.path(), os::duplicate(task.fd()));
    const Answer found =
        Watcher(std::move(folder), what, std::move(conditions), answer).run(parent_fd.get());
    // What was told before may still fill the pipe.
    while (!write_packet(answer, letter_of(found.kind) + found.text) && errno == EAGAIN &&
           os::is_parent(parent))
        os::pause_for(last_interval);
    os::Watch until_end = *os::Watch::create();
    if (parent_fd) until_end.add_fd(parent_fd.get());
    while (os::is_parent(parent))
        static_cast<void>(static_cast<bool>(until_end.wait(std::nullopt)));
    end_descendants_of(os::own_pid());
    return 0;
}

} // namespace bgt::supervise
