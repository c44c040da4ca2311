/// compare() against random trees whose true use of CPU is known.
#include "support/catch.hpp"

#include <bgt/core/activity.hpp>

#include <algorithm>
#include <random>
#include <vector>

using namespace bgt;
using namespace bgt::core;
using namespace std::chrono_literals;

namespace {

/// How a tree differs from one that shows everything.
struct Habits {
    bool ignores_children = false; ///< some parents ignore SIGCHLD: ends of their children are lost
    bool hides = false;            ///< a look misses some processes
    Duration tick = 1ns;           ///< counters show whole ticks
};

/// A tree as the kernel keeps it: an orphan falls to the nearest subreaper above it, at last to the
/// supervisor (index 0).
class Model {
public:
    Model(unsigned seed, const Habits& habits) : random_(seed), habits_(habits)
    {
        processes_.push_back({.pid = 1, .subreaper = true});
        processes_.push_back({.pid = 2, .start = ++clock_, .parent = 0});
    }

    void happen()
    {
        const std::size_t who = any();
        if (who == 0) return;
        Process& process = processes_[who];
        switch (below(9)) {
        case 0:
        case 1:
        case 2: fork(who); break;
        case 3: exit(who); break;
        case 4:
        case 5: reap_children_of(below(3) == 0 ? 0 : who); break;
        default: burn(process); break;
        }
    }

    Sample look()
    {
        Sample sample;
        sample.start_now = clock_;
        sample.at = Instant(Duration(clock_));
        sample.reaped_cpu = shown(processes_[0].reaped);
        for (std::size_t i = 1; i < processes_.size(); ++i) {
            Process& process = processes_[i];
            process.seen = !process.gone && !(habits_.hides && below(6) == 0);
            process.at_look = process.gone ? Duration{} : process.cpu + process.reaped;
            if (process.seen)
                sample.processes.push_back({process.pid,
                                            process.start,
                                            processes_[process.parent].pid,
                                            process.ended ? 'Z' : 'S',
                                            shown(process.cpu),
                                            shown(process.reaped),
                                            0,
                                            {},
                                            false});
        }
        std::ranges::shuffle(sample.processes, random_);
        return sample;
    }

    /// Since the last call: what was burned, and the history of those that ended without the last
    /// look having seen them.
    Duration burned() { return std::exchange(burned_, {}); }
    Duration unseen() { return std::exchange(unseen_, {}); }

private:
    struct Process {
        std::int32_t pid;
        std::uint64_t start = 0;
        std::size_t parent = 0;
        Duration cpu{}, reaped{};
        Duration at_look{}; ///< both, as they were at the last look
        bool subreaper = false, ignores_children = false, ended = false, gone = false, seen = false;
    };

    std::size_t below(std::size_t n)
    {
        return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_);
    }
    Duration shown(Duration exact) const { return exact / habits_.tick * habits_.tick; }

    std::size_t any()
    {
        const std::size_t index = below(processes_.size());
        return processes_[index].ended || processes_[index].gone ? 0 : index;
    }
    void burn(Process& process)
    {
        const Duration used(below(30'000'000));
        process.cpu += used;
        burned_ += used;
    }
    void fork(std::size_t parent)
    {
        Process child{
            .pid = static_cast<std::int32_t>(2 + below(60)), .start = ++clock_, .parent = parent};
        const auto taken = [&](const Process& other) {
            return !other.gone && other.pid == child.pid;
        };
        while (std::ranges::any_of(processes_, taken)) ++child.pid;
        child.subreaper = below(5) == 0;
        child.ignores_children = habits_.ignores_children && below(3) == 0;
        processes_.push_back(child);
    }
    std::size_t reaper_of(std::size_t index) const
    {
        for (std::size_t at = processes_[index].parent; at != 0; at = processes_[at].parent)
            if (processes_[at].subreaper && !processes_[at].ended) return at;
        return 0;
    }
    void exit(std::size_t index)
    {
        processes_[index].ended = true;
        const std::size_t heir = reaper_of(index);
        for (Process& child : processes_)
            if (!child.gone && child.parent == index && &child != &processes_[0])
                child.parent = heir;
        if (processes_[processes_[index].parent].ignores_children) release(index);
    }
    void reap_children_of(std::size_t parent)
    {
        for (std::size_t i = 1; i < processes_.size(); ++i) {
            Process& child = processes_[i];
            if (child.parent != parent || !child.ended || child.gone) continue;
            if (!processes_[parent].ignores_children)
                processes_[parent].reaped += child.cpu + child.reaped;
            release(i);
        }
    }
    void release(std::size_t index)
    {
        processes_[index].gone = true;
        if (!processes_[index].seen) unseen_ += processes_[index].at_look;
    }

    std::mt19937 random_;
    Habits habits_;
    std::vector<Process> processes_;
    std::uint64_t clock_ = 0;
    Duration burned_{}, unseen_{};
};

/// Looks again and again at a tree that lives; `check` gets what compare() says, the truth, and the
/// exceptions to it.
template <class Check>
void live(unsigned seeds, const Habits& habits, Check check)
{
    for (unsigned seed = 1; seed <= seeds; ++seed) {
        INFO("seed " << seed);
        Model model(seed, habits);
        Sample before = model.look();
        for (unsigned round = 0; round < 40; ++round) {
            for (unsigned event = 0; event < 12; ++event) model.happen();
            const Sample now = model.look();
            const Used used = compare(before, now);
            REQUIRE(used.cpu >= 0ns);
            check(used.cpu, model.burned(), model.unseen(),
                  before.processes.size() + now.processes.size());
            before = now;
        }
    }
}

} // namespace

TEST_CASE("what a tree used is told exactly where all is seen and every end is waited for")
{
    Duration total{};
    live(400, {}, [&](Duration told, Duration truth, Duration, std::size_t) {
        REQUIRE(told == truth);
        total += told;
    });
    CHECK(total > 1min); // something did happen
}

TEST_CASE("lost ends make it less, never more")
{
    Duration total{}, total_truth{};
    live(400, {.ignores_children = true},
         [&](Duration told, Duration truth, Duration, std::size_t) {
             REQUIRE(told <= truth);
             total += told;
             total_truth += truth;
         });
    CHECK(total > total_truth / 2);
}

TEST_CASE("a process that a look missed counts too much only when it ends unseen")
{
    live(400, {.hides = true}, [&](Duration told, Duration truth, Duration unseen, std::size_t) {
        REQUIRE(told <= truth + unseen);
    });
}

TEST_CASE("whole ticks make it too much by no more than a tick a counter")
{
    Duration total{}, total_truth{};
    live(400, {.tick = 10ms}, [&](Duration told, Duration truth, Duration, std::size_t processes) {
        REQUIRE(told <= truth + 10ms * (2 * processes + 1));
        total += told;
        total_truth += truth;
    });
    CHECK(total <= total_truth + total_truth / 10);
}
