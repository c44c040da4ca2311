#include "ready_watcher.hpp"

#include <bgt/os/clock.hpp>
#include <bgt/os/ports.hpp>
#include <bgt/os/tree.hpp>
#include <bgt/os/watch.hpp>
#include <bgt/supervise/output_matcher.hpp>
#include <bgt/supervise/prober.hpp>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace bgt::supervise {
namespace {

constexpr Duration first_interval = std::chrono::milliseconds(20);
constexpr Duration last_interval = std::chrono::milliseconds(200);

using Answer = ReadyWatch::Answer;
using Kind = Condition::Kind;

class Watcher {
public:
    Watcher(store::TaskDir task, const ReadyWatch::What& what, std::vector<Condition> conditions)
        : task_(std::move(task)), what_(what)
    {
        for (Condition& condition : conditions) asked_.push_back({std::move(condition), false, {}});
    }

    Answer run(int parent)
    {
        if (Result<void> opened = open(parent); !opened) return failed(opened.error());
        while (true) {
            Result<bool> more = look();
            if (!more) return failed(more.error());
            if (answer_) return *answer_;
            const std::optional<Instant> until = *more ? std::optional(os::now()) : next_look_;
            Result<os::Watch::Wake> wake = watch_->wait(until);
            if (!wake) return failed(wake.error());
            if (parent >= 0 && std::ranges::find(wake->fds, parent) != wake->fds.end()) leave();
            if (Result<void> taken = take(*wake); !taken) return failed(taken.error());
        }
    }

private:
    struct Asked {
        Condition condition;
        bool held = false;
        std::optional<Prober> prober;
    };

    static Answer failed(const Error& error) { return {Answer::Kind::failed, error.message}; }

    /// The supervisor has ended: nobody wants to know any more.
    [[noreturn]] static void leave()
    {
        end_descendants_of(getpid());
        _exit(1);
    }

    Result<void> open(int parent)
    {
        Result<os::Watch> watch = os::Watch::create();
        if (!watch) return watch.error();
        watch_.emplace(std::move(*watch));
        if (parent >= 0) watch_->add_fd(parent);
        for (Asked& asked : asked_) {
            if (asked.condition.kind == Kind::port) next_look_ = os::now();
            if (asked.condition.reads_output() && !output_) {
                if (Result<void> opened = open_output(); !opened) return opened;
            }
            if (!asked.condition.is_outside()) continue;
            Result<Prober> prober = Prober::start(asked.condition);
            if (!prober) return prober.error();
            asked.prober.emplace(std::move(*prober));
            watch_->add_fd(asked.prober->fd());
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
            Result<bool> scanned = output_->scan([this](std::string_view line) { take_line(line); });
            if (!scanned) return scanned.error();
            more = *scanned;
        }
        if (next_look_ && os::now() >= *next_look_) look_at_ports();
        const bool open = std::ranges::any_of(asked_, [](const Asked& a) { return !a.held && !a.condition.is_guard(); });
        if (!open && !answer_) answer_ = Answer{Answer::Kind::ready, last_};
        return more;
    }

    void take_line(std::string_view line)
    {
        for (Asked& asked : asked_) {
            if (!asked.condition.reads_output() || asked.held || answer_ || !asked.condition.pattern->matches(line)) continue;
            if (asked.condition.is_guard()) answer_ = Answer{Answer::Kind::never, asked.condition.before};
            else hold(asked);
        }
    }

    void look_at_ports()
    {
        const pid_t self = getpid(), parent = getppid();
        std::vector<std::int32_t> pids;
        for (const os::ProcStat& member : os::without_trees(what_.members(), {self}))
            if (member.key.pid != parent) pids.push_back(member.key.pid);
        const std::vector<std::uint16_t> ports = os::ports_of(pids, os::listeners());
        bool open = false;
        for (Asked& asked : asked_) {
            if (asked.condition.kind != Kind::port || asked.held) continue;
            const std::uint16_t port = asked.condition.port;
            const bool listens = port == 0 ? !ports.empty() : std::ranges::find(ports, port) != ports.end();
            if (listens != asked.condition.gone) hold(asked);
            else open = true;
        }
        next_look_.reset();
        if (open) next_look_ = os::now() + interval_;
        interval_ = std::min(interval_ * 5 / 4, last_interval);
    }

    Result<void> take(const os::Watch::Wake& wake)
    {
        if (output_) {
            if (Result<void> renewed = output_->renew(*watch_, task_); !renewed) return renewed;
        }
        for (Asked& asked : asked_) {
            if (!asked.prober || std::ranges::find(wake.fds, asked.prober->fd()) == wake.fds.end()) continue;
            const Result<bool> answer = asked.prober->answer();
            watch_->remove_fd(asked.prober->fd());
            asked.prober.reset();
            if (!answer) return answer.error();
            hold(asked);
        }
        return {};
    }

    void hold(Asked& asked)
    {
        asked.held = true;
        last_ = asked.condition.before;
    }

    store::TaskDir task_;
    const ReadyWatch::What& what_;
    std::vector<Asked> asked_;
    std::optional<OutputMatcher> output_;
    std::optional<os::Watch> watch_;
    std::optional<Instant> next_look_; ///< at ports
    Duration interval_ = first_interval;
    std::string last_;                 ///< what came last
    std::optional<Answer> answer_;
};

} // namespace

char letter_of(Answer::Kind kind)
{
    switch (kind) {
    case Answer::Kind::ready: return 'R';
    case Answer::Kind::never: return 'N';
    case Answer::Kind::failed: break;
    }
    return 'F';
}

void end_descendants_of(pid_t pid)
{
    constexpr int max_looks = 100; // one in state D is never gone: its parent's end is all that can be done
    for (int i = 0; i < max_looks; ++i) {
        const std::vector<os::ProcStat> below = os::descendants_of(pid);
        if (below.empty()) return;
        for (const os::ProcStat& process : below) static_cast<void>(static_cast<bool>(os::send_signal(process.key, SIGKILL)));
    }
}

int run_ready_watcher(const store::TaskDir& task, const ReadyWatch::What& what, std::vector<Condition> conditions, int answer,
                      pid_t parent)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1); // what its commands leave behind is not the task's
    // Its commands must be ended too, so its parent's end is an event; only where that can't be had a signal.
    const Fd parent_fd(static_cast<int>(syscall(SYS_pidfd_open, parent, 0)));
    // SIGCONT: a parent that stops it (ReadyWatch::stop) and is killed before it ends it would leave it stopped for good.
    prctl(PR_SET_PDEATHSIG, parent_fd ? SIGCONT : SIGKILL);
    if (getppid() != parent) return 1;
    store::TaskDir folder(task.id(), task.path(), Fd(fcntl(task.fd(), F_DUPFD_CLOEXEC, 3)));
    const Answer found = Watcher(std::move(folder), what, std::move(conditions)).run(parent_fd.get());
    const std::string bytes = (letter_of(found.kind) + found.text).substr(0, PIPE_BUF);
    while (write(answer, bytes.data(), bytes.size()) < 0 && errno == EINTR) {}
    os::Watch until_end = *os::Watch::create();
    if (parent_fd) until_end.add_fd(parent_fd.get());
    while (getppid() == parent) static_cast<void>(static_cast<bool>(until_end.wait(std::nullopt)));
    end_descendants_of(getpid());
    return 0;
}

} // namespace bgt::supervise
