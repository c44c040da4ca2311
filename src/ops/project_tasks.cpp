// Which tasks are a project's: their names begin with its name, and they were started in its
// folder. The name alone is not enough: it may have been another folder's before.
#include "find.hpp"

#include <bgt/store/projects.hpp>

namespace bgt::ops {
namespace {

using store::TaskId;

std::optional<store::TaskSpec> spec_of(const store::Root& root, TaskId id, Waiting& waiting)
{
    if (const auto task = root.open_task(id)) {
        auto spec = store::read_spec(task->fd());
        return spec ? std::optional(*std::move(spec)) : std::nullopt;
    }
    if (!waiting.view()) return std::nullopt;
    auto task = waiting.view()->describe(id);
    return task ? std::optional(std::move(task->spec)) : std::nullopt;
}

bool is_of(const store::Root& root, TaskId id, const std::string& folder, Waiting& waiting)
{
    const auto part = project_part_of(root, id, waiting);
    return part && part->folder == folder;
}

} // namespace

std::optional<store::ProjectTask> project_part_of(const store::Root& root, TaskId id,
                                                  Waiting& waiting)
{
    auto spec = spec_of(root, id, waiting);
    return spec ? std::move(spec->project) : std::nullopt;
}

Result<std::optional<TaskId>> find_by_name(const store::Root& root, const std::string& name,
                                           const std::string& folder)
{
    if (!folder.empty() && store::check_plain_name(name)) {
        BGT_TRY_ASSIGN(const std::optional<store::Project> project,
                       store::find_project(root, folder));
        if (project) {
            // Together they may be too long for a name: then it is none of the project's.
            const auto own = root.find_name(store::name_in_project(project->name, name));
            Waiting waiting(root);
            if (own && *own && is_of(root, **own, project->folder, waiting)) return *own;
        }
    }
    return root.find_name(name);
}

Result<std::vector<std::pair<std::string, TaskId>>> names_like(const store::Root& root,
                                                               const std::string& project)
{
    BGT_TRY_ASSIGN(auto names, root.names());
    const std::string prefix = store::name_in_project(project, "");
    std::erase_if(names, [&](const auto& one) { return !one.first.starts_with(prefix); });
    return names;
}

Result<std::vector<std::pair<std::string, TaskId>>> names_of_project(const store::Root& root,
                                                                     const store::Project& project)
{
    BGT_TRY_ASSIGN(auto names, names_like(root, project.name));
    Waiting waiting(root);
    std::erase_if(
        names, [&](const auto& one) { return !is_of(root, one.second, project.folder, waiting); });
    return names;
}

} // namespace bgt::ops
