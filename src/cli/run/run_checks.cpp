#include "run_table.hpp"

namespace bgt::cli {

namespace {

struct Pair {
    std::string_view a, b;
    bool RunOptions::*a_set;
    bool RunOptions::*b_set;
};

constexpr Pair pairs[] = {
    {"--if-absent", "--replace", &RunOptions::if_absent, &RunOptions::replace},
    {"--service", "--job", &RunOptions::service, &RunOptions::job},
    {"--wait", "--wait-ready", &RunOptions::wait, &RunOptions::wait_ready},
    // What waits ends with the task around it, and would stop the task that it waits for.
    {"--wait", "--independent", &RunOptions::wait, &RunOptions::independent},
};

bool awaits_ready(const RunOptions& o)
{
    return o.awaits_ready();
}

bool has_ready_timeout(const RunOptions& o)
{
    for (std::size_t i = 0; i < core::hang_rules.size(); ++i)
        if (core::hang_rules[i].clock == core::HangClock::attempt && o.hang_limits[i]) return true;
    return false;
}

bool has_hang_limit(const RunOptions& o)
{
    return o.has_hang_limit();
}

/// "--output-timeout, --progress-timeout or --ready-timeout": those after which a task hangs.
std::string hang_options()
{
    std::vector<std::string> names;
    for (const core::HangRule& rule : core::hang_rules)
        if (rule.at_limit == core::AtLimit::on_hang) names.emplace_back(rule.option);
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i)
        text += (i == 0 ? "" : i + 1 == names.size() ? " or " : ", ") + names[i];
    return text;
}

bool restarts(const RunOptions& o)
{
    return (o.restart && *o.restart != "no") || (o.on_hang && *o.on_hang == "restart");
}

/// Restarts whatever fails, so that a number of retries could not be kept.
bool restarts_failures(const RunOptions& o)
{
    return o.restart && (*o.restart == "always" || *o.restart == "on-failure");
}

struct Need {
    std::string_view option;
    std::string_view needs;
    bool (*given)(const RunOptions&);
    bool (*met)(const RunOptions&);
};

constexpr std::string_view a_hang_limit = "a limit: "; ///< and its options follow

constexpr Need needs[] = {
    {"--if-absent", "--name NAME", [](const RunOptions& o) { return o.if_absent; },
     [](const RunOptions& o) { return o.name.has_value(); }},
    {"--replace", "--name NAME", [](const RunOptions& o) { return o.replace; },
     [](const RunOptions& o) { return o.name.has_value(); }},
    {"--anywhere", "--if-absent or --replace", [](const RunOptions& o) { return o.anywhere; },
     [](const RunOptions& o) { return o.if_absent || o.replace; }},
    {"--max-wait", "--wait", [](const RunOptions& o) { return o.max_wait.has_value(); },
     [](const RunOptions& o) { return o.wait; }},
    {"--ready-timeout", "a condition: --ready-log, --ready-port or another --ready-*",
     has_ready_timeout, awaits_ready},
    {"--wait-ready", "a condition: --ready-log, --ready-port or another --ready-*",
     [](const RunOptions& o) { return o.wait_ready; }, awaits_ready},
    {"--on-hang", a_hang_limit, [](const RunOptions& o) { return o.on_hang.has_value(); },
     has_hang_limit},
    {"--restart on-hang", a_hang_limit,
     [](const RunOptions& o) { return o.restart && *o.restart == "on-hang"; }, has_hang_limit},
    {"--retry-on", "--retries N", [](const RunOptions& o) { return o.retry_on.has_value(); },
     [](const RunOptions& o) { return o.retries.has_value(); }},
    {"--max-restarts", "--restart or --on-hang restart",
     [](const RunOptions& o) { return o.max_restarts.has_value(); }, restarts},
    {"--watch-ignore", "--watch GLOB", [](const RunOptions& o) { return !o.watch_ignore.empty(); },
     [](const RunOptions& o) { return !o.watch.empty(); }},
    {"--debounce", "--watch GLOB", [](const RunOptions& o) { return o.debounce.has_value(); },
     [](const RunOptions& o) { return !o.watch.empty(); }},
    {"--on-change", "--watch GLOB", [](const RunOptions& o) { return o.on_change.has_value(); },
     [](const RunOptions& o) { return !o.watch.empty(); }},
    {"--backoff", "--retries, --restart or --on-hang restart",
     [](const RunOptions& o) { return o.backoff.has_value(); },
     [](const RunOptions& o) { return o.retries || restarts(o); }},
};

} // namespace

Result<void> check_conflicts(const RunOptions& o)
{
    for (const Pair& pair : pairs)
        if (o.*pair.a_set && o.*pair.b_set)
            return Error::usage(std::string(pair.a) + " and " + std::string(pair.b) +
                                " exclude each other");
    if (o.retries && *o.retries != "0" && restarts_failures(o))
        return Error::usage("--retries and --restart " + *o.restart +
                            " both start a failed command again: use one of them");
    for (const auto& [given, option] : {std::pair{o.quiet_after.has_value(), "--quiet-after"},
                                        std::pair{o.stalled_after.has_value(), "--stalled-after"}})
        if (given && o.service)
            return Error::usage(
                std::string(option) +
                " is for jobs: a service may be quiet (--idle-timeout is for both)");
    return {};
}

Result<void> check_needs(const RunOptions& o)
{
    for (const Need& need : needs) {
        const auto option = need.option.substr(0, need.option.find(' '));
        // Of a rule's options one may be left over when a flag took the place of the other.
        if (need.given(o) && !need.met(o) && !o.from_rule.contains(option))
            return Error::usage(std::string(need.option) + " needs " + std::string(need.needs) +
                                (need.needs == a_hang_limit ? hang_options() : ""));
    }
    return {};
}

bool excludes(const RunOptions& given, std::string_view other)
{
    for (const Pair& pair : pairs)
        if ((given.*pair.a_set && other == pair.b) || (given.*pair.b_set && other == pair.a))
            return true;
    return (given.retries && other == "--restart") ||
           (restarts_failures(given) && other == "--retries");
}

} // namespace bgt::cli
