#include "sample.hpp"
#include "support/catch.hpp"

#include <bgt/base/text.hpp>
#include <bgt/render/end_account.hpp>

#include <sstream>

using namespace bgt;
using namespace std::chrono_literals;
using render::end_cause;

namespace {

ops::EndAccount account(core::Outcome outcome)
{
    ops::EndAccount end;
    end.task = sample::ended(7, "make", outcome);
    return end;
}

core::Outcome by(core::Reason reason, core::Outcome outcome)
{
    outcome.reason = reason;
    return outcome;
}

} // namespace

TEST_CASE("the end of a task in a sentence: how, when, after how long")
{
    auto end = account(sample::exited(3));
    end.task.status.name = "web";
    CHECK(render::end_sentence(end, sample::after(12300ms + 4min)) ==
          "7 web ended (exit 3) 4m ago, after 12s");
    end.task.status.attempt = 3;
    CHECK(render::end_sentence(end, sample::after(12300ms + 4min)) ==
          "7 web ended (exit 3) 4m ago, after 12s, in attempt 3");
}

TEST_CASE("why a task ended")
{
    CHECK(end_cause(account(sample::exited(0))) == "it ended by itself, without an error");
    CHECK(end_cause(account(sample::exited(3))) == "it ended by itself with an error");
    CHECK(end_cause(account(sample::died_of(11))) == "it crashed by SIGSEGV");
    CHECK(end_cause(account(sample::died_of(15))) == "killed by SIGTERM that bgt did not send");
    CHECK(end_cause(account(by(core::Reason::killed, sample::died_of(15))))
              .starts_with("somebody asked for it (bgt kill"));
    auto shell = account(sample::exited(127));
    sample::give_spec(shell.task)->shell = true;
    CHECK(end_cause(shell).find("127 is a shell's code for a command that was not found") !=
          std::string::npos);
    auto slow = account(by(core::Reason::timeout, sample::died_of(15)));
    sample::give_spec(slow.task)->policy.timeout = 5s;
    CHECK(end_cause(slow) == "bgt ended it: it ran for 5s (--timeout)");
    auto lost = account({.kind = core::OutcomeKind::lost});
    lost.detail = "the machine restarted";
    CHECK(end_cause(lost) == "nobody saw how it ended: the machine restarted");
}

TEST_CASE("a SIGKILL that bgt did not send: what the kernel's count makes of it")
{
    auto end = account(sample::died_of(9));
    CHECK(end_cause(end) == "killed by SIGKILL that bgt did not send: out of memory?");
    end.oom_kills = 0;
    CHECK(end_cause(end).find("out of memory") == std::string::npos);
    end.oom_kills = 1;
    CHECK(end_cause(end) == "killed by SIGKILL that bgt did not send: out of memory; the kernel "
                            "ended 1 process of its cgroup for "
                            "lack of memory while it ran");
    auto make = account(sample::exited(2)); // whose compiler was killed
    make.oom_kills = 2;
    CHECK(end_cause(make).find("the kernel ended 2 processes of its cgroup for lack of memory") !=
          std::string::npos);
    CHECK(render::end_next(make).starts_with("bgt retry 7"));
    auto asked = account(by(core::Reason::killed, sample::died_of(9)));
    CHECK(end_cause(asked).find("did not send") == std::string::npos);
}

TEST_CASE("hostile output of an ended task is shown as text, within the width")
{
    auto end = account(sample::exited(3));
    for (int i = 0; i < 30; ++i)
        end.output.push_back("line " + std::to_string(i) + "\x1b[2J" + std::string(300, 'x'));
    std::istringstream text(render::end_text(end, sample::after(1min), {40, 20, false}));
    int lines = 0;
    for (std::string line; std::getline(text, line); ++lines) {
        CHECK(display_width(line) <= 40);
        CHECK(line.find('\x1b') == line.npos);
    }
    CHECK(lines <= 20);
}
