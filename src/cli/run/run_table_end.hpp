#pragma once
/// The rows of the table of run_table.cpp about the end of a task: what ends it, starts it again,
/// and follows. Why some need trust is told there.
#include "run_table.hpp"
#include <array>

namespace bgt::cli {

inline constexpr std::array end_options{
    RunOption{.names = "--retries",
              .member = &RunOptions::retries,
              .metavar = "N",
              .value = Value::number,
              .help = "if it fails, start it again, up to N times",
              .take = take::retries,
              .print = print::retries,
              .in_rules = InRules::trusted,
              .group = "Starting again"},
    RunOption{.names = "--retry-on",
              .member = &RunOptions::retry_on,
              .metavar = "CODES",
              .help = "retry only after these exit codes: 1,75,100-110",
              .take = take::retry_on,
              .in_rules = InRules::yes},
    RunOption{.names = "--restart",
              .member = &RunOptions::restart,
              .metavar = "no|on-failure|on-hang|always",
              .closed = true,
              .help = "when to start it again after it has ended by itself (default no)",
              .take = take::restart,
              .print = print::restart,
              .in_rules = InRules::trusted},
    RunOption{.names = "--max-restarts",
              .member = &RunOptions::max_restarts,
              .metavar = "N/PERIOD",
              .help = "give up after N restarts within PERIOD (default 10/10m; off: no limit)",
              .take = take::max_restarts,
              .print = print::max_restarts,
              .in_rules = InRules::yes},
    RunOption{
        .names = "--backoff",
        .member = &RunOptions::backoff,
        .metavar = "A..B",
        .help =
            "the pause before it is started again: A, doubled each time up to B (default 1s..1m)",
        .take = take::backoff,
        .print = print::backoff,
        .in_rules = InRules::yes},
    RunOption{.names = "--grace",
              .member = &RunOptions::grace,
              .metavar = "D",
              .value = Value::duration,
              .help = "the time between the stop signal and SIGKILL (default 5s)",
              .take = take::grace,
              .print = [](const RunPlan& p) { return format_duration(p.grace); },
              .in_rules = InRules::yes,
              .group = "Stopping"},
    RunOption{.names = "--stop-signals",
              .member = &RunOptions::stop_signals,
              .metavar = "LIST",
              .help = "the stop signals, each with its time: QUIT:2s,TERM:5s; SIGKILL follows",
              .take = take::stop_signals,
              .print = [](const RunPlan& p) { return p.stop_signals; },
              .in_rules = InRules::yes},
    RunOption{
        .names = "--kill-mode",
        .member = &RunOptions::kill_mode,
        .metavar = "tree|mixed",
        .closed = true,
        .help = "who gets the stop signals: every process (default), or the main process alone, "
                "which ends the others; "
                "SIGKILL goes to all",
        .take = take::kill_mode,
        .print = [](const RunPlan& p) { return std::string(to_string(p.spec.policy.kill_mode)); },
        .in_rules = InRules::yes},
    RunOption{
        .names = "--leftover",
        .member = &RunOptions::leftover,
        .metavar = "kill|wait|keep",
        .closed = true,
        .help = "processes that outlive the command: kill them after 2 s (default), wait for them, "
                "or keep them",
        .take = take::leftover,
        .print = [](const RunPlan& p) { return std::string(to_string(p.spec.policy.leftover)); },
        .in_rules = InRules::yes},
    RunOption{.names = "--on-end",
              .member = &RunOptions::on_end,
              .metavar = "CMD",
              .value = Value::command,
              .help = "once it has ended, run /bin/sh -c CMD, for a minute at most",
              .take = take::on_end,
              .print = [](const RunPlan& p) { return p.spec.afterwards.end_command; },
              .in_rules = InRules::trusted,
              .group = "Afterwards"},
    RunOption{.names = "--on-fail",
              .member = &RunOptions::on_fail,
              .metavar = "CMD",
              .value = Value::command,
              .help = "the same, only if it has failed; bgt kill is no failure",
              .take = take::on_fail,
              .print = [](const RunPlan& p) { return p.spec.afterwards.fail_command; },
              .in_rules = InRules::trusted},
    RunOption{.names = "--notify",
              .member = &RunOptions::notify,
              .metavar = "off|desktop|bell",
              .closed = true,
              .help = "tell you that it has ended: by notify-send, or by the bell of this terminal",
              .take = take::notify,
              .print =
                  [](const RunPlan& p) {
                      return p.spec.afterwards.notify_by == store::NotifyBy::nothing
                                 ? ""
                                 : std::string(to_string(p.spec.afterwards.notify_by));
                  },
              .in_rules = InRules::trusted},
};

} // namespace bgt::cli
