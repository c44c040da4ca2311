#include "run_table.hpp"

#include <algorithm>
#include <bgt/base/size.hpp>
#include <limits>

namespace bgt::cli::print {

namespace {

bool starts_again(const RunPlan& plan)
{
    const auto& rules = plan.spec.policy;
    return rules.restart_policy.retries > 0 || rules.restart_policy.restart != core::Restart::no ||
           rules.hang.on_hang == core::OnHang::restart;
}

} // namespace

std::string limit(const std::optional<Duration>& value)
{
    return value ? format_duration(*value) : "off";
}

std::string log_max(const RunPlan& plan)
{
    return plan.spec.log_max == 0 ? "off" : format_size_exact(plan.spec.log_max);
}

std::string hang_limit(const RunPlan& plan, const core::HangRule& rule)
{
    if (rule.clock == core::HangClock::attempt && !plan.spec.policy.awaits_ready) return "";
    return limit(plan.spec.policy.hang.*rule.limit);
}

std::string on_hang(const RunPlan& plan)
{
    const auto& hang = plan.spec.policy.hang;
    const bool may_hang = std::any_of(
        core::hang_rules.begin(), core::hang_rules.end(), [&](const core::HangRule& rule) {
            return rule.at_limit == core::AtLimit::on_hang && hang.*rule.limit;
        });
    if (!may_hang) return "";
    const auto word = std::string(to_string(hang.on_hang));
    return hang.on_hang == core::OnHang::exec ? word + ":" + plan.spec.hang_command : word;
}

std::string notice(const RunPlan& plan, const std::optional<Duration>& after)
{
    return plan.spec.policy.kind == core::Kind::job ? limit(after) : "";
}

std::string retries(const RunPlan& plan)
{
    return plan.spec.policy.restart_policy.retries > 0
               ? std::to_string(plan.spec.policy.restart_policy.retries)
               : "";
}

std::string restart(const RunPlan& plan)
{
    return std::string(to_string(plan.spec.policy.restart_policy.restart));
}

std::string backoff(const RunPlan& plan)
{
    if (!starts_again(plan)) return "";
    const auto& again = plan.spec.policy.restart_policy;
    if (again.backoff_min == again.backoff_max) return format_duration(again.backoff_min);
    return format_duration(again.backoff_min) + ".." + format_duration(again.backoff_max);
}

std::string max_restarts(const RunPlan& plan)
{
    const auto& rules = plan.spec.policy;
    if (rules.restart_policy.restart == core::Restart::no &&
        rules.hang.on_hang != core::OnHang::restart)
        return "";
    if (rules.restart_policy.max_restarts == std::numeric_limits<std::uint32_t>::max())
        return "off";
    return std::to_string(rules.restart_policy.max_restarts) + "/" +
           format_duration(rules.restart_policy.max_period);
}

} // namespace bgt::cli::print
