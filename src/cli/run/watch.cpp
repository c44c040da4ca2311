// The options about --watch: how they are read, and shown.
#include "run_table.hpp"

#include <bgt/core/watch.hpp>

namespace bgt::cli {

namespace {

core::WatchSpec& watch_of(RunPlan& plan)
{
    if (!plan.spec.watch) plan.spec.watch.emplace();
    return *plan.spec.watch;
}

} // namespace

namespace take {

Result<void> watch(RunPlan& plan, const std::string& glob)
{
    if (auto fine = core::parse_globs({glob}, "/"); !fine) return fine.error();
    watch_of(plan).globs.push_back(glob);
    return {};
}

Result<void> watch_ignore(RunPlan& plan, const std::string& line)
{
    if (line.find('\n') != std::string::npos || core::IgnoreRules::parse(line).empty())
        return Error::usage("it says nothing (man 5 gitignore)");
    watch_of(plan).ignored.push_back(line);
    return {};
}

Result<void> debounce(RunPlan& plan, const std::string& text)
{
    auto time = parse_duration(text);
    if (!time) return time.error();
    watch_of(plan).debounce = *time;
    return {};
}

Result<void> on_change(RunPlan& plan, const std::string& text)
{
    return core::parse_on_change(text, watch_of(plan));
}

} // namespace take

namespace print {

std::string watch(const RunPlan& plan)
{
    std::string all;
    if (plan.spec.watch)
        for (const std::string& glob : plan.spec.watch->globs)
            all += (all.empty() ? "" : " ") + glob;
    return all;
}

std::string debounce(const RunPlan& plan)
{
    return plan.spec.watch ? format_duration(plan.spec.watch->debounce) : "";
}

std::string on_change(const RunPlan& plan)
{
    return plan.spec.watch ? core::format_on_change(*plan.spec.watch) : "";
}

} // namespace print

} // namespace bgt::cli
