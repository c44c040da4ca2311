#include "sample.hpp"
#include "support/catch.hpp"
#include <bgt/ops/list.hpp>
#include <bgt/render/words.hpp>

using namespace std::chrono_literals;
using namespace bgt::render;
namespace ops = bgt::ops;
using bgt::core::Lifecycle;
using bgt::core::OutcomeKind;
using bgt::core::Reason;

namespace {

std::string ended_text(bgt::core::Outcome outcome)
{
    return state_words(sample::ended(1, "x", outcome)).text;
}

} // namespace

TEST_CASE("states of the living")
{
    auto task = sample::running(1, "", "x");
    CHECK(state_words(task).text == "running");
    CHECK(state_words(task).tone == Tone::good);
    task.status.paused = true;
    CHECK(state_words(task).text == "paused");
    task.status.lifecycle = Lifecycle::stopping;
    CHECK(state_words(task).text == "stopping");
    task.status.lifecycle = Lifecycle::starting;
    CHECK(state_words(task).text == "starting");
    task.status.lifecycle = Lifecycle::queued;
    CHECK(state_words(task).text == "queued");
    task.status.lifecycle = Lifecycle::backing_off;
    CHECK(state_words(task).text == "watching"); // no time: it waits for a change of its files
    task.status.next_attempt = task.status.created;
    CHECK(state_words(task).text == "backing-off");
}

TEST_CASE("states of the ended")
{
    CHECK(ended_text(sample::exited(0)) == "exit 0");
    CHECK(ended_text(sample::exited(255)) == "exit 255");
    CHECK(ended_text({.kind = OutcomeKind::signaled, .signal = 9}) == "SIGKILL");
    CHECK(ended_text({.kind = OutcomeKind::lost}) == "lost");
    CHECK(ended_text({.kind = OutcomeKind::failed_to_start}) == "failed to start");
    CHECK(ended_text({.kind = OutcomeKind::exited, .reason = Reason::timeout}) == "timeout");
    CHECK(ended_text({.kind = OutcomeKind::signaled, .signal = 15, .reason = Reason::killed}) ==
          "killed");
    CHECK(
        ended_text({.kind = OutcomeKind::signaled, .signal = 15, .reason = Reason::idle_timeout}) ==
        "hung");
    CHECK(ended_text({.kind = OutcomeKind::signaled, .signal = 15, .reason = Reason::owner_gone}) ==
          "owner gone");
    auto kept = sample::ended(1, "x", sample::exited(0));
    kept.leftover = {5, 6};
    CHECK(state_words(kept).text == "exit 0 +2");
    kept.problem = "status: too short";
    CHECK(state_words(kept).text == "damaged");
}

TEST_CASE("filters of states")
{
    auto task = sample::running(1, "", "x");
    CHECK(ops::in_state(task, "running"));
    CHECK_FALSE(ops::in_state(task, "paused"));
    task.status.paused = true;
    CHECK(ops::in_state(task, "running"));
    CHECK(ops::in_state(task, "paused"));
    CHECK_FALSE(ops::in_state(task, "ended"));

    const auto fine = sample::ended(1, "x", sample::exited(0));
    CHECK(ops::in_state(fine, "ended"));
    CHECK_FALSE(ops::in_state(fine, "failed"));
    const auto failed = sample::ended(1, "x", sample::exited(3));
    CHECK(ops::in_state(failed, "failed"));
    const auto lost = sample::ended(1, "x", {.kind = OutcomeKind::lost});
    CHECK(ops::in_state(lost, "lost"));
    CHECK(ops::in_state(lost, "ended"));
    CHECK(ops::in_state(lost, "failed"));
    CHECK(lifecycle_word(lost) == "lost");
    auto damaged = failed;
    damaged.problem = "status: too short";
    for (const auto state : ops::state_filters) CHECK_FALSE(ops::in_state(damaged, state));
}

TEST_CASE("ages and run times")
{
    auto task = sample::running(1, "", "x");
    CHECK(age(task.status, sample::after(90s)) == 90s);
    CHECK(run_time(task.status, sample::after(90s)) == 90s);
    auto jumped = sample::after(90s);
    jumped.wall -= 1h; // the calendar was set back: what lives is timed by the other clock
    CHECK(age(task.status, jumped) == 90s);
    task.status.started_at.reset();
    CHECK(age(task.status, jumped) == 0s);
    CHECK_FALSE(run_time(task.status, jumped));

    auto ended = sample::ended(1, "x", sample::exited(0));
    CHECK(run_time(ended.status, sample::after(1h)) == 12300ms);
    CHECK(age(ended.status, sample::after(1h)) == 1h);
    ended.status.ended.reset();
    ended.status.ended_at.reset();
    CHECK_FALSE(run_time(ended.status, sample::after(1h)));
    CHECK_FALSE(age(bgt::store::Status{}, sample::after(1h)));
}

TEST_CASE("outcomes in words")
{
    CHECK(outcome_words(sample::ended(1, "x", sample::exited(3)).status) == "exit 3");
    auto outcome =
        bgt::core::Outcome{.kind = OutcomeKind::signaled, .signal = 15, .reason = Reason::timeout};
    CHECK(outcome_words(sample::ended(1, "x", outcome).status) == "its --timeout passed: SIGTERM");
    outcome = {.kind = OutcomeKind::exited, .leftover_killed = 2};
    CHECK(outcome_words(sample::ended(1, "x", outcome).status) ==
          "exit 0; 2 leftover processes were ended");
}

TEST_CASE("numbers in words")
{
    CHECK(cpu_words(0) == "0.0%");
    CHECK(cpu_words(0.0949) == "9.5%");
    CHECK(cpu_words(0.0999) == "10%");
    CHECK(cpu_words(16) == "1600%");
    CHECK(port_words({}, 10) == "");
    CHECK(port_words({80, 443}, 6) == "80,443");
    CHECK(port_words({80, 443}, 5) == "80,+1");
    CHECK(port_words({80, 443, 8080, 9090}, 9) == "80,443,+2");
    CHECK(port_words({65535}, 2) == "65535");
}
