#include <bgt/ops/snapshot.hpp>

#include <bgt/base/signal_name.hpp>
#include <bgt/base/text.hpp>

namespace bgt::ops {

bool has_survivors(const store::Status& status)
{
    return !is_final(status) && !status.survivors.empty();
}

std::string label(store::TaskId id, const store::Status& status)
{
    return status.name.empty() ? to_string(id) : to_string(id) + " " + printable(status.name);
}

std::string end_in_words(const store::Status& status)
{
    switch (status.outcome.kind) {
    case core::OutcomeKind::exited: return "exit " + std::to_string(status.outcome.code);
    case core::OutcomeKind::signaled: return signal_name(status.outcome.signal);
    case core::OutcomeKind::failed_to_start: return "failed to start";
    case core::OutcomeKind::lost: return "lost";
    case core::OutcomeKind::not_started: return "not started";
    case core::OutcomeKind::none: break;
    }
    return std::string(core::to_string(status.lifecycle));
}

} // namespace bgt::ops
