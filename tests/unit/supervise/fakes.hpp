#pragma once
/// Fakes of a driver's collaborators, and the story of a task as they were told it.
#include "support/task_folder.hpp"

#include "supervise/driver.hpp"
#include <bgt/store/events.hpp>

#include <fstream>
#include <functional>
#include <sstream>

namespace bgt::supervise::test {

using namespace std::chrono_literals;

/// What the collaborators were asked to do, in its order.
struct Story {
    std::string text;
    void tell(const std::string& what) { text += (text.empty() ? "" : " ") + what; }
    std::string take() { return std::exchange(text, {}); }
};

struct FakeClock final : Clock {
    Instant at{1000s};
    std::optional<Instant> wakes;
    Instant now() const override { return at; }
    WallTime wall_now() const override { return WallTime(at.time_since_epoch()); }
    void wake_at(std::optional<Instant> date) override { wakes = date; }
};

struct FakeTree final : Tree {
    FakeTree(Helpers& helpers, Story& told) : Tree(helpers), story(told) {}
    Story& story;
    std::vector<std::int32_t> living{10};
    Changes next;
    Changes poll() override
    {
        Changes now = std::exchange(next, {});
        now.empty |= living.empty();
        return now;
    }
    std::vector<os::ProcStat> members() override
    {
        std::vector<os::ProcStat> all;
        for (const std::int32_t pid : living) {
            os::ProcStat member;
            member.key = {pid, 1};
            member.state = 'S';
            all.push_back(member);
        }
        return all;
    }
    bool has(std::int32_t pid) override
    {
        return std::find(living.begin(), living.end(), pid) != living.end();
    }
    void new_main_process(std::int32_t pid) override { living = {pid}; }
    std::uint32_t signal(const std::vector<os::ProcStat>& members, int signal) override
    {
        story.tell("signal:" + std::to_string(signal) + "x" + std::to_string(members.size()));
        return static_cast<std::uint32_t>(members.size());
    }
    void exits(int code, bool last = true)
    {
        next.main_end = core::Exited{code};
        if (last) living.clear();
    }
};

struct FakeSpawner final : Spawner {
    explicit FakeSpawner(Story& told) : story(told) {}
    Story& story;
    std::int32_t next_pid = 20;
    std::optional<Error> failure;
    Result<ProcessKey> spawn(std::uint32_t attempt) override
    {
        story.tell("spawn:" + std::to_string(attempt));
        if (failure) return *failure;
        return ProcessKey{next_pid++, 1};
    }
};

struct FakeSigns final : LifeSigns {
    core::Liveness found;
    std::optional<core::Progress> progress;
    void begin(Instant) override {}
    core::Liveness sample(const std::vector<os::ProcStat>&, Instant) override { return found; }
    void leave_out(Duration) override {}
    std::optional<core::Progress> take_progress() override
    {
        return std::exchange(progress, std::nullopt);
    }
};

struct FakeReports final : HangReporter {
    explicit FakeReports(Story& told) : story(told) {}
    Story& story;
    std::optional<std::uint32_t> number = 1;
    std::optional<std::uint32_t> report(core::Reason rule) override
    {
        story.tell("report:" + std::string(core::to_string(rule)));
        return number;
    }
    void run_hook(core::Reason rule) override
    {
        story.tell("hook:" + std::string(core::to_string(rule)));
    }
};

struct FakeOutput final : TaskOutput {
    explicit FakeOutput(Story& told) : story(told) {}
    Story& story;
    std::function<void()> while_draining = [] {};
    void take_all() override {}
    void take_until(int, Instant) override {}
    void drain(bool still_written) override
    {
        story.tell(still_written ? "drain-once" : "drain");
        while_draining();
    }
    void begin_attempt() override {}
    Ranges attempt_ranges() const override { return {{5, 9}, std::nullopt}; }
};

struct FakeHooks final : AttemptHooks {
    explicit FakeHooks(Story& told) : story(told) {}
    Story& story;
    std::function<void()> while_task_ends = [] {};
    void attempt_started() override { story.tell("attempt-started"); }
    void attempt_ended() override { story.tell("attempt-ended"); }
    void tell_of_kernel(std::vector<store::EventField>&) override {}
    void task_ends() override
    {
        story.tell("task-ends");
        while_task_ends();
    }
    void task_ended() override { story.tell("task-ended"); }
    void release() override { story.tell("release"); }
};

/// Takes events without a driver.
struct FakeSink final : EventSink {
    core::State at{core::Running{}};
    std::vector<core::Event> events;
    void dispatch(core::Event event) override { events.push_back(std::move(event)); }
    const core::State& state() const override { return at; }
    template <class Event>
    bool got() const
    {
        return std::any_of(events.begin(), events.end(),
                           [](const auto& event) { return std::holds_alternative<Event>(event); });
    }
};

/// A recorder in a folder of its own.
struct Records {
    bgt::test::TaskFolder folder;
    Recorder recorder = opened();

    Recorder opened()
    {
        store::Status first;
        first.lifecycle = core::Lifecycle::running;
        first.started_at = Instant(1000s);
        REQUIRE(store::StatusWriter::create(folder.dir().fd(), first));
        auto made = Recorder::open(folder.dir());
        REQUIRE(made);
        return std::move(*made);
    }
    store::Status saved() const
    {
        auto status = store::read_status(folder.dir().fd());
        REQUIRE(status);
        return *status;
    }
    std::string events() const
    {
        std::ifstream in(folder.path(store::file::events));
        std::ostringstream text;
        text << in.rdbuf();
        return text.str();
    }
};

} // namespace bgt::supervise::test
