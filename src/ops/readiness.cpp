#include "readiness.hpp"

#include <bgt/core/condition.hpp>
#include <bgt/ops/attempt.hpp>
#include <bgt/supervise/condition_probe.hpp>
#include <bgt/supervise/control.hpp>
#include <bgt/supervise/missing_conditions.hpp>
#include <bgt/supervise/readiness.hpp>
#include <bgt/supervise/stranger.hpp>

#include <string>

namespace bgt::ops {
namespace {

constexpr auto probe_timeout = std::chrono::milliseconds(300);
constexpr auto missing_bound = std::chrono::milliseconds(500);
constexpr std::size_t events_read = 64; ///< the end is among the last ones

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
    if (answer.yes) return supervise::stranger_words(condition, task.tree).empty();
    return answer.text.starts_with("no answer in time");
}

/// Of the attempt that ended last.
std::vector<std::string> last_answers(const store::TaskDir& folder)
{
    const Result<store::EventsRead> read = store::read_events(folder.fd(), events_read);
    if (!read) return {};
    std::vector<std::string> last;
    for (const store::TaskEvent& event : read->events) {
        if (event.event == "started" || event.event == "ready") last.clear();
        if (event.event != supervise::not_ready_event) continue;
        for (const auto& [key, value] : event.fields)
            if (const auto* text = std::get_if<std::string>(&value); key == "last" && text)
                last = {*text};
    }
    return last;
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

std::vector<std::string> why_not_ready(store::Root& root, const Snapshot& task)
{
    if (!task.problem.empty() || !task.spec || task.spec->ready.empty()) return {};
    const store::Status& status = task.status;
    const Result<store::TaskDir> folder = root.open_task(task.id);
    if (status.ready || !folder) return {};
    if (status.lifecycle != core::Lifecycle::running) return last_answers(*folder);
    const auto begin = [&](store::WhichLog stream) {
        const auto found =
            find_attempt(*folder, status, stream, {Attempt::Which::last}, label(task.id, status));
        return found ? found->begin : 0;
    };
    return supervise::missing_conditions(*folder, *task.spec, task.tree,
                                         begin(store::WhichLog::out), begin(store::WhichLog::err),
                                         missing_bound);
}

} // namespace bgt::ops
