#include <bgt/ops/up.hpp>

#include "find.hpp"

#include <bgt/base/text.hpp>
#include <bgt/ops/select.hpp>
#include <bgt/ops/snapshot.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/store/projects.hpp>

#include <algorithm>
#include <fmt/format.h>

namespace bgt::ops {
namespace {

using store::TaskId;

/// A task that has a name of the project.
struct Known {
    TaskId id;
    bool lives = false;
    bool is_done = false; ///< ended with 0
    std::optional<store::ProjectTask> part;

    bool is_of(const std::string& folder) const { return part && part->folder == folder; }
};

Known known_of(store::Root& root, TaskId id, Waiting& waiting)
{
    Known known;
    known.id = id;
    const auto seen = recover_and_inspect(root, id, {}); // who is lost does not live
    known.lives = supervise::is_used(root, id);
    known.is_done = seen && seen->problem.empty() && !known.lives && is_over(seen->status) &&
                    exit_code(seen->status) == 0;
    known.part = project_part_of(root, id, waiting);
    return known;
}

/// By the name in the project. The name may have been another folder's before, so not all are of
/// this one.
using AllKnown = std::map<std::string, Known>;

Result<AllKnown> all_known(store::Root& root, const std::string& project)
{
    BGT_TRY_ASSIGN(const auto names, names_like(root, project));
    Waiting waiting(root);
    AllKnown out;
    for (const auto& [name, id] : names)
        out.emplace(store::name_said_in(project, name), known_of(root, id, waiting));
    return out;
}

/// Keys of which one says something else than the other, or nothing.
std::vector<std::string> changed_keys(const std::map<std::string, std::string>& was,
                                      const std::map<std::string, std::string>& now)
{
    std::vector<std::string> out;
    for (const auto& [key, hash] : now) {
        const auto found = was.find(key);
        if (found == was.end() || found->second != hash) out.push_back(key);
    }
    for (const auto& [key, hash] : was)
        if (!now.contains(key)) out.push_back(key);
    std::ranges::sort(out);
    return out;
}

class Upping {
public:
    Upping(store::Root& root, UpRequest& request) : root_(root), request_(request)
    {
        for (const UpTask& task : request.tasks) plans_.push_back(task.plan);
    }

    Result<UpAnswer> run(const std::function<void(const UpOne&)>& done)
    {
        BGT_TRY_ASSIGN(const config::StartOrder order, config::start_order(plans_));
        BGT_TRY_ASSIGN(const std::vector<std::size_t> wanted,
                       config::with_needed(plans_, request_.names));
        BGT_TRY_ASSIGN(answer_.project, claim_project());
        BGT_TRY(check_names());
        BGT_TRY_ASSIGN(known_, all_known(root_, answer_.project));
        for (const auto& [name, known] : known_)
            any_lives_ = any_lives_ || (known.lives && known.is_of(request_.folder));
        for (const std::size_t at : order.order) {
            if (std::ranges::find(wanted, at) == wanted.end()) continue;
            BGT_TRY_ASSIGN(UpOne one, bring_up(request_.tasks[at], order.levels[at]));
            ids_[one.name] = one.id;
            answer_.tasks.push_back(std::move(one));
            if (done) done(answer_.tasks.back());
        }
        for (const auto& [name, known] : known_)
            if (known.lives && known.is_of(request_.folder) &&
                std::ranges::find(plans_, name, &config::PlannedTask::name) == plans_.end())
                answer_.unlisted.emplace_back(name, known.id);
        return std::move(answer_);
    }

private:
    /// A name is not free while a task of another folder that has it lives.
    Result<std::string> claim_project()
    {
        Waiting waiting(root_);
        return store::claim_project(root_, request_.folder, [&](TaskId id) {
            const Known known = known_of(root_, id, waiting);
            return known.lives && !known.is_of(request_.folder);
        });
    }

    Result<void> check_names() const
    {
        for (const config::PlannedTask& plan : plans_)
            if (auto valid = store::check_name(store::name_in_project(answer_.project, plan.name));
                !valid)
                return Error::usage("task " + plan.name + " of project " + answer_.project + ": " +
                                    valid.error().message);
        return {};
    }

    Result<UpOne> bring_up(UpTask& task, std::uint32_t level)
    {
        UpOne one{task.plan.name, {}, UpOne::Act::started, {}, task.is_job, task.plan.after};
        const auto found = known_.find(task.plan.name);
        const Known* known = found != known_.end() ? &found->second : nullptr;
        if (known && known->lives && !known->is_of(request_.folder))
            return Error::failed(
                fmt::format("the name '{}' belongs to task {}, which is none of {}",
                            store::name_in_project(answer_.project, task.plan.name),
                            known->id.value, printable(request_.folder)));
        const bool named =
            std::ranges::find(request_.names, task.plan.name) != request_.names.end();
        const bool is_done = known && known->is_done && known->is_of(request_.folder) &&
                             task.is_job && any_lives_ && !named;
        if (known && (known->lives || is_done)) {
            one.id = known->id;
            one.act = known->lives ? UpOne::Act::there : UpOne::Act::done;
            if (known->part) one.changed = changed_keys(known->part->table, task.table);
            if (one.changed.empty() || !request_.recreate) return one;
            one.act = UpOne::Act::recreated;
        }
        BGT_TRY(start(task, level, one));
        return one;
    }

    Result<void> start(UpTask& task, std::uint32_t level, UpOne& one)
    {
        const store::ProjectTask part{request_.folder, level, std::move(task.table)};
        const bool replaces = one.act == UpOne::Act::recreated;
        Result<void> done = std::holds_alternative<StartRequest>(task.request)
                                ? start_now(task, part, one, replaces)
                                : submit_it(task, part, one, replaces);
        if (done) return done;
        Error error = done.error();
        error.message.insert(0, "task " + task.plan.name + ": ");
        return error;
    }

    Result<void> start_now(UpTask& task, const store::ProjectTask& part, UpOne& one, bool replaces)
    {
        auto& request = std::get<StartRequest>(task.request);
        request.spec.name = store::name_in_project(answer_.project, task.plan.name);
        request.spec.project = part;
        BGT_TRY_ASSIGN(const StartAnswer started,
                       ops::start(root_, std::move(request),
                                  replaces ? IfNameTaken::replace_any : IfNameTaken::use_any));
        one.id = started.id;
        if (started.was_there) one.act = UpOne::Act::there; // another `bgt up` was faster
        return {};
    }

    Result<void> submit_it(UpTask& task, const store::ProjectTask& part, UpOne& one, bool replaces)
    {
        if (replaces) {
            StopRequest stop;
            stop.selection.words = {store::to_string(one.id)};
            BGT_TRY_ASSIGN(const auto stopped, ops::stop(root_, stop));
            for (const auto& ended : stopped.tasks)
                if (!ended.result) return ended.result.error();
        }
        auto& request = std::get<SubmitRequest>(task.request);
        request.spec.name = store::name_in_project(answer_.project, task.plan.name);
        request.spec.project = part;
        if (request.how.queue.empty()) request.how.queue = answer_.project;
        for (DependencyWord& word : request.after)
            if (const auto own = ids_.find(word.task); own != ids_.end())
                word.task = store::to_string(own->second);
        const std::string name = request.spec.name;
        const Result<SubmitAnswer> submitted = submit(root_, std::move(request));
        if (!submitted) {
            const auto holder = root_.find_name(name);
            if (!holder || !*holder || !supervise::is_used(root_, **holder))
                return submitted.error();
            one.id = **holder;
            one.act = UpOne::Act::there; // another `bgt up` was faster
            return {};
        }
        one.id = store::TaskId{submitted->ids.first};
        if (!replaces) one.act = UpOne::Act::submitted;
        return {};
    }

    store::Root& root_;
    UpRequest& request_;
    std::vector<config::PlannedTask> plans_;
    UpAnswer answer_;
    AllKnown known_;
    std::map<std::string, TaskId> ids_; ///< of those that are up
    bool any_lives_ = false;            ///< before anything was started
};

/// What is to be ended, those of the highest level first.
using Levels = std::map<std::uint32_t, std::vector<std::string>, std::greater<>>;

Result<Levels> levels_to_end(store::Root& root, const store::Project& project,
                             const std::vector<std::string>& names, std::vector<Error>& unclear)
{
    BGT_TRY_ASSIGN(AllKnown known, all_known(root, project.name));
    std::erase_if(known, [&](const auto& one) {
        return one.second.part && !one.second.is_of(project.folder);
    });
    for (const std::string& name : names)
        if (!known.contains(name))
            return Error::not_found(fmt::format("project {} has no task {}", project.name,
                                                shell_quote(fit(printable(name), 40))));
    Levels out;
    for (const auto& [name, task] : known) {
        if (!task.lives) continue;
        if (!names.empty() && std::ranges::find(names, name) == names.end()) continue;
        if (task.part) out[task.part->level].push_back(store::to_string(task.id));
        else
            unclear.push_back(Error::failed(fmt::format(
                "{} ({}) is not ended: its record does not say of which folder it is "
                "(bgt kill {} ends it)",
                task.id.value, store::name_in_project(project.name, name), task.id.value)));
    }
    return out;
}

} // namespace

std::string_view to_string(UpOne::Act act)
{
    switch (act) {
    case UpOne::Act::started: return "started";
    case UpOne::Act::submitted: return "submitted";
    case UpOne::Act::recreated: return "recreated";
    case UpOne::Act::there: return "there";
    case UpOne::Act::done: return "done";
    }
    return "there";
}

Result<UpAnswer> up(store::Root& root, UpRequest request,
                    const std::function<void(const UpOne&)>& done)
{
    return Upping(root, request).run(done);
}

Result<Each<Stopped>> down(store::Root& root, const DownRequest& request,
                           const Progress<Stopped>& progress, Cancel cancel)
{
    Each<Stopped> answer;
    BGT_TRY_ASSIGN(const auto projects, store::projects(root));
    const auto project = std::ranges::find(projects, request.folder, &store::Project::folder);
    if (project == projects.end()) {
        if (request.names.empty()) return answer;
        return Error::not_found("nothing of " + printable(request.folder) +
                                " was started by bgt up");
    }
    BGT_TRY_ASSIGN(const Levels levels,
                   levels_to_end(root, *project, request.names, answer.missing));
    for (const Error& unclear : answer.missing)
        if (progress.missing) progress.missing(unclear);
    StopRequest stop;
    stop.now = request.now;
    stop.waiting = request.waiting;
    const Instant deadline = os::now() + request.timeout.value_or(Duration::zero());
    for (const auto& [level, words] : levels) {
        stop.selection.words = words;
        if (request.timeout) stop.timeout = std::max(deadline - os::now(), Duration::zero());
        BGT_TRY_ASSIGN(auto stopped, ops::stop(root, stop, progress, cancel));
        for (auto& one : stopped.tasks) answer.tasks.push_back(std::move(one));
    }
    return answer;
}

} // namespace bgt::ops
