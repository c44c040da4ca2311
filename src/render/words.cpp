#include <bgt/core/end_words.hpp>
#include <bgt/core/hang_rules.hpp>
#include <bgt/render/words.hpp>
#include <bgt/store/dated.hpp>

#include <fmt/format.h>

#include <chrono>

namespace bgt::render {

namespace {

using core::Lifecycle;
using core::OutcomeKind;
using core::Reason;

struct ReasonWords {
    std::string_view in_state; ///< for the STATE column; empty for `self`, whose outcome speaks
    std::string_view in_sentence;
};

ReasonWords words_of(Reason reason)
{
    switch (reason) {
    case Reason::self: return {};
    case Reason::killed: return {"killed", "killed on request"};
    case Reason::timeout: return {"timeout", "its --timeout passed"};
    case Reason::owner_gone: return {"owner gone", "its --owner or its scope ended"};
    case Reason::shutdown:
        return {"shutdown", "bgt shutdown, or its supervisor was told to shut down"};
    case Reason::dependency_failed:
        return {"dependency failed", "a task that it waited for did not end as it had to"};
    case Reason::cancelled: return {"cancelled", "cancelled while it waited"};
    case Reason::expired: return {"expired", "it waited for longer than its --expire"};
    case Reason::superseded: return {"superseded", "a newer task with its --key took its place"};
    case Reason::output_timeout:
    case Reason::progress_timeout:
    case Reason::idle_timeout:
    case Reason::ready_timeout:
    case Reason::cpu_limit: break;
    }
    const core::HangRule* rule = core::find_hang_rule(reason);
    return rule ? ReasonWords{rule->short_words, rule->words} : ReasonWords{};
}

StateWords end_state(const core::Outcome& outcome)
{
    const bool by_request = outcome.reason == Reason::killed ||
                            outcome.reason == Reason::owner_gone ||
                            outcome.reason == Reason::shutdown;
    if (outcome.reason != Reason::self && outcome.kind != OutcomeKind::failed_to_start)
        return {std::string(words_of(outcome.reason).in_state),
                by_request ? Tone::plain : Tone::bad};
    const bool faint = outcome.kind == OutcomeKind::exited && outcome.code == 0;
    return {core::end_word(outcome), faint ? Tone::faint : Tone::bad};
}

/// What a person must know first.
StateWords running_words(const store::Status& status)
{
    if (status.paused) return {"paused", Tone::busy};
    if (status.activity == core::Activity::waiting_input) return {"needs input", Tone::bad};
    if (status.stalled) return {"stalled", Tone::bad};
    if (status.crash_loop) return {"crash loop", Tone::bad};
    if (status.quiet) return {"quiet", Tone::busy};
    if (status.ready) return {"ready", Tone::good};
    return {"running", Tone::good};
}

Duration not_negative(Duration d)
{
    return d < Duration::zero() ? Duration::zero() : d;
}

} // namespace

Moment Moment::now()
{
    return {std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()),
            Instant(std::chrono::duration_cast<Duration>(
                std::chrono::steady_clock::now().time_since_epoch()))};
}

std::string colored(std::string_view text, Tone tone)
{
    switch (tone) {
    case Tone::plain: return std::string(text);
    case Tone::good: return fmt::format("\x1b[32m{}\x1b[0m", text);
    case Tone::busy: return fmt::format("\x1b[33m{}\x1b[0m", text);
    case Tone::bad: return fmt::format("\x1b[31m{}\x1b[0m", text);
    case Tone::faint: return fmt::format("\x1b[2m{}\x1b[0m", text);
    }
    return std::string(text);
}

StateWords state_words(const ops::Snapshot& task)
{
    if (!task.problem.empty()) return {task.doubtful ? "unknown" : "damaged", Tone::bad};
    const store::Status& status = task.status;
    if (task.supervisor_stopped) return {"supervisor stopped", Tone::bad};
    switch (status.lifecycle) {
    case Lifecycle::queued: return {"queued", Tone::plain};
    case Lifecycle::backing_off:
        if (!status.next_attempt) return {"watching", Tone::faint};
        return status.crash_loop ? StateWords{"crash loop", Tone::bad}
                                 : StateWords{"backing-off", Tone::busy};
    case Lifecycle::starting: return {"starting", Tone::busy};
    case Lifecycle::running: return running_words(status);
    case Lifecycle::stopping: return {"stopping", Tone::busy};
    case Lifecycle::ended: break;
    }
    StateWords words = status.copied ? StateWords{"copy", Tone::plain} : end_state(status.outcome);
    if (!task.leftover.empty()) words.text += fmt::format(" +{}", task.leftover.size());
    return words;
}

std::string_view lifecycle_word(const ops::Snapshot& task)
{
    if (!task.problem.empty()) return "";
    if (task.status.lifecycle == Lifecycle::ended && task.status.outcome.kind == OutcomeKind::lost)
        return "lost";
    return core::to_string(task.status.lifecycle);
}

std::optional<Duration> age(const store::Status& status, const Moment& now)
{
    const bool over = status.lifecycle == Lifecycle::ended;
    if (!over && status.started_at) return not_negative(now.mono - *status.started_at);
    if (status.started)
        return store::is_dated(*status.started)
                   ? std::optional(not_negative(now.wall - *status.started))
                   : std::nullopt;
    if (status.created == WallTime{}) return std::nullopt;
    return not_negative(now.wall - status.created);
}

std::optional<Duration> run_time(const store::Status& status, const Moment& now)
{
    if (status.lifecycle != Lifecycle::ended) {
        if (!status.started_at) return std::nullopt;
        return not_negative(now.mono - *status.started_at);
    }
    if (status.started_at && status.ended_at)
        return not_negative(*status.ended_at - *status.started_at);
    if (status.started && status.ended) return not_negative(*status.ended - *status.started);
    return std::nullopt;
}

std::string outcome_words(const store::Status& status)
{
    if (status.copied)
        return "lost: this folder is a copy; the task itself belongs to the folder that was copied";
    const core::Outcome& outcome = status.outcome;
    std::string words(words_of(outcome.reason).in_sentence);
    if (!words.empty()) words += ": ";
    words += core::end_word(outcome);
    if (outcome.kind == OutcomeKind::lost) words += ": nobody saw how it ended";
    if (outcome.leftover_killed != 0)
        words += fmt::format("; {} leftover {} ended", outcome.leftover_killed,
                             outcome.leftover_killed == 1 ? "process was" : "processes were");
    return words;
}

std::string cpu_words(double fraction)
{
    const double percent = fraction * 100;
    return percent < 9.95 ? fmt::format("{:.1f}%", percent) : fmt::format("{:.0f}%", percent);
}

std::string port_words(const std::vector<std::uint16_t>& ports, std::size_t columns)
{
    std::string text;
    for (std::size_t i = 0; i < ports.size(); ++i) {
        const std::string next = fmt::format("{}{}", i == 0 ? "" : ",", ports[i]);
        const std::size_t after = ports.size() - i - 1;
        const std::size_t tail = after == 0 ? 0 : fmt::formatted_size(",+{}", after);
        if (i != 0 && text.size() + next.size() + tail > columns)
            return text + fmt::format(",+{}", after + 1);
        text += next;
    }
    return text;
}

} // namespace bgt::render
