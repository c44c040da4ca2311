#pragma once
/// The driver of core::Waiting behind ops::wait: observes what is needed, and sleeps between.
#include <bgt/core/activity.hpp>
#include <bgt/ops/task_monitor.hpp>
#include <bgt/ops/wait.hpp>
#include <bgt/supervise/output_age.hpp>
#include <bgt/supervise/output_matcher.hpp>
#include <bgt/supervise/prober.hpp>

namespace bgt::ops {

class WaitDriver {
public:
    WaitDriver(store::Root& root, const WaitRequest& request)
        : root_(root),
          request_(request),
          waiting_(request.conditions, request.tasks.size(), request.rules),
          probes_(request.conditions.size())
    {}

    /// Error: no such task, a damaged one, too many files.
    Result<void> open();
    Result<WaitAnswer> run(const std::function<void(const WaitProgress&)>& progress, int cancel);

private:
    /// Progress at a moment.
    struct Seen {
        double fraction = 0;
        Instant at{};
    };
    struct Task {
        TaskMonitor monitor;
        std::optional<supervise::OutputMatcher> output = {};
        std::optional<supervise::OutputAge> age = {};
        Instant last_output{};
        bool without_readiness = false; ///< it has no condition of readiness
        std::optional<Seen> seen = {};  ///< progress, when this wait first saw it
        core::Sample sample = {};       ///< of its tree, by the last look
        std::vector<core::fact::CpuTotal> cpu_totals = {};
        bool released = false; ///< nothing of it is open, and nothing of it is watched any more
        bool noted = false;    ///< that its supervisor is stopped
    };
    struct Probe {
        std::optional<supervise::Prober> prober;
        std::optional<int> folder;                 ///< `file`: the token of its folder in the watch
        std::optional<core::fact::Answered> again; ///< asked in this round, because a task ended
    };

    // What is observed (wait_observe.cpp)
    Result<void> open_task(store::TaskId);
    Result<bool> observe();
    Result<bool> observe_task(std::size_t);
    Result<bool> observe_output(std::size_t);
    void observe_record(std::size_t, bool over);
    void observe_silence(std::size_t);
    void observe_trees();
    void observe_tree(std::size_t, const supervise::Snapshot&);
    void observe_cpu(std::size_t, const std::vector<os::ProcStat>& tree);
    Duration max_poll_interval() const;
    void observe_files();
    void ask_probes(std::size_t);
    void request_looks();
    void look_at_supervisors();
    void release(Task&);

    // When there is something to observe (wait.cpp)
    Result<void> start_watching();
    Result<void> start_probe(std::size_t condition);
    Result<void> take_wake(const os::Watch::Wake&);
    Result<void> take_answer(std::size_t condition, const os::Watch::Wake&);
    Instant next_look(bool more) const;
    bool asks_at_once() const { return deadline_ && *deadline_ <= started_; }

    // What is told
    WaitAnswer answer(WaitAnswer::End) const;
    WaitProgress progress();
    std::optional<Duration> time_left(Task&, std::optional<double> fraction) const;
    std::size_t first_open_task() const;

    store::Root& root_;
    const WaitRequest& request_;
    core::Waiting waiting_;
    std::vector<Task> tasks_;
    std::vector<Probe> probes_; ///< one a condition, used by those that observe a probe
    std::optional<os::Watch> watch_;
    Instant started_{};
    std::optional<Instant> deadline_;
    Instant next_poll_{};
    Instant next_request_{};     ///< of a look by the supervisors
    Instant next_supervisors_{}; ///< of a look whether they are stopped
    Duration poll_interval_ = std::chrono::milliseconds(20);
};

} // namespace bgt::ops
