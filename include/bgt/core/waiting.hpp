#pragma once
/// Waiting for conditions of tasks as a pure function: facts in; pending, met or impossible out,
/// with the reason and with what must still be observed. No clock, no I/O. The wait operation and
/// readiness are two drivers of it.
#include <bgt/core/condition.hpp>
#include <optional>
#include <vector>

namespace bgt::core {

struct WaitRules {
    bool any = false;      ///< one condition of one task is enough; else all of all must be met
    bool or_stuck = false; ///< impossible as soon as a task is stalled, waits for input or
                           ///< ends again and again
};

struct WaitVerdict {
    enum class Kind : std::uint8_t { pending, met, impossible };
    /// Why it is impossible.
    enum class Cause : std::uint8_t {
        none,          ///< it is not
        ended,         ///< the task ended before the condition was met
        never_ready,   ///< a condition of its readiness can no longer be met
        no_readiness,  ///< it was started without a condition of readiness
        guard,         ///< a line of its output matched the guard
        stalled,       ///< `or_stuck`
        waiting_input, ///< `or_stuck`
        crash_loop,    ///< `or_stuck`
    };
    Kind kind = Kind::pending;
    Cause cause = Cause::none;
    /// What decided: of `met`, with `any` the condition that came first, else the one that came
    /// last. Of `impossible` the condition that can't be met, but for `stalled` and
    /// `waiting_input`, which name only the task.
    std::size_t task = 0, condition = 0;

    bool operator==(const WaitVerdict&) const = default;
};

/// Conditions of several tasks, all of which are asked of each task. A condition that was met once
/// stays met. The end of a task makes its open conditions impossible, but only when all else has
/// been observed once more: its last output was read (fact::OutputRead), and each probe was
/// answered again.
class Waiting {
public:
    /// `conditions` must hold one that is no guard.
    Waiting(std::vector<Condition> conditions, std::size_t tasks, WaitRules);

    /// A fact about one task; fact::Answered goes to answer(). Facts of a settled task are ignored.
    void take(std::size_t task, Fact);
    /// Of the probe of one condition, for all tasks.
    void answer(std::size_t condition, const fact::Answered&);
    /// Of a probe that was asked some time ago, and did not say yes: only what it said is kept.
    void note_answer(std::size_t condition, std::string text)
    {
        answers_[condition] = std::move(text);
    }

    WaitVerdict verdict() const;
    /// What can still change the verdict, of one task. Of a task that is over: what must be
    /// observed once more.
    Observations needed(std::size_t task) const;
    /// The same, of all tasks.
    Observations needed() const;
    /// Whether the probe of that condition is still to be asked.
    bool needs_probe(std::size_t condition) const;
    /// Nothing of the task is open any more.
    bool settled(std::size_t task) const { return tasks_[task].open == 0; }
    bool over(std::size_t task) const { return tasks_[task].over; }

    ConditionState state(std::size_t task, std::size_t condition) const
    {
        return states_[task * conditions_.size() + condition];
    }
    bool is_open(std::size_t task, std::size_t condition) const
    {
        return state(task, condition) == ConditionState::open;
    }
    /// The first open condition of a task that is no guard. The task must not be settled.
    std::size_t first_open(std::size_t task) const;
    /// The shortest span of the open conditions of a task that observe this.
    std::optional<Duration> min_span(std::size_t task, Observation) const;
    /// What the probe of a condition answered last; empty: nothing was said.
    const std::string& last_answer(std::size_t condition) const { return answers_[condition]; }

    const std::vector<Condition>& conditions() const { return conditions_; }
    std::size_t tasks() const { return tasks_.size(); }

private:
    struct Task {
        std::size_t open = 0;       ///< conditions, guards among them
        std::size_t open_goals = 0; ///< those that are no guards
        bool over = false;
        int exit_code = 0;
        bool output_read = false; ///< since it was over
        bool stalled = false;
        bool crash_loop = false;
        bool waiting_input = false;
        Readiness readiness = Readiness::possible;
    };
    struct Decisive {
        std::size_t task = 0, condition = 0;
    };

    void record(std::size_t task, const fact::Recorded&);
    void judge(std::size_t task, std::size_t condition, Observation, const Fact&);
    void set(std::size_t task, std::size_t condition, ConditionState);
    void end_if_observed(std::size_t task);
    WaitVerdict impossible() const;
    std::optional<WaitVerdict> stuck() const;

    std::vector<Condition> conditions_;
    WaitRules rules_;
    std::vector<Task> tasks_;
    std::vector<ConditionState> states_; ///< of each task, one a condition
    std::vector<bool> refused_;          ///< likewise: its probe said no since the task was over
    std::vector<std::string> answers_;   ///< what the probe of each condition said last
    std::size_t open_goals_ = 0;         ///< of all tasks
    std::optional<Decisive> first_met_, last_met_, first_impossible_, guard_;
};

} // namespace bgt::core
