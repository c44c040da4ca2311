#include <bgt/ops/readiness.hpp>

#include <bgt/core/condition.hpp>
#include <bgt/supervise/condition_probe.hpp>
#include <bgt/supervise/control.hpp>

#include <string>

namespace bgt::ops {
namespace {

constexpr auto probe_timeout = std::chrono::milliseconds(300);

/// What came once and stays so (a line of output, a message, the end of a command) holds.
bool holds(const core::Condition& condition, const Snapshot& task)
{
    using Kind = core::Condition::Kind;
    if (condition.observes(core::Observation::listeners))
        return condition.row->judge(condition, core::fact::Listening{task.ports}) ==
               core::ConditionState::met;
    if (!condition.observes(core::Observation::probe) || condition.kind() == Kind::command)
        return true;
    const core::fact::Answered answer = supervise::probe(condition, probe_timeout);
    return answer.yes || answer.text.starts_with("no answer in time");
}

} // namespace

void check_readiness(store::Root& root, Snapshot& task)
{
    store::Status& status = task.status;
    if (!task.problem.empty() || status.lifecycle != core::Lifecycle::running || !status.ready ||
        status.paused)
        return;
    const Result<store::TaskDir> folder = root.open_task(task.id);
    const Result<store::TaskSpec> spec =
        folder ? store::read_spec(folder->fd()) : Result<store::TaskSpec>(folder.error());
    if (!spec) return;
    for (const std::string& text : spec->ready) {
        const Result<core::Condition> condition = core::parse_condition(text, spec->cwd);
        if (!condition || holds(*condition, task)) continue;
        // One look at a tree that forks just then can miss who listens.
        SnapshotFields want;
        want.ports = true;
        const Result<Snapshot> again = recover_and_inspect(root, task.id, want);
        if (!again || !again->status.ready || holds(*condition, *again)) continue;
        if (supervise::request_ready_lost(root, task.id, text)) {
            status.ready = false;
            status.ready_at.reset();
        }
        return;
    }
}

} // namespace bgt::ops
