#pragma once
/// A naive core::Waiting, and random conditions and facts for both.
#include "support/catch.hpp"
#include <algorithm>
#include <bgt/core/waiting.hpp>
#include <random>
#include <tuple>

namespace bgt::test {

using namespace bgt::core;
using namespace std::chrono_literals;
using Kind = WaitVerdict::Kind;
using Cause = WaitVerdict::Cause;

inline Condition parsed(const std::string& text)
{
    Result<Condition> condition = parse_condition(text, "/here");
    if (!condition) FAIL(condition.error().message);
    return *condition;
}

inline Waiting waiting(const std::vector<std::string>& texts, std::size_t tasks = 1,
                       WaitRules rules = {})
{
    std::vector<Condition> conditions;
    for (const std::string& text : texts) conditions.push_back(parsed(text));
    return {std::move(conditions), tasks, rules};
}

inline fact::Recorded over(int exit_code)
{
    fact::Recorded record;
    record.over = true;
    record.exit_code = exit_code;
    return record;
}

/// One thing that happened: a fact about a task, or an answer to the probe of a condition.
struct Event {
    std::size_t about = 0;
    Fact fact;
    bool is_answer() const { return std::holds_alternative<fact::Answered>(fact); }
};

inline constexpr std::size_t never = static_cast<std::size_t>(-1);
/// When something was decided: the event, the task, the end after all else, the place in the list.
using When = std::tuple<std::size_t, std::size_t, bool, std::size_t>;

/// The verdict by quantifiers over the whole history, with nothing kept from one event to the next.
class Model {
public:
    Model(const std::vector<std::string>& texts, std::size_t tasks, WaitRules rules,
          const std::vector<Event>& events)
        : texts_(texts), tasks_(tasks), rules_(rules), events_(events)
    {
        for (std::size_t task = 0; task < tasks; ++task) {
            over_at_.push_back(find_over(task));
            for (std::size_t c = 0; c < texts.size(); ++c) by_event_.push_back(find_event(task, c));
            end_at_.push_back(find_end(task));
        }
    }

    WaitVerdict verdict() const
    {
        std::optional<When> guard, first_met, last_met, first_impossible;
        bool all_goals = true;
        for (std::size_t task = 0; task < tasks_; ++task) {
            for (std::size_t c = 0; c < texts_.size(); ++c) {
                if (is_guard(c)) {
                    const std::size_t at = guard_at(task, c);
                    if (at != never) guard = earlier(guard, When{at, task, false, c});
                    continue;
                }
                const auto [state, when] = state_of(task, c);
                if (state == ConditionState::met) {
                    first_met = earlier(first_met, when);
                    last_met = last_met ? std::max(*last_met, when) : when;
                }
                if (state == ConditionState::impossible)
                    first_impossible = earlier(first_impossible, when);
                all_goals = all_goals && state != ConditionState::open;
            }
        }
        if (guard) return of(Kind::impossible, Cause::guard, *guard);
        if (rules_.any && first_met) return of(Kind::met, Cause::none, *first_met);
        if (first_impossible && (!rules_.any || all_goals))
            return of(Kind::impossible, cause_of(*first_impossible), *first_impossible);
        if (all_goals) return of(Kind::met, Cause::none, *last_met);
        return stuck();
    }

    bool is_settled(std::size_t task) const { return settled_at(task) != never; }

private:
    static WaitVerdict of(Kind kind, Cause cause, const When& when)
    {
        return {kind, cause, std::get<1>(when), std::get<3>(when)};
    }
    static std::optional<When> earlier(const std::optional<When>& one, const When& other)
    {
        return one ? std::min(*one, other) : other;
    }

    bool is_guard(std::size_t c) const { return texts_[c].starts_with("log-fail:"); }
    bool reads_output(std::size_t c) const { return texts_[c].starts_with("log"); }
    bool is_probe(std::size_t c) const
    {
        return texts_[c].starts_with("tcp:") || texts_[c].starts_with("gone:file:");
    }

    std::size_t over_at(std::size_t task) const { return over_at_[task]; }
    std::size_t find_over(std::size_t task) const
    {
        for (std::size_t i = 0; i < events_.size(); ++i)
            if (const auto* const record = record_at(task, i); record && record->over) return i;
        return never;
    }
    const fact::Recorded* record_at(std::size_t task, std::size_t i) const
    {
        return events_[i].about == task ? std::get_if<fact::Recorded>(&events_[i].fact) : nullptr;
    }

    /// Whether that event meets the condition, whatever came before it.
    bool meets(std::size_t task, std::size_t c, std::size_t i) const
    {
        const Event& event = events_[i];
        const std::string& text = texts_[c];
        if (event.is_answer())
            return is_probe(c) && event.about == c && std::get<fact::Answered>(event.fact).yes;
        if (event.about != task) return false;
        const bool lives = i < over_at(task);
        if (const auto* const record = std::get_if<fact::Recorded>(&event.fact))
            return (text == "ready" && record->ready) ||
                   (text == "progress=50%" && record->progress && *record->progress >= 0.5) ||
                   (text == "stalled" && lives && record->stalled) ||
                   (text == "waiting-input" && lives && record->waiting_input);
        if (const auto* const line = std::get_if<fact::Line>(&event.fact))
            return text.starts_with("log:") &&
                   line->text.find(text.back()) != std::string_view::npos;
        if (const auto* const silence = std::get_if<fact::Silence>(&event.fact))
            return lives && text == "quiet:5s" && silence->length >= 5s;
        if (const auto* const memory = std::get_if<fact::Memory>(&event.fact))
            return lives && text == "mem>5" && memory->bytes > 5;
        if (std::holds_alternative<fact::Cpu>(event.fact)) return lives && text == "cpu<5%:1s";
        if (const auto* const listening = std::get_if<fact::Listening>(&event.fact)) {
            const bool has_80 = std::ranges::find(listening->ports, 80) != listening->ports.end();
            return lives && ((text == "port" && !listening->ports.empty()) ||
                             (text == "port:80" && has_80) || (text == "gone:port:80" && !has_80));
        }
        return false;
    }
    bool refuses(std::size_t task, std::size_t c, std::size_t i) const
    {
        const fact::Recorded* const record = record_at(task, i);
        return texts_[c] == "ready" && record && !record->ready &&
               record->readiness != Readiness::possible;
    }

    /// When an event itself decided a goal, and how.
    const std::pair<ConditionState, std::size_t>& by_event(std::size_t task, std::size_t c) const
    {
        return by_event_[task * texts_.size() + c];
    }
    std::pair<ConditionState, std::size_t> find_event(std::size_t task, std::size_t c) const
    {
        for (std::size_t i = 0; i < events_.size(); ++i) {
            if (meets(task, c, i)) return {ConditionState::met, i};
            if (refuses(task, c, i)) return {ConditionState::impossible, i};
        }
        return {ConditionState::open, never};
    }

    /// When the end of the task counts: all else has been observed once more.
    std::size_t end_at(std::size_t task) const { return end_at_[task]; }
    std::size_t find_end(std::size_t task) const
    {
        for (std::size_t at = over_at(task); at < events_.size(); ++at) {
            bool waits = false;
            for (std::size_t c = 0; c < texts_.size(); ++c) {
                if (!is_guard(c) && by_event(task, c).second <= at) continue;
                bool read = false, refused = false;
                for (std::size_t i = over_at(task); i <= at; ++i) {
                    read |= events_[i].about == task &&
                            std::holds_alternative<fact::OutputRead>(events_[i].fact);
                    refused |= events_[i].is_answer() && events_[i].about == c &&
                               !std::get<fact::Answered>(events_[i].fact).yes;
                }
                waits |= (reads_output(c) && !read) || (is_probe(c) && !refused);
            }
            if (!waits) return at;
        }
        return never;
    }

    std::pair<ConditionState, When> state_of(std::size_t task, std::size_t c) const
    {
        const auto [state, at] = by_event(task, c);
        const std::size_t end = end_at(task);
        if (at != never && (end == never || at <= end)) return {state, When{at, task, false, c}};
        if (end == never) return {ConditionState::open, When{}};
        const std::string& text = texts_[c];
        const bool met = text == "exit" || (text == "exit=0" && exit_code(task, end) == 0) ||
                         text == "gone:port:80";
        return {met ? ConditionState::met : ConditionState::impossible, When{end, task, true, c}};
    }
    int exit_code(std::size_t task, std::size_t until) const
    {
        int code = 0;
        for (std::size_t i = 0; i <= until; ++i)
            if (const auto* const record = record_at(task, i)) code = record->exit_code;
        return code;
    }

    std::size_t settled_at(std::size_t task) const
    {
        std::size_t last = 0;
        for (std::size_t c = 0; c < texts_.size(); ++c) {
            if (is_guard(c)) continue;
            const auto [state, when] = state_of(task, c);
            if (state == ConditionState::open) return never;
            last = std::max(last, std::get<0>(when));
        }
        return last;
    }
    std::size_t guard_at(std::size_t task, std::size_t c) const
    {
        const std::size_t last = std::min(settled_at(task), events_.size() - 1);
        for (std::size_t i = 0; i <= last; ++i) {
            if (events_[i].is_answer() || events_[i].about != task) continue;
            const auto* const line = std::get_if<fact::Line>(&events_[i].fact);
            if (line && line->text.find(texts_[c].back()) != std::string_view::npos) return i;
        }
        return never;
    }

    Cause cause_of(const When& when) const
    {
        const auto [at, task, end, c] = when;
        Readiness readiness = Readiness::possible;
        const std::size_t last = std::min(settled_at(task), events_.size() - 1);
        for (std::size_t i = 0; i <= last; ++i)
            if (const auto* const record = record_at(task, i)) readiness = record->readiness;
        if (texts_[c] == "ready" && readiness == Readiness::no_condition)
            return Cause::no_readiness;
        return over_at(task) == never || over_at(task) > settled_at(task) ? Cause::never_ready
                                                                          : Cause::ended;
    }

    WaitVerdict stuck() const
    {
        for (std::size_t task = 0; rules_.or_stuck && task < tasks_; ++task) {
            if (over_at(task) != never || is_settled(task)) continue;
            const fact::Recorded* last = nullptr;
            for (std::size_t i = 0; i < events_.size(); ++i)
                if (const auto* const record = record_at(task, i)) last = record;
            if (last && last->waiting_input)
                return {Kind::impossible, Cause::waiting_input, task, 0};
            if (last && last->stalled) return {Kind::impossible, Cause::stalled, task, 0};
        }
        return {};
    }

    const std::vector<std::string>& texts_;
    std::size_t tasks_;
    WaitRules rules_;
    const std::vector<Event>& events_;
    // The same for all questions: looked for once.
    std::vector<std::size_t> over_at_, end_at_;
    std::vector<std::pair<ConditionState, std::size_t>> by_event_;
};

class Random {
public:
    explicit Random(unsigned seed) : engine_(seed) {}
    std::size_t below(std::size_t n) { return engine_() % n; }
    bool one_in(std::size_t n) { return below(n) == 0; }

    std::vector<std::string> conditions()
    {
        static const char* const all[] = {
            "exit",     "exit=0",  "ready",        "log:a",   "log:b",        "log-fail:x",
            "port",     "port:80", "gone:port:80", "tcp:1",   "gone:file:f",  "progress=50%",
            "quiet:5s", "mem>5",   "cpu<5%:1s",    "stalled", "waiting-input"};
        std::vector<std::string> out;
        do out.emplace_back(all[below(std::size(all))]);
        while (out.back().starts_with("log-fail") || !one_in(3));
        return out;
    }

    Event event(std::size_t tasks, const std::vector<std::string>& texts)
    {
        static const char* const lines[] = {"a", "b", "x", "ax", "bx", "ab", ""};
        static const std::vector<std::uint16_t> ports[] = {{}, {80}, {81}, {80, 81}};
        static const std::vector<fact::CpuTotal> idle{{Instant(1s), 0s}, {Instant(2s), 0s}};
        const std::size_t task = below(tasks);
        switch (below(9)) {
        case 0: return {task, fact::Line{lines[below(std::size(lines))]}};
        case 1: return {task, fact::OutputRead{}};
        case 2: return {task, fact::Silence{std::chrono::seconds(below(8))}};
        case 3: return {task, fact::Listening{ports[below(std::size(ports))]}};
        case 4: {
            const std::size_t c = below(texts.size());
            const bool probe = texts[c].starts_with("tcp:") || texts[c].starts_with("gone:file:");
            if (probe) return {c, fact::Answered{one_in(3), {}}};
            return {task, fact::OutputRead{}};
        }
        case 5: return {task, fact::Memory{below(9)}};
        case 6: return {task, fact::Cpu{idle}};
        default: return {task, record()};
        }
    }

    fact::Recorded record()
    {
        fact::Recorded out;
        out.over = one_in(3);
        out.exit_code = out.over && one_in(2) ? 3 : 0;
        out.ready = one_in(4);
        if (one_in(4)) out.readiness = one_in(2) ? Readiness::lost : Readiness::no_condition;
        out.stalled = one_in(6);
        out.waiting_input = one_in(6);
        if (one_in(3)) out.progress = static_cast<double>(below(11)) / 10;
        return out;
    }

private:
    std::minstd_rand engine_;
};

inline std::string describe(const std::vector<std::string>& texts, const std::vector<Event>& events)
{
    std::string out;
    for (const std::string& text : texts) out += text + " ";
    for (const Event& event : events)
        out += "| " + std::to_string(event.about) + ":" + std::to_string(event.fact.index()) + " ";
    return out;
}

} // namespace bgt::test
