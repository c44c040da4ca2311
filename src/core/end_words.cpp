#include <bgt/core/end_words.hpp>

#include <bgt/base/signal_name.hpp>

namespace bgt::core {

std::string end_word(const Outcome& outcome)
{
    switch (outcome.kind) {
    case OutcomeKind::none: return "not ended";
    case OutcomeKind::exited: return "exit " + std::to_string(outcome.code);
    case OutcomeKind::signaled: return signal_name(outcome.signal);
    case OutcomeKind::failed_to_start: return "failed to start";
    case OutcomeKind::lost: return "lost";
    case OutcomeKind::not_started: return "not started";
    }
    return "";
}

std::string end_words(const Outcome& outcome)
{
    if (outcome.reason == Reason::self) return end_word(outcome);
    return end_word(outcome) + ", " + std::string(to_string(outcome.reason));
}

std::string ended_words(const Outcome& outcome)
{
    return "ended (" + end_words(outcome) + ")";
}

} // namespace bgt::core
