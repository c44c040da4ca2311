#include <bgt/ops/snapshot.hpp>

#include <bgt/base/text.hpp>
#include <bgt/supervise/control.hpp>

namespace bgt::ops {

bool has_survivors(const store::Status& status)
{
    return !is_final(status) && !status.survivors.empty();
}

std::string label(store::TaskId id, const store::Status& status)
{
    return status.name.empty() ? to_string(id) : to_string(id) + " " + printable(status.name);
}

std::string stopped_words(const Snapshot& task)
{
    return supervise::stopped_words(task.status.supervisor);
}

std::string limit_in_words(core::Reason reason, const core::Policy& policy)
{
    const auto for_time = [](const char* text, const std::optional<Duration>& limit) {
        return text + (limit ? " for " + format_duration(*limit) : std::string());
    };
    switch (reason) {
    case core::Reason::output_timeout: return for_time("no output", policy.hang.output);
    case core::Reason::progress_timeout: return for_time("no progress", policy.hang.progress);
    case core::Reason::idle_timeout: return for_time("idle", policy.hang.idle);
    case core::Reason::ready_timeout: return for_time("not ready", policy.hang.ready);
    case core::Reason::timeout: return for_time("it ran", policy.timeout);
    case core::Reason::cpu_limit:
        return policy.hang.cpu ? "it used " + format_duration(*policy.hang.cpu) + " of CPU time"
                               : "";
    case core::Reason::self:
    case core::Reason::killed:
    case core::Reason::owner_gone:
    case core::Reason::shutdown:
    case core::Reason::dependency_failed:
    case core::Reason::cancelled:
    case core::Reason::expired:
    case core::Reason::superseded: break;
    }
    return {};
}

} // namespace bgt::ops
