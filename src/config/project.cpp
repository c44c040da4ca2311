#include <bgt/config/project.hpp>

#include <bgt/base/text.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace bgt::config {

namespace {

using Positions = std::vector<std::size_t>;

constexpr std::size_t max_tasks = 1000;

/// nullopt: it is not of this project.
std::optional<std::size_t> position_of(const std::vector<PlannedTask>& tasks,
                                       const std::string& name)
{
    const auto found = std::ranges::find(tasks, name, &PlannedTask::name);
    if (found == tasks.end()) return std::nullopt;
    return static_cast<std::size_t>(found - tasks.begin());
}

std::vector<Positions> edges_of(const std::vector<PlannedTask>& tasks)
{
    std::vector<Positions> out(tasks.size());
    for (std::size_t i = 0; i < tasks.size(); ++i)
        for (const ComesAfter& after : tasks[i].after)
            if (const auto other = position_of(tasks, after.task)) out[i].push_back(*other);
    return out;
}

/// What would never come: better said now than waited for.
Result<void> check_edge(const PlannedTask& task, const ComesAfter& after, const PlannedTask& other)
{
    using On = core::DependsOn;
    if (after.on == On::ready && !other.has_ready)
        return Error::usage(fmt::format("task {} comes after {}:ready, but {} has no condition by "
                                        "which it is ready (ready_port, "
                                        "ready_log, ...); {}:start does not need one",
                                        task.name, other.name, other.name, other.name));
    if ((after.on == On::ok || after.on == On::fail || after.on == On::any) && other.is_service)
        return Error::usage(fmt::format(
            "task {} comes after {}:{}, the end of a service; say {}:{}", task.name, other.name,
            core::to_string(after.on), other.name, other.has_ready ? "ready" : "start"));
    return {};
}

Result<void> check_edges(const std::vector<PlannedTask>& tasks)
{
    for (const PlannedTask& task : tasks)
        for (const ComesAfter& after : task.after)
            if (const auto other = position_of(tasks, after.task))
                BGT_TRY(check_edge(task, after, tasks[*other]));
    return {};
}

/// Without the blanks at both ends.
std::string_view trimmed(std::string_view text)
{
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
        text.remove_suffix(1);
    return text;
}

bool is_procfile_name(std::string_view name)
{
    return !name.empty() && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-';
    });
}

Entry entry_of(std::string key, decltype(Entry::value) value, const std::string& place)
{
    return {std::move(key), std::move(value), place, place, place};
}

} // namespace

Result<std::vector<TaskTable>> parse_procfile(std::string_view text, const std::string& path)
{
    std::vector<TaskTable> out;
    for (std::size_t line = 1; !text.empty(); ++line) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto content = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (content.empty() || content.front() == '#') continue;
        const std::string place = fmt::format("{}:{}", printable(path), line);
        const auto colon = content.find(':');
        const auto name = content.substr(0, colon);
        const auto command = colon == content.npos ? "" : trimmed(content.substr(colon + 1));
        if (!is_procfile_name(name) || command.empty())
            return Error::usage(place + ": a line of a Procfile is NAME: COMMAND");
        if (std::ranges::find(out, name, &TaskTable::name) != out.end())
            return Error::usage(fmt::format("{}: there is a {} already", place, name));
        out.push_back(
            {std::string(name),
             {entry_of("command", std::string(command), place), entry_of("service", true, place)},
             place});
    }
    return out;
}

Result<StartOrder> start_order(const std::vector<PlannedTask>& tasks)
{
    if (tasks.size() > max_tasks) return Error::usage("a project may have at most 1000 tasks");
    const std::vector<Positions> edges = edges_of(tasks);
    if (const Positions circle = core::find_cycle(edges); !circle.empty()) {
        std::string names;
        for (const std::size_t at : circle)
            names += (names.empty() ? "" : " after ") + tasks[at].name;
        return Error::usage("the tasks come after each other in a circle: " + names);
    }
    BGT_TRY(check_edges(tasks));
    StartOrder out;
    out.levels.assign(tasks.size(), 0);
    std::vector<bool> placed(tasks.size(), false);
    // Each round places the first that misses nothing.
    while (out.order.size() < tasks.size()) {
        for (std::size_t i = 0; i < tasks.size(); ++i) {
            if (placed[i] ||
                !std::ranges::all_of(edges[i], [&](std::size_t other) { return placed[other]; }))
                continue;
            for (const std::size_t other : edges[i])
                out.levels[i] = std::max(out.levels[i], out.levels[other] + 1);
            placed[i] = true;
            out.order.push_back(i);
            break;
        }
    }
    return out;
}

Result<std::vector<std::size_t>> with_needed(const std::vector<PlannedTask>& tasks,
                                             const std::vector<std::string>& names)
{
    std::vector<bool> wanted(tasks.size(), names.empty());
    Positions open;
    for (const std::string& name : names) {
        const auto at = position_of(tasks, name);
        if (!at) {
            std::vector<std::string> known;
            for (const PlannedTask& task : tasks) known.push_back(task.name);
            const auto near = near_matches(name, known);
            return Error::usage(
                "there is no task " + shell_quote(fit(printable(name), 40)) + " in this project" +
                (near.empty() ? std::string() : " (did you mean " + near.front() + "?)"));
        }
        open.push_back(*at);
    }
    const std::vector<Positions> edges = edges_of(tasks);
    while (!open.empty()) {
        const std::size_t at = open.back();
        open.pop_back();
        if (wanted[at]) continue;
        wanted[at] = true;
        open.insert(open.end(), edges[at].begin(), edges[at].end());
    }
    Positions out;
    for (std::size_t i = 0; i < tasks.size(); ++i)
        if (wanted[i]) out.push_back(i);
    return out;
}

} // namespace bgt::config
