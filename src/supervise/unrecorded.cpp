#include <bgt/supervise/unrecorded.hpp>

#include <bgt/os/clock.hpp>
#include <bgt/os/proc.hpp>
#include <bgt/os/tree.hpp>
#include <bgt/os/wait.hpp>
#include <bgt/store/spec.hpp>
#include <bgt/supervise/recover.hpp>

#include <csignal>
#include <fmt/format.h>
#include <set>

namespace bgt::supervise {
namespace {

constexpr auto kill_timeout = std::chrono::seconds(2);
constexpr auto look_interval = std::chrono::milliseconds(20);
constexpr std::size_t max_survivors = 16;

class UnrecordedTree {
public:
    explicit UnrecordedTree(os::TreeMarks marks) : marks_(std::move(marks)) {}

    std::vector<os::ProcStat> living()
    {
        std::vector<os::ProcStat> all = os::find_marked(marks_, {os::own_pid()});
        for (const os::ProcStat& member : all) seen_.insert(member.key);
        return all;
    }
    void signal(int signal)
    {
        for (const os::ProcStat& member : living())
            static_cast<void>(os::send_signal(member.key, signal));
    }
    /// Until none is left, or so long. `again`: who forks between the look and the signal is met
    /// the next time.
    bool await_end(Duration most, int again = 0)
    {
        const Instant deadline = os::now() + most;
        while (!living().empty()) {
            if (os::now() >= deadline) return false;
            if (again != 0) signal(again);
            os::pause_for(look_interval);
        }
        return true;
    }
    std::size_t count() const { return seen_.size(); }

private:
    os::TreeMarks marks_;
    std::set<ProcessKey> seen_;
};

} // namespace

Result<UnrecordedEnd> end_without_record(store::Root& root, store::TaskId id,
                                         const std::vector<core::StopStep>& ladder, bool now)
{
    BGT_TRY_ASSIGN(store::TaskDir task, root.open_task(id));
    BGT_TRY_ASSIGN(const bool locked, task.try_lock()); // nobody else begins the same
    if (!locked) return Error::failed(fmt::format("task {} has a supervisor", id.value));
    BGT_TRY_ASSIGN(const store::TaskSpec spec, store::read_spec(task.fd()));
    BGT_TRY_ASSIGN(os::TreeMarks marks, marks_of(task, spec, {}));
    UnrecordedTree tree(std::move(marks));
    bool is_over = tree.living().empty();
    for (const core::StopStep& step : ladder) {
        if (is_over || now) break;
        tree.signal(step.signal);
        tree.signal(SIGCONT); // a stopped process would not see the first
        is_over = tree.await_end(step.wait);
    }
    if (!is_over) is_over = tree.await_end(kill_timeout, SIGKILL);
    UnrecordedEnd end;
    const auto left = is_over ? std::vector<os::ProcStat>{} : tree.living();
    end.ended = static_cast<std::uint32_t>(tree.count() - left.size());
    for (const os::ProcStat& member : left)
        if (end.survivors.size() < max_survivors) end.survivors.push_back(member.key.pid);
    return end;
}

} // namespace bgt::supervise
