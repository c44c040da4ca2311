#include <bgt/config/project.hpp>

#include <bgt/base/text.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <queue>
#include <unordered_map>
#include <unordered_set>

namespace bgt::config {

namespace {

using Positions = std::vector<std::size_t>;

/// Where the tasks are, by their names.
class Places {
public:
    explicit Places(const std::vector<PlannedTask>& tasks)
    {
        for (std::size_t i = 0; i < tasks.size(); ++i) places_.try_emplace(tasks[i].name, i);
    }
    /// nullopt: it is not of this project.
    std::optional<std::size_t> find(const std::string& name) const
    {
        const auto found = places_.find(name);
        return found != places_.end() ? std::optional(found->second) : std::nullopt;
    }

private:
    std::unordered_map<std::string_view, std::size_t> places_;
};

std::vector<Positions> edges_of(const std::vector<PlannedTask>& tasks, const Places& places)
{
    std::vector<Positions> out(tasks.size());
    for (std::size_t i = 0; i < tasks.size(); ++i)
        for (const ComesAfter& after : tasks[i].after)
            if (const auto other = places.find(after.task)) out[i].push_back(*other);
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

Result<void> check_edges(const std::vector<PlannedTask>& tasks, const Places& places)
{
    for (const PlannedTask& task : tasks)
        for (const ComesAfter& after : task.after)
            if (const auto other = places.find(after.task))
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

/// Each time the first that misses nothing.
StartOrder placed(const std::vector<Positions>& edges)
{
    std::vector<std::size_t> missing(edges.size());
    std::vector<Positions> dependants(edges.size());
    std::priority_queue<std::size_t, Positions, std::greater<>> free;
    for (std::size_t i = 0; i < edges.size(); ++i) {
        missing[i] = edges[i].size();
        for (const std::size_t other : edges[i]) dependants[other].push_back(i);
        if (missing[i] == 0) free.push(i);
    }
    StartOrder out;
    out.levels.assign(edges.size(), 0);
    while (!free.empty()) {
        const std::size_t at = free.top();
        free.pop();
        out.order.push_back(at);
        for (const std::size_t dependant : dependants[at]) {
            out.levels[dependant] = std::max(out.levels[dependant], out.levels[at] + 1);
            if (--missing[dependant] == 0) free.push(dependant);
        }
    }
    return out;
}

} // namespace

Result<void> check_count(std::size_t tasks)
{
    if (tasks <= max_project_tasks) return {};
    return Error::usage(fmt::format("a project may have at most {} tasks", max_project_tasks));
}

Result<std::vector<TaskTable>> parse_procfile(std::string_view text, const std::string& path)
{
    std::vector<TaskTable> out;
    std::unordered_set<std::string_view> names;
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
        if (auto few = check_count(out.size() + 1); !few)
            return Error::usage(place + ": " + few.error().message);
        if (!names.insert(name).second)
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
    BGT_TRY(check_count(tasks.size()));
    const Places places(tasks);
    const std::vector<Positions> edges = edges_of(tasks, places);
    if (const Positions circle = core::find_cycle(edges); !circle.empty()) {
        std::string names;
        for (const std::size_t at : circle)
            names += (names.empty() ? "" : " after ") + tasks[at].name;
        return Error::usage("the tasks come after each other in a circle: " + names);
    }
    BGT_TRY(check_edges(tasks, places));
    return placed(edges);
}

Result<std::vector<std::size_t>> with_needed(const std::vector<PlannedTask>& tasks,
                                             const std::vector<std::string>& names)
{
    const Places places(tasks);
    std::vector<bool> wanted(tasks.size(), names.empty());
    Positions open;
    for (const std::string& name : names) {
        const auto at = places.find(name);
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
    const std::vector<Positions> edges = edges_of(tasks, places);
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
