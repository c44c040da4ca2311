#include "run_table.hpp"

#include "limits.hpp"
#include <algorithm>
#include <bgt/base/size.hpp>
#include <bgt/base/text.hpp>
#include <bgt/core/condition.hpp>
#include <bgt/core/pattern.hpp>
#include <charconv>
#include <limits>

namespace bgt::cli {

namespace {

constexpr int max_attempts = 1'000'000;

/// "'TEXT'", short enough for a message.
std::string shown(std::string_view text)
{
    return "'" + fit(printable(text), 40) + "'";
}

/// A condition of readiness is checked here, and kept as its text.
Result<void> add_ready(RunPlan& plan, std::string text)
{
    auto condition = core::parse_condition(text, "/");
    if (!condition) return condition.error();
    plan.spec.ready.push_back(std::move(text));
    return {};
}

} // namespace

Result<int> parse_int(const std::string& text, int low, int high)
{
    int value = 0;
    const auto [end, err] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || err != std::errc() || end != text.data() + text.size() || value < low ||
        value > high)
        return Error::usage(shown(text) + " is not a number from " + std::to_string(low) + " to " +
                            std::to_string(high));
    return value;
}

namespace take {

Result<void> kind_service(RunPlan& plan, const std::string&)
{
    plan.spec.policy.kind = core::Kind::service;
    return {};
}

Result<void> kind_job(RunPlan& plan, const std::string&)
{
    plan.spec.policy.kind = core::Kind::job;
    return {};
}

Result<void> name(RunPlan& plan, const std::string& text)
{
    if (auto valid = store::check_plain_name(text); !valid) return valid.error();
    plan.spec.name = text;
    return {};
}

Result<void> tag(RunPlan& plan, const std::string& text)
{
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
        return Error::usage("--tag " + fit(printable(text), 40) + ": expected K=V");
    plan.spec.tags[text.substr(0, equals)] = text.substr(equals + 1);
    return {};
}

Result<void> limit(RunPlan& plan, const std::string& text)
{
    auto one = parse_resource_limit(text);
    if (!one) return one.error();
    plan.limits[one->name] = one->value;
    return {};
}

Result<void> memory_max(RunPlan& plan, const std::string& text)
{
    auto size = parse_size(text);
    if (!size) return size.error();
    plan.limits["as"] = *size;
    return {};
}

Result<void> log_max(RunPlan& plan, const std::string& text)
{
    plan.spec.log_max = 0;
    if (text == "off") return {};
    auto size = parse_size(text);
    if (!size) return size.error();
    if (*size == 0) return Error::usage("0 would keep nothing (off: no limit)");
    plan.spec.log_max = *size;
    return {};
}

Result<void> nice(RunPlan& plan, const std::string& text)
{
    auto value = parse_int(text, -20, 19);
    if (!value) return value.error();
    plan.spec.nice = *value;
    return {};
}

Result<void> grace(RunPlan& plan, const std::string& text)
{
    auto given = parse_duration(text);
    if (!given) return given.error();
    plan.grace = *given;
    return {};
}

Result<void> stop_signals(RunPlan& plan, const std::string& text)
{
    auto ladder =
        core::parse_stop_signals(text, plan.grace); // only to judge it: the grace may follow
    if (!ladder) return ladder.error();
    plan.stop_signals = text;
    return {};
}

Result<void> kill_mode(RunPlan& plan, const std::string& text)
{
    const auto known = core::parse_kill_mode(text);
    if (!known) return Error::usage("it is one of tree, mixed, not " + shown(text));
    plan.spec.policy.kill_mode = *known;
    return {};
}

Result<void> leftover(RunPlan& plan, const std::string& text)
{
    const auto known = core::parse_leftover(text);
    if (!known) return Error::usage("it is one of kill, wait, keep, not " + shown(text));
    plan.spec.policy.leftover = *known;
    return {};
}

Result<void> on_hang(RunPlan& plan, const std::string& text)
{
    constexpr std::string_view exec = "exec:";
    if (text.starts_with(exec)) {
        plan.spec.hang_command = text.substr(exec.size());
        if (plan.spec.hang_command.empty())
            return Error::usage("exec: needs a command after the colon");
        plan.spec.policy.hang.on_hang = core::OnHang::exec;
        return {};
    }
    const auto known = core::parse_on_hang(text);
    if (!known || *known == core::OnHang::exec)
        return Error::usage("it is one of kill, restart, report, exec:CMD, not " + shown(text));
    plan.spec.policy.hang.on_hang = *known;
    return {};
}

Result<void> dump(RunPlan& plan, const std::string& text)
{
    if (text != "none" && text != "auto")
        return Error::usage("it is none or auto, not " + shown(text));
    plan.spec.dump_stacks = text == "auto";
    return {};
}

Result<void> progress_pattern(RunPlan& plan, const std::string& text)
{
    if (text.empty()) return Error::usage("it needs a regular expression");
    if (auto pattern = core::Pattern::compile(text); !pattern) return pattern.error();
    plan.spec.progress_pattern = text;
    return {};
}

Result<void> retries(RunPlan& plan, const std::string& text)
{
    auto number = parse_int(text, 0, max_attempts);
    if (!number) return number.error();
    plan.spec.policy.restart_policy.retries = static_cast<std::uint32_t>(*number);
    return {};
}

Result<void> backoff(RunPlan& plan, const std::string& text)
{
    const auto dots = text.find("..");
    auto first = parse_duration(std::string_view(text).substr(0, dots));
    if (!first) return first.error();
    auto most =
        dots == std::string::npos ? first : parse_duration(std::string_view(text).substr(dots + 2));
    if (!most) return most.error();
    if (*most < *first)
        return Error::usage(shown(text) +
                            " is not a range: the first pause is the shortest, e.g. 1s..1m");
    plan.spec.policy.restart_policy.backoff_min = *first;
    plan.spec.policy.restart_policy.backoff_max = *most;
    return {};
}

Result<void> retry_on(RunPlan& plan, const std::string& text)
{
    std::vector<int> codes;
    for (const std::string& part : split(text, ',')) {
        const auto dash = part.find('-');
        auto low = parse_int(part.substr(0, dash), 1, 255);
        if (!low)
            return Error::usage(low.error().message +
                                "; write a list of exit codes, e.g. 1,75,100-110");
        auto high = dash == std::string::npos ? low : parse_int(part.substr(dash + 1), *low, 255);
        if (!high)
            return Error::usage(high.error().message +
                                "; write a list of exit codes, e.g. 1,75,100-110");
        for (int code = *low; code <= *high; ++code) codes.push_back(code);
    }
    std::sort(codes.begin(), codes.end());
    codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
    plan.spec.policy.restart_policy.retry_on = std::move(codes);
    return {};
}

Result<void> restart(RunPlan& plan, const std::string& text)
{
    const auto known = core::parse_restart(text);
    if (!known)
        return Error::usage("it is one of no, on-failure, on-hang, always, not " + shown(text));
    plan.spec.policy.restart_policy.restart = *known;
    return {};
}

Result<void> max_restarts(RunPlan& plan, const std::string& text)
{
    auto& again = plan.spec.policy.restart_policy;
    if (text == "off") {
        again.max_restarts = std::numeric_limits<std::uint32_t>::max();
        return {};
    }
    const auto slash = text.find('/');
    if (slash == std::string::npos)
        return Error::usage(shown(text) + " is not N/PERIOD, e.g. 5/10m; off is no limit");
    auto number = parse_int(text.substr(0, slash), 1, max_attempts);
    if (!number) return number.error();
    auto period = parse_duration(std::string_view(text).substr(slash + 1));
    if (!period) return period.error();
    if (*period <= Duration::zero())
        return Error::usage("the period must be longer than 0; write e.g. 5/10m");
    again.max_restarts = static_cast<std::uint32_t>(*number);
    again.max_period = *period;
    return {};
}

Result<void> ready_log(RunPlan& plan, const std::string& text)
{
    return add_ready(plan, "log:" + text);
}

Result<void> ready_port(RunPlan& plan, const std::string& text)
{
    return add_ready(plan, text == "any" ? "port" : "port:" + text);
}

Result<void> ready_http(RunPlan& plan, const std::string& text)
{
    return add_ready(plan, "http:" + text);
}

Result<void> ready_cmd(RunPlan& plan, const std::string& text)
{
    return add_ready(plan, "cmd:" + text);
}

Result<void> ready_file(RunPlan& plan, const std::string& text)
{
    return add_ready(plan, "file:" + text);
}

Result<void> ready_notify(RunPlan& plan, const std::string&)
{
    plan.spec.ready.emplace_back(
        "notify"); // the supervisor's own word: nobody outside can wait for it
    return {};
}

Result<void> on_end(RunPlan& plan, const std::string& text)
{
    plan.spec.afterwards.end_command = text;
    return {};
}

Result<void> on_fail(RunPlan& plan, const std::string& text)
{
    plan.spec.afterwards.fail_command = text;
    return {};
}

Result<void> notify(RunPlan& plan, const std::string& text)
{
    const auto known = store::parse_notify_by(text);
    if (!known) return Error::usage("it is one of off, desktop, bell, not " + shown(text));
    plan.spec.afterwards.notify_by = *known;
    return {};
}

} // namespace take

} // namespace bgt::cli
