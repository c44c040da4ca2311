#include <bgt/core/step.hpp>

namespace bgt::core {

std::string_view to_string(Happening value)
{
    switch (value) {
    case Happening::stop: return "stop";
    case Happening::leftover: return "leftover";
    case Happening::rung: return "rung";
    case Happening::survivors: return "survivors";
    case Happening::pause: return "pause";
    case Happening::resume: return "resume";
    case Happening::hang: return "hang";
    case Happening::quiet: return "quiet";
    case Happening::stalled: return "stalled";
    case Happening::waiting_input: return "waiting-input";
    case Happening::moving: return "moving";
    case Happening::clocks_restarted: return "clocks-restarted";
    case Happening::ready: return "ready";
    case Happening::never_ready: return "never-ready";
    case Happening::ready_lost: return "ready-lost";
    case Happening::restart_limit: return "restart-limit";
    case Happening::crash_loop: return "crash-loop";
    }
    return "unknown";
}

} // namespace bgt::core
