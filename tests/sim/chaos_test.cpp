#include "watcher.hpp"

using namespace bgt;
using namespace bgt::core;
using namespace std::chrono_literals;

namespace {

Event random_event(Dice& dice)
{
    const auto count = static_cast<std::uint32_t>(dice.below(5));
    switch (dice.below(18)) {
    case 0:
    case 1: return Started{};
    case 2: return dice.one_in(10) ? Event(StartFailed{}) : Event(Started{});
    case 3: return MainEnded{Exited{static_cast<int>(dice.below(256))}};
    case 4: return MainEnded{dice.one_in(2) ? MainEnd(Signaled{9}) : MainEnd(Unseen{})};
    case 5: return dice.one_in(4) ? Event(TreeEmpty{}) : Event(Tick{});
    case 6:
    case 7: return TreeLives{count};
    case 8: return Swept{dice.one_in(50) ? UINT32_MAX : count};
    case 9: return dice.one_in(3) ? Event(random_stop(dice)) : Event(Tick{});
    case 10: return PauseRequested{};
    case 11: return ResumeRequested{};
    case 12:
    case 13:
        return Sampled{{Instant{dice.duration()}, Instant{dice.duration()},
                        Instant{dice.duration()}, static_cast<Activity>(dice.below(8)),
                        dice.duration()}};
    case 14: return dice.one_in(2) ? Event(Ready{}) : Event(NeverReady{});
    case 15:
        return dice.one_in(2) ? Event(WatchdogSet{dice.duration()})
                              : Event(Extended{dice.duration()});
    case 16: return dice.one_in(4) ? Event(HangReported{}) : Event(SampleRequested{});
    default: return Tick{};
    }
}

} // namespace

TEST_CASE("whatever the world says, in whatever order, the promises hold")
{
    const std::uint64_t seed = sim_seed();
    INFO("BGT_SIM_SEED=" << seed);
    std::uint64_t steps = 0;
    for (std::uint64_t life = 0; steps < 200'000; ++life) {
        INFO("life " << life);
        Dice dice(seed + life);
        Watcher task(random_spec(dice));
        Instant now = dice.one_in(50) ? Instant::max() - 10s : Instant{dice.duration()};
        const auto length = 5 + dice.below(80);
        for (std::uint64_t i = 0; i < length; ++i) {
            task(random_event(dice), now);
            if (dice.one_in(3)) continue;
            const Duration ahead = std::min(dice.duration(), Instant::max() - now);
            const auto due = task.due();
            const bool passes_it = due && *due <= now + ahead;
            // The timer comes on its date, or late, or (by the events above) for nothing.
            now = passes_it && !dice.one_in(4) ? std::max(now, *due) : now + ahead;
            if (passes_it) task(Tick{}, now);
        }
        steps += task.steps();
    }
    CHECK(steps >= 200'000);
}
