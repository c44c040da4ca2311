#include "restart_policy.hpp"

#include "stop_ladder.hpp"
#include <bgt/core/hang_rules.hpp>

#include <algorithm>

namespace bgt::core {

namespace {

bool wants_restart(Restart policy, OnHang on_hang, bool hung, bool failed)
{
    if (hung && on_hang == OnHang::restart) return true;
    switch (policy) {
    case Restart::no: return false;
    case Restart::on_failure: return failed;
    case Restart::on_hang: return hung;
    case Restart::always: return true;
    }
    return false;
}

/// A number that looks like chance and is always the same for the same arguments (splitmix64).
std::uint64_t scramble(std::uint64_t x)
{
    x += 0x9e3779b97f4a7c15ull;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    return x ^ (x >> 31);
}

} // namespace

NextAttempt next_attempt(const RestartPolicy& again, OnHang on_hang, const Attempts& attempts,
                         const Outcome& outcome, bool asked, Instant now)
{
    if (asked) return NextAttempt::now;
    const bool hung = is_hang(outcome.reason);
    if (outcome.reason != Reason::self && !hung) return NextAttempt::none;
    if (outcome.kind != OutcomeKind::exited && outcome.kind != OutcomeKind::signaled)
        return NextAttempt::none;
    const bool failed = exit_code(outcome) != 0;
    if (wants_restart(again.restart, on_hang, hung, failed)) {
        const auto recent = std::ranges::count_if(attempts.restarts, [&](Instant at) {
            return now < saturating_add(at, again.max_period);
        });
        const bool too_many =
            again.max_restarts != 0 && static_cast<std::uint64_t>(recent) >= again.max_restarts;
        return too_many ? NextAttempt::given_up : NextAttempt::restart;
    }
    if (!failed || attempts.retries >= again.retries) return NextAttempt::none;
    const bool worth_it =
        again.retry_on.empty() ||
        std::ranges::find(again.retry_on, exit_code(outcome)) != again.retry_on.end();
    return worth_it ? NextAttempt::retry : NextAttempt::none;
}

bool note_end(Attempts& attempts, bool asked, Instant now)
{
    if (asked) attempts.ends.clear();
    else attempts.ends.push_back(now);
    std::erase_if(attempts.ends,
                  [&](Instant at) { return now >= saturating_add(at, loop_period); });
    if (attempts.ends.size() > loop_attempts) attempts.ends.erase(attempts.ends.begin());
    const bool before = attempts.crash_loop;
    attempts.crash_loop = attempts.ends.size() >= loop_attempts;
    return attempts.crash_loop && !before;
}

Duration begin_backoff(const RestartPolicy& again, Attempts& attempts, NextAttempt next,
                       Duration lived, Instant now)
{
    ++attempts.number;
    if (next == NextAttempt::now) return Duration::zero();
    if (next == NextAttempt::retry) ++attempts.retries;
    if (next == NextAttempt::restart && again.max_restarts != 0) {
        std::erase_if(attempts.restarts,
                      [&](Instant at) { return now >= saturating_add(at, again.max_period); });
        attempts.restarts.push_back(now);
    }
    // One that ran for long had got over whatever made those before it fail.
    attempts.in_a_row = lived >= again.backoff_max ? 0 : attempts.in_a_row;
    Duration wait = std::max(again.backoff_min, Duration::zero());
    for (std::uint32_t i = 0; i < attempts.in_a_row && wait < again.backoff_max; ++i)
        wait = std::min(wait * 2, again.backoff_max);
    ++attempts.in_a_row;
    wait = std::min(wait, std::max(again.backoff_max, Duration::zero()));
    const auto percent = static_cast<Duration::rep>(scramble(again.seed ^ attempts.number) % 21);
    return wait - wait / 100 * percent;
}

} // namespace bgt::core
