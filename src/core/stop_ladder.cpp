#include "stop_ladder.hpp"

#include <algorithm>

namespace bgt::core {

using namespace std::chrono_literals;

namespace {

constexpr Duration first_pause = 1ms;
constexpr Duration max_pause = 50ms;
constexpr Duration survivor_timeout =
    1s; ///< after which what lives in spite of SIGKILL is called a survivor
constexpr Duration survivor_pause = 1s; ///< a process in state D may stay there for hours

bool killing(const Stopping& stop)
{
    return stop.rung >= stop.ladder.size();
}

void begin_kill(Stopping& stop, Instant now, std::vector<Action>& out)
{
    stop.rung = stop.ladder.size();
    stop.swept = false;
    stop.kill_since = now;
    stop.sweep_pause = first_pause;
    stop.rung_ends = saturating_add(now, first_pause);
    out.emplace_back(KillTree{});
}

void sweep_again(Stopping& stop, Instant now, std::vector<Action>& out)
{
    const bool told = stop.sweep_pause == survivor_pause;
    if (told) {
        out.emplace_back(KillTree{});
    } else if (now >= saturating_add(stop.kill_since, survivor_timeout)) {
        stop.sweep_pause = survivor_pause;
        out.emplace_back(Note{Happening::survivors, stop.reason, kill_signal, stop.living});
        out.emplace_back(SaveStatus{});
        out.emplace_back(KillTree{});
    } else {
        stop.sweep_pause = std::clamp(stop.sweep_pause * 2, first_pause, max_pause);
        out.emplace_back(KillTree{});
    }
    stop.rung_ends = saturating_add(now, stop.sweep_pause);
}

} // namespace

Instant saturating_add(Instant at, Duration wait)
{
    if (wait <= Duration::zero()) return at;
    return wait > Instant::max() - std::max(at, Instant{}) ? Instant::max() : at + wait;
}

void begin(Stopping& stop, Happening what, bool kill_at_once, Instant now, std::vector<Action>& out)
{
    stop.since = now;
    stop.rung = 0;
    kill_at_once = kill_at_once || stop.ladder.empty();
    const int signal = kill_at_once ? kill_signal : stop.ladder.front().signal;
    out.emplace_back(SaveStatus{});
    out.emplace_back(Note{what, stop.reason, signal, stop.living});
    if (kill_at_once) return begin_kill(stop, now, out);
    stop.rung_ends = saturating_add(now, stop.ladder.front().wait);
    out.emplace_back(SignalTree{signal, stop.main_only && !stop.main_end});
}

void escalate(Stopping& stop, const StopRequested& request, Instant now, std::vector<Action>& out)
{
    if (killing(stop) || request.no_escalation ||
        !(request.now || request.reason == Reason::killed))
        return;
    out.emplace_back(Note{Happening::rung, stop.reason, kill_signal, 0});
    begin_kill(stop, now, out);
}

void advance(Stopping& stop, Instant now, std::vector<Action>& out)
{
    if (now < stop.rung_ends) return;
    if (killing(stop)) return sweep_again(stop, now, out);
    // From date to date, not from tick to tick: KILL comes when it was announced.
    while (!killing(stop) && now >= stop.rung_ends) {
        ++stop.rung;
        if (!killing(stop))
            stop.rung_ends = saturating_add(stop.rung_ends, stop.ladder[stop.rung].wait);
    }
    stop.swept = false;
    const int signal = killing(stop) ? kill_signal : stop.ladder[stop.rung].signal;
    out.emplace_back(Note{Happening::rung, stop.reason, signal, 0});
    if (killing(stop)) return begin_kill(stop, now, out);
    out.emplace_back(SignalTree{signal, stop.main_only && !stop.main_end});
}

void count(Stopping& stop, std::uint32_t found)
{
    if (stop.swept) {
        // Only KILL is repeated; its count is of all that it has hit.
        if (killing(stop)) stop.tally.back().found = std::max(stop.tally.back().found, found);
        return;
    }
    stop.swept = true;
    if (!stop.tally.empty()) {
        StepTally& before = stop.tally.back();
        before.ended = before.found - std::min(before.found, found);
    }
    stop.tally.push_back({killing(stop) ? kill_signal : stop.ladder[stop.rung].signal, found, 0});
}

void close_tally(Stopping& stop)
{
    if (!stop.tally.empty()) stop.tally.back().ended = stop.tally.back().found;
}

Instant kill_date(const Stopping& stop)
{
    if (killing(stop)) return stop.kill_since;
    Instant date = stop.rung_ends;
    for (std::size_t next = stop.rung + 1; next < stop.ladder.size(); ++next)
        date = saturating_add(date, stop.ladder[next].wait);
    return date;
}

} // namespace bgt::core
