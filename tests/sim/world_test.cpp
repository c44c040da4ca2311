/// Lives of tasks in a world that answers as a driver does: what is begun must come to its end.
#include "watcher.hpp"

#include <deque>
#include <set>

using namespace bgt;
using namespace bgt::core;
using namespace std::chrono_literals;

namespace {

struct Process {
    std::uint64_t pid;
    bool obeys;         ///< ends at any signal, not only at SIGKILL
    Duration dies_hard; ///< how long it outlives SIGKILL (state D)
    std::optional<Instant> doomed{};
};

/// A tree, and the driver that tells step() about it.
class World {
public:
    explicit World(Dice& dice) : dice_(dice), task_(random_spec(dice)), stubborn_(dice.one_in(10))
    {}

    /// Returns the steps taken. The task must be over after a bounded number of them.
    std::uint64_t live()
    {
        begin();
        while (!task_.released()) {
            REQUIRE(task_.steps() < 20000);
            happen();
            pass_time();
        }
        REQUIRE(tree_.empty());
        const auto& ended = std::get<Ended>(task_.state().phase);
        if (main_end_) {
            const bool exited = std::holds_alternative<Exited>(*main_end_);
            REQUIRE(ended.outcome.kind == (exited ? OutcomeKind::exited : OutcomeKind::signaled));
        }
        check_count(ended);
        return task_.steps();
    }

private:
    void begin()
    {
        main_end_.reset();
        if (dice_.one_in(50)) return say(StartFailed{});
        birth();
        say(Started{});
    }
    void birth()
    {
        REQUIRE(tree_.empty()); // two attempts never overlap
        tree_.push_back(make());
        root_ = tree_.front().pid;
    }
    Process make()
    {
        return {next_pid_++, !dice_.one_in(3), stubborn_ ? dice_.duration() / 10 : Duration{}, {}};
    }

    void happen()
    {
        switch (dice_.below(12)) {
        case 0:
        case 1:
            if (!tree_.empty() && tree_.size() < 12)
                tree_.push_back(make()); // a fork, also in the middle of a stop
            break;
        case 2:
        case 3:
            if (!tree_.empty())
                remove(dice_.below(tree_.size()), Exited{static_cast<int>(dice_.below(120))});
            break;
        case 4:
            if (dice_.one_in(4)) say(random_stop(dice_));
            break;
        case 5: say(dice_.one_in(2) ? Event(PauseRequested{}) : Event(ResumeRequested{})); break;
        case 6: say(Tick{}); break; // a stale one
        case 7: say(dice_.one_in(2) ? Event(Ready{}) : Event(SampleRequested{})); break;
        default: break;
        }
        // Nobody waits for ever: in the end a person asks for what is left.
        if (task_.steps() > 300 && !stop_asked_) {
            stop_asked_ = true;
            say(StopRequested{Reason::killed, true, {}});
        }
    }

    void pass_time()
    {
        const auto due = task_.due();
        const Duration ahead = std::min(dice_.duration(), Instant::max() - now_);
        if (due && (*due <= now_ + ahead || stop_asked_) && *due < Instant::max()) {
            now_ = std::max(now_, *due);
            bury();
            if (!task_.released()) say(Tick{});
        } else {
            now_ += ahead;
            bury();
        }
    }

    void bury()
    {
        for (std::size_t i = tree_.size(); i-- > 0;) {
            if (tree_[i].doomed && now_ >= *tree_[i].doomed) remove(i, Signaled{9});
        }
    }

    void remove(std::uint64_t index, MainEnd how)
    {
        const std::uint64_t pid = tree_[index].pid;
        tree_.erase(tree_.begin() + static_cast<std::ptrdiff_t>(index));
        if (pid == root_) {
            main_end_ = how;
            events_.push_back(MainEnded{how});
        }
        if (tree_.empty()) events_.push_back(TreeEmpty{});
        drain();
    }

    void say(const Event& event)
    {
        events_.push_back(event);
        drain();
    }
    /// Actions may cause events; each waits until the actions before it are done.
    void drain()
    {
        if (draining_) return;
        draining_ = true;
        while (!events_.empty()) {
            const Event event = events_.front();
            events_.pop_front();
            for (const Action& action : task_(event, now_)) perform(action);
        }
        draining_ = false;
    }

    void perform(const Action& action)
    {
        if (std::holds_alternative<CheckTree>(action)) look();
        if (std::holds_alternative<KillTree>(action)) kill_all();
        if (std::holds_alternative<SignalTree>(action)) signal_all();
        if (std::holds_alternative<TakeSample>(action)) events_.push_back(Sampled{liveness()});
        if (std::holds_alternative<EndAttempt>(action)) hit_.clear(); // a row of that attempt
        if (std::holds_alternative<StartAgain>(action)) begin();
    }
    Liveness liveness()
    {
        const auto ago = [&] { return now_ - std::min(dice_.duration(), now_.time_since_epoch()); };
        return {ago(), ago(), dice_.one_in(3) ? ago() : Instant{},
                static_cast<Activity>(dice_.below(8)), dice_.duration()};
    }
    void look()
    {
        // An empty tree was told of when its last member went.
        if (!tree_.empty()) events_.push_back(TreeLives{static_cast<std::uint32_t>(tree_.size())});
    }
    void signal_all()
    {
        events_.push_back(Swept{static_cast<std::uint32_t>(tree_.size())});
        for (std::size_t i = tree_.size(); i-- > 0;) {
            if (tree_[i].obeys)
                remove(i, dice_.one_in(2) ? MainEnd(Signaled{15}) : MainEnd(Exited{0}));
        }
    }
    void kill_all()
    {
        for (const Process& process : tree_) hit_.insert(process.pid);
        events_.push_back(Swept{static_cast<std::uint32_t>(hit_.size())});
        for (std::size_t i = tree_.size(); i-- > 0;) {
            if (!tree_[i].doomed) tree_[i].doomed = now_ + tree_[i].dies_hard;
            if (now_ >= *tree_[i].doomed) remove(i, Signaled{9});
        }
        look();
    }

    /// Whoever SIGKILL hit is in its row.
    void check_count(const Ended& ended) const
    {
        if (hit_.empty()) return;
        REQUIRE_FALSE(ended.tally.empty());
        REQUIRE(ended.tally.back().signal == 9);
        REQUIRE(ended.tally.back().found == hit_.size());
        REQUIRE(ended.tally.back().ended == hit_.size());
    }

    Dice& dice_;
    Watcher task_;
    bool stubborn_;
    std::vector<Process> tree_;
    std::set<std::uint64_t> hit_;
    std::optional<MainEnd> main_end_;
    std::deque<Event> events_;
    Instant now_{1000s};
    std::uint64_t next_pid_ = 1;
    std::uint64_t root_ = 0;
    bool draining_ = false;
    bool stop_asked_ = false;
};

} // namespace

TEST_CASE("every task comes to its end, whole and told right")
{
    const std::uint64_t seed = sim_seed();
    INFO("BGT_SIM_SEED=" << seed);
    std::uint64_t steps = 0;
    for (std::uint64_t life = 0; steps < 200'000; ++life) {
        INFO("life " << life);
        Dice dice(seed * 31 + life);
        steps += World(dice).live();
    }
    CHECK(steps >= 200'000);
}
