#include <bgt/core/hook.hpp>

namespace bgt::core {

bool is_failure(const Outcome& outcome)
{
    switch (outcome.reason) {
    case Reason::killed:
    case Reason::owner_gone:
    case Reason::shutdown:
    case Reason::cancelled:
    case Reason::superseded: return false;
    case Reason::self:
    case Reason::timeout:
    case Reason::output_timeout:
    case Reason::progress_timeout:
    case Reason::idle_timeout:
    case Reason::ready_timeout:
    case Reason::cpu_limit:
    case Reason::dependency_failed:
    case Reason::expired: break;
    }
    return exit_code(outcome) != 0;
}

} // namespace bgt::core
