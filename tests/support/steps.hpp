#pragma once
/// Actions as text, so that a test reads like the story of a task.
#include <bgt/core/step.hpp>
#include <sstream>
#include <string>

namespace bgt::core {

struct ActionText {
    std::string operator()(const SaveStatus&) const { return "save"; }
    std::string operator()(const CheckTree&) const { return "look"; }
    std::string operator()(const SignalTree& a) const
    {
        return "signal:" + std::to_string(a.signal) + (a.main_only ? "!" : "");
    }
    std::string operator()(const KillTree&) const { return "kill"; }
    std::string operator()(const PauseTree&) const { return "pause"; }
    std::string operator()(const ResumeTree&) const { return "resume"; }
    std::string operator()(const TakeSample&) const { return "take-look"; }
    std::string operator()(const GatherReport& a) const
    {
        return "report:" + std::string(to_string(a.rule));
    }
    std::string operator()(const RunHook& a) const
    {
        return "hook:" + std::string(to_string(a.rule));
    }
    std::string operator()(const EndAttempt&) const { return "end-attempt"; }
    std::string operator()(const StartAgain&) const { return "start-again"; }
    std::string operator()(const Finish&) const { return "finish"; }
    std::string operator()(const Release&) const { return "release"; }
    std::string operator()(const Note& note) const
    {
        std::ostringstream out;
        out << "note:" << to_string(note.what) << '/' << to_string(note.reason) << '/'
            << note.signal << '/' << note.count;
        return out.str();
    }
};

inline std::string text_of(const std::vector<Action>& actions)
{
    std::string out;
    for (const Action& action : actions)
        out += (out.empty() ? "" : " ") + std::visit(ActionText{}, action);
    return out;
}

/// Without the notices, which would have the tree looked at now and then.
inline Policy without_notices(Policy spec = {})
{
    spec.hang.quiet_after.reset();
    spec.hang.stalled_after.reset();
    return spec;
}

} // namespace bgt::core
