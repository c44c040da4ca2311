#include "run_table.hpp"

#include <bgt/base/size.hpp>
#include <limits>

namespace bgt::cli::print {

namespace {

bool starts_again(const RunPlan& plan)
{
    const auto& rules = plan.spec.rules;
    return rules.again.retries > 0 || rules.again.restart != core::Restart::no || rules.hang.on_hang == core::OnHang::restart;
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

std::string ready_timeout(const RunPlan& plan)
{
    return plan.spec.rules.awaits_ready ? limit(plan.spec.rules.hang.ready) : "";
}

std::string on_hang(const RunPlan& plan)
{
    const auto& hang = plan.spec.rules.hang;
    if (!hang.output && !hang.progress && !hang.idle && !hang.ready) return "";
    const auto word = std::string(to_string(hang.on_hang));
    return hang.on_hang == core::OnHang::exec ? word + ":" + plan.spec.hang_command : word;
}

std::string notice(const RunPlan& plan, const std::optional<Duration>& after)
{
    return plan.spec.rules.kind == core::Kind::job ? limit(after) : "";
}

std::string retries(const RunPlan& plan)
{
    return plan.spec.rules.again.retries > 0 ? std::to_string(plan.spec.rules.again.retries) : "";
}

std::string restart(const RunPlan& plan)
{
    return std::string(to_string(plan.spec.rules.again.restart));
}

std::string backoff(const RunPlan& plan)
{
    if (!starts_again(plan)) return "";
    const auto& again = plan.spec.rules.again;
    if (again.backoff_first == again.backoff_most) return format_duration(again.backoff_first);
    return format_duration(again.backoff_first) + ".." + format_duration(again.backoff_most);
}

std::string max_restarts(const RunPlan& plan)
{
    const auto& rules = plan.spec.rules;
    if (rules.again.restart == core::Restart::no && rules.hang.on_hang != core::OnHang::restart) return "";
    if (rules.again.max_restarts == std::numeric_limits<std::uint32_t>::max()) return "off";
    return std::to_string(rules.again.max_restarts) + "/" + format_duration(rules.again.max_period);
}

} // namespace bgt::cli::print
