#include <bgt/core/step_words.hpp>

#include <bgt/base/overload.hpp>

namespace bgt::core {

std::string_view word_of(const Event& event)
{
    using Word = std::string_view;
    return std::visit(Overload{
                          [](const Started&) -> Word { return "started"; },
                          [](const StartFailed&) -> Word { return "start-failed"; },
                          [](const MainEnded&) -> Word { return "main-ended"; },
                          [](const TreeEmpty&) -> Word { return "tree-empty"; },
                          [](const TreeLives&) -> Word { return "tree-lives"; },
                          [](const Swept&) -> Word { return "swept"; },
                          [](const StopRequested&) -> Word { return "stop-requested"; },
                          [](const PauseRequested&) -> Word { return "pause-requested"; },
                          [](const ResumeRequested&) -> Word { return "resume-requested"; },
                          [](const Sampled&) -> Word { return "sampled"; },
                          [](const SampleRequested&) -> Word { return "sample-requested"; },
                          [](const Ready&) -> Word { return "ready"; },
                          [](const NeverReady&) -> Word { return "never-ready"; },
                          [](const ReadyLost&) -> Word { return "ready-lost"; },
                          [](const Extended&) -> Word { return "extended"; },
                          [](const WatchdogSet&) -> Word { return "watchdog-set"; },
                          [](const HangReported&) -> Word { return "hang-reported"; },
                          [](const Tick&) -> Word { return "tick"; },
                      },
                      event);
}

std::string_view word_of(const Action& action)
{
    using Word = std::string_view;
    return std::visit(Overload{
                          [](const SaveStatus&) -> Word { return "save-status"; },
                          [](const CheckTree&) -> Word { return "check-tree"; },
                          [](const SignalTree&) -> Word { return "signal-tree"; },
                          [](const KillTree&) -> Word { return "kill-tree"; },
                          [](const PauseTree&) -> Word { return "pause-tree"; },
                          [](const ResumeTree&) -> Word { return "resume-tree"; },
                          [](const TakeSample&) -> Word { return "take-sample"; },
                          [](const GatherReport&) -> Word { return "gather-report"; },
                          [](const RunHook&) -> Word { return "run-hook"; },
                          [](const EndAttempt&) -> Word { return "end-attempt"; },
                          [](const StartAgain&) -> Word { return "start-again"; },
                          [](const Finish&) -> Word { return "finish"; },
                          [](const Release&) -> Word { return "release"; },
                          [](const Note& note) -> Word { return to_string(note.what); },
                      },
                      action);
}

std::string words_of(const std::vector<Action>& actions)
{
    std::string words;
    for (const Action& action : actions) {
        if (!words.empty()) words += ", ";
        words += word_of(action);
    }
    return words;
}

} // namespace bgt::core
