#include <bgt/core/waiting.hpp>

#include <algorithm>

namespace bgt::core {
namespace {

Observation observation_of(const Fact& fact)
{
    return std::visit([]<class One>(const One&) { return One::observation; }, fact);
}

} // namespace

Waiting::Waiting(std::vector<Condition> conditions, std::size_t tasks, WaitRules rules)
    : conditions_(std::move(conditions)),
      rules_(rules),
      tasks_(tasks),
      states_(tasks * conditions_.size(), ConditionState::open),
      refused_(tasks * conditions_.size(), false),
      answers_(conditions_.size())
{
    const auto guards =
        static_cast<std::size_t>(std::ranges::count_if(conditions_, &Condition::is_guard));
    for (Task& task : tasks_) {
        task.open = conditions_.size();
        task.open_goals = conditions_.size() - guards;
        open_goals_ += task.open_goals;
    }
}

void Waiting::take(std::size_t index, Fact fact)
{
    Task& task = tasks_[index];
    if (settled(index)) return;
    if (auto* const now = std::get_if<fact::Recorded>(&fact)) {
        now->over =
            now->over || task.over; // an older record that is read late does not bring it back
        record(index, *now);
    }
    if (std::holds_alternative<fact::OutputRead>(fact)) task.output_read = task.over;
    const Observation observation = observation_of(fact);
    // A task that is over has no ports and no silence: only its output and its record still count.
    const bool counts =
        !task.over || observation == Observation::record || observation == Observation::output;
    for (const bool guards :
         {true, false}) // a line that matches both a guard and a goal is a reason to give up
        for (std::size_t i = 0; counts && i < conditions_.size(); ++i)
            if (conditions_[i].is_guard() == guards) judge(index, i, observation, fact);
    end_if_observed(index);
}

void Waiting::judge(std::size_t index, std::size_t i, Observation observation, const Fact& fact)
{
    const Condition& condition = conditions_[i];
    if (is_open(index, i) && condition.observes(observation))
        set(index, i, condition.row->judge(condition, fact));
}

void Waiting::record(std::size_t index, const fact::Recorded& now)
{
    Task& task = tasks_[index];
    task.over = now.over;
    task.exit_code = now.exit_code;
    task.stalled = now.stalled;
    task.crash_loop = now.crash_loop;
    task.waiting_input = now.waiting_input;
    task.readiness = now.readiness;
}

void Waiting::answer(std::size_t condition, const fact::Answered& answered)
{
    answers_[condition] = answered.text;
    for (std::size_t task = 0; task < tasks_.size(); ++task) {
        if (!is_open(task, condition)) continue;
        if (answered.yes) set(task, condition, ConditionState::met);
        else if (tasks_[task].over) refused_[task * conditions_.size() + condition] = true;
        end_if_observed(task);
    }
}

void Waiting::set(std::size_t index, std::size_t condition, ConditionState state)
{
    ConditionState& before = states_[index * conditions_.size() + condition];
    if (before != ConditionState::open || state == ConditionState::open) return;
    before = state;
    Task& task = tasks_[index];
    --task.open;
    const Decisive decisive{index, condition};
    if (conditions_[condition].is_guard()) {
        if (state == ConditionState::impossible && !guard_) guard_ = decisive;
        return;
    }
    --open_goals_;
    std::optional<Decisive>& first = state == ConditionState::met ? first_met_ : first_impossible_;
    if (!first) first = decisive;
    if (state == ConditionState::met) last_met_ = decisive;
    if (--task.open_goals > 0) return;
    for (std::size_t i = 0; i < conditions_.size();
         ++i) // a guard has done its work when all it guards is settled
        if (conditions_[i].is_guard()) set(index, i, ConditionState::met);
}

/// The end of a task counts when nothing is left to be observed once more.
void Waiting::end_if_observed(std::size_t index)
{
    Task& task = tasks_[index];
    if (!task.over || settled(index) || !needed(index).empty()) return;
    for (std::size_t i = 0; i < conditions_.size(); ++i) {
        if (!is_open(index, i)) continue;
        const Condition& condition = conditions_[i];
        set(index, i,
            condition.row->judge_end ? condition.row->judge_end(condition, task.exit_code)
                                     : ConditionState::impossible);
    }
}

Observations Waiting::needed(std::size_t index) const
{
    Observations out;
    const Task& task = tasks_[index];
    for (std::size_t i = 0; i < conditions_.size(); ++i) {
        if (!is_open(index, i)) continue;
        if (!task.over) {
            out |= conditions_[i].row->observes;
            continue;
        }
        if (conditions_[i].observes(Observation::output) && !task.output_read)
            out |= Observation::output;
        if (conditions_[i].observes(Observation::probe) &&
            !refused_[index * conditions_.size() + i])
            out |= Observation::probe;
    }
    if (rules_.or_stuck && !task.over && task.open > 0)
        out |= Observations{Observation::record, Observation::look};
    return out;
}

Observations Waiting::needed() const
{
    Observations out;
    for (std::size_t task = 0; task < tasks_.size(); ++task) out |= needed(task);
    return out;
}

bool Waiting::needs_probe(std::size_t condition) const
{
    if (!conditions_[condition].observes(Observation::probe)) return false;
    for (std::size_t task = 0; task < tasks_.size(); ++task)
        if (is_open(task, condition)) return true;
    return false;
}

std::size_t Waiting::first_open(std::size_t task) const
{
    for (std::size_t i = 0; i < conditions_.size(); ++i)
        if (is_open(task, i) && !conditions_[i].is_guard()) return i;
    return 0;
}

std::optional<Duration> Waiting::min_span(std::size_t task, Observation observation) const
{
    std::optional<Duration> shortest;
    for (std::size_t i = 0; i < conditions_.size(); ++i)
        if (is_open(task, i) && conditions_[i].observes(observation))
            shortest = std::min(shortest.value_or(Duration::max()), conditions_[i].span);
    return shortest;
}

WaitVerdict Waiting::verdict() const
{
    using Kind = WaitVerdict::Kind;
    const auto met = [](const Decisive& by) {
        return WaitVerdict{Kind::met, WaitVerdict::Cause::none, by.task, by.condition};
    };
    if (guard_)
        return {Kind::impossible, WaitVerdict::Cause::guard, guard_->task, guard_->condition};
    if (rules_.any && first_met_) return met(*first_met_);
    if (rules_.any ? open_goals_ == 0 && first_impossible_ : first_impossible_.has_value())
        return impossible();
    if (open_goals_ == 0 && last_met_) return met(*last_met_);
    if (const std::optional<WaitVerdict> found = stuck()) return *found;
    return {};
}

WaitVerdict Waiting::impossible() const
{
    const Task& task = tasks_[first_impossible_->task];
    const bool by_readiness =
        conditions_[first_impossible_->condition].kind() == Condition::Kind::ready;
    WaitVerdict verdict{WaitVerdict::Kind::impossible, WaitVerdict::Cause::ended,
                        first_impossible_->task, first_impossible_->condition};
    if (by_readiness && task.readiness == Readiness::no_condition)
        verdict.cause = WaitVerdict::Cause::no_readiness;
    else if (!task.over)
        verdict.cause =
            WaitVerdict::Cause::never_ready; // nothing else ends a condition of a running task
    return verdict;
}

std::optional<WaitVerdict> Waiting::stuck() const
{
    if (!rules_.or_stuck) return std::nullopt;
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
        const Task& task = tasks_[i];
        if (task.over || settled(i) || !(task.stalled || task.waiting_input || task.crash_loop))
            continue;
        const auto cause = task.waiting_input ? WaitVerdict::Cause::waiting_input
                           : task.stalled     ? WaitVerdict::Cause::stalled
                                              : WaitVerdict::Cause::crash_loop;
        return WaitVerdict{WaitVerdict::Kind::impossible, cause, i, 0};
    }
    return std::nullopt;
}

} // namespace bgt::core
