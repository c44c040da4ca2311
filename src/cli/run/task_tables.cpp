#include "task_tables.hpp"

#include "table_options.hpp"

#include <bgt/base/text.hpp>
#include <bgt/ops/settings.hpp>
#include <bgt/store/projects.hpp>

#include <algorithm>
#include <fmt/format.h>

namespace bgt::cli {

namespace {

using config::Entry;
using config::TaskTable;

constexpr TableNouns of_task{"a task of a project",
                             "`command`, `kind`, the options of `bgt submit`,"};

Result<TableOptions> options_of(const TaskTable& table, const std::string& folder)
{
    if (auto valid = store::check_plain_name(table.name); !valid)
        return error_at(table.at, valid.error().message);
    if (core::parse_depends_on(table.name))
        return error_at(table.at, "a task can't be called " + table.name +
                                      ", which `after` takes for a condition");
    TableOptions out;
    for (const Entry& entry : table.entries)
        BGT_TRY(take_entry(out, entry, folder, of_task, queue_keys()));
    if (out.run.command.empty() && !out.run.shell)
        return error_at(table.at, "task " + table.name + " has no command");
    if (out.run.stdin_from == "-")
        return error_at(table.at,
                        "task " + table.name + ": stdin = \"-\" is for the command line only");
    return out;
}

std::variant<ops::StartRequest, ops::SubmitRequest> request_of(ops::StartRequest start,
                                                               const TableOptions& options)
{
    if (!options.waits) return start;
    ops::SubmitRequest out = ops::waiting_request(std::move(start));
    out.spec.remove_when_ended = options.run.remove;
    static_cast<void>(options.queue.apply(out)); // each was judged with its place
    // What only waits for others takes no slot: it may run for ever.
    if (!options.queue.queue && !options.queue.slots) out.how.slots = 0;
    if (!options.queue.queue) out.how.queue.clear();
    return out;
}

Result<ops::UpTask> up_task_of(const TaskTable& table, const std::string& folder,
                               const config::Settings& settings)
{
    BGT_TRY_ASSIGN(TableOptions options, options_of(table, folder));
    const auto with_place = [&](Error error) {
        if (!error.message.starts_with(table.at.substr(0, table.at.rfind('/') + 1)))
            error.message.insert(0, table.at + ": task " + table.name + ": ");
        return error;
    };
    auto start = options.run.request(settings);
    if (!start) return with_place(start.error());
    ops::UpTask task;
    task.plan.name = table.name;
    task.plan.has_ready = start->spec.policy.awaits_ready;
    task.plan.is_service = start->spec.policy.kind == core::Kind::service;
    task.is_job = options.run.job;
    task.table = std::move(options.hashes);
    task.request = request_of(*std::move(start), options);
    if (const auto* submit = std::get_if<ops::SubmitRequest>(&task.request))
        for (const ops::DependencyWord& word : submit->after)
            task.plan.after.push_back({word.task, word.on});
    return task;
}

/// The nearest Procfile, in the folder or above it, but not above `last`.
Result<std::optional<ProjectTables>> find_procfile(std::string folder, const std::string& last)
{
    while (folder.starts_with('/')) {
        const std::string file = (folder == "/" ? "" : folder) + "/Procfile";
        BGT_TRY_ASSIGN(const config::File read, ops::read_own_file(file));
        if (!read.warning.empty()) return Error::failed(read.warning);
        if (read.there) {
            BGT_TRY_ASSIGN(auto tasks, config::parse_procfile(read.text, file));
            return std::optional(ProjectTables{folder, file, std::move(tasks)});
        }
        if (folder == last || folder == "/") break;
        folder = folder.substr(0, std::max<std::size_t>(folder.rfind('/'), 1));
    }
    return std::optional<ProjectTables>();
}

/// With a bgt.toml one in its folder, or below it on the way to the working folder.
Result<std::optional<ProjectTables>> find_procfile(const Context& context)
{
    const auto& project = context.settings().project;
    if (!project) return find_procfile(context.folder(), "/");
    const std::string last = project->folder();
    const bool is_inside = last == "/" || context.folder().starts_with(last + "/");
    return find_procfile(is_inside ? context.folder() : last, last);
}

} // namespace

Result<ProjectTables> find_tables(const Context& context)
{
    const auto& project = context.settings().project;
    if (project && !context.settings().tasks.empty())
        return ProjectTables{project->folder(), project->file(), context.settings().tasks};
    BGT_TRY_ASSIGN(auto procfile, find_procfile(context));
    if (procfile && !procfile->tasks.empty()) return *std::move(procfile);
    return Error::not_found(
        (procfile  ? printable(procfile->file) + " names no process"
         : project ? printable(project->file()) + " has no [task.NAME], and there is no Procfile"
                   : "there is no bgt.toml and no Procfile in this folder or above it") +
        ": see bgt up --help");
}

std::string project_folder(const Context& context, const store::Root& root)
{
    const auto& project = context.settings().project;
    if (project && !context.settings().tasks.empty()) return project->folder();
    if (const auto procfile = find_procfile(context); procfile && *procfile)
        return (*procfile)->folder;
    const auto known = store::find_project(root, context.folder());
    return known && *known ? (*known)->folder : std::string();
}

Result<std::vector<ops::UpTask>> read_tables(const ProjectTables& tables,
                                             const config::Settings& settings)
{
    BGT_TRY(config::check_count(tables.tasks.size()));
    std::vector<ops::UpTask> out;
    for (const TaskTable& table : tables.tasks) {
        BGT_TRY_ASSIGN(ops::UpTask task, up_task_of(table, tables.folder, settings));
        out.push_back(std::move(task));
    }
    return out;
}

} // namespace bgt::cli
