#include <bgt/ops/scope.hpp>

#include "end_tasks.hpp"

#include <bgt/ops/queues.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/proc.hpp>
#include <bgt/store/queue_view.hpp>
#include <bgt/supervise/owner_watch.hpp>

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>

namespace bgt::ops {
namespace {

/// Which tasks of the root belong to this process' scope.
class Members {
public:
    explicit Members(store::Root& root) : root_(root), scope_(os::own_key()) {}

    Result<ToEnd> find()
    {
        ToEnd out;
        if (!root_.exists()) BGT_TRY(open_again());
        if (!root_.exists()) return out;
        BGT_TRY_ASSIGN(out.cancelled,
                       cancel_those_waiting(root_, [&](const store::QueueView& view) {
                           return view.waiting_in_scope(os::boot_id(), scope_);
                       }));
        BGT_TRY_ASSIGN(out.incomplete, is_one_about_to_start());
        BGT_TRY_ASSIGN(const std::vector<store::TaskId> ids, root_.active_ids());
        std::ranges::copy_if(ids, std::back_inserter(out.living),
                             [&](store::TaskId id) { return is_member(id); });
        return out;
    }

private:
    /// The first task of all makes the root.
    Result<void> open_again()
    {
        BGT_TRY_ASSIGN(root_, store::Root::open(root_.path(), store::Root::IfMissing::empty));
        return {};
    }

    bool contains(const store::TaskSpec& spec) const
    {
        return spec.scopes.contains(os::boot_id(), scope_);
    }

    bool is_member(store::TaskId id) const
    {
        const auto task = root_.open_task(id);
        if (!task) return false;
        const auto spec = store::read_spec(task->fd());
        if (!spec || !contains(*spec)) return false;
        const auto status = store::read_status(task->fd());
        return !status || !store::is_final(*status);
    }

    Result<bool> is_one_about_to_start() const
    {
        if (!store::QueueFile::is_there(root_)) return false;
        BGT_TRY_ASSIGN(const store::QueueView view, store::QueueView::load(root_, os::boot_id()));
        for (const std::int64_t id : view.state().running_ids()) {
            if (root_.open_task(store::TaskId{id})) continue;
            const auto task = view.describe(store::TaskId{id});
            if (task && contains(task->spec)) return true;
        }
        return false;
    }

    store::Root& root_;
    ProcessKey scope_;
};

Result<core::ScopeChain> with_this_process(core::ScopeChain chain)
{
    const ProcessKey self = os::own_key();
    if (self.start_ticks == 0)
        return Error::failed("/proc can't be read, so nobody could tell when this scope ends");
    if (chain.processes.size() == core::max_scopes)
        return Error::failed(
            fmt::format("scopes are nested {} deep, and not deeper", core::max_scopes));
    chain.boot = os::boot_id();
    chain.processes.push_back(self);
    return chain;
}

void set_variable(std::vector<std::string>& env, const std::string& name, const std::string& value)
{
    std::erase_if(env, [&](const std::string& entry) { return entry.starts_with(name + "="); });
    env.push_back(name + "=" + value);
}

} // namespace

Result<core::ScopeChain> scopes_around()
{
    const char* text = std::getenv(core::scope_variable);
    if (text == nullptr) return core::ScopeChain{};
    auto chain = core::parse_scopes(text);
    if (!chain)
        return Error::usage(
            fmt::format("{}: {}; unset it", core::scope_variable, chain.error().message));
    if (const auto ended = supervise::ended_scope(*chain))
        return Error::failed(fmt::format("the scope around this has ended (process {}), so nothing "
                                         "is started in it; unset {} to start it outside",
                                         *ended, core::scope_variable));
    return chain;
}

Result<core::ScopeChain> scopes_inside()
{
    BGT_TRY_ASSIGN(core::ScopeChain around, scopes_around());
    return with_this_process(std::move(around));
}

Result<ScopeAnswer> scope(store::Root& root, const ScopeRequest& request)
{
    BGT_TRY_ASSIGN(const core::ScopeChain around, scopes_around());
    BGT_TRY_ASSIGN(const core::ScopeChain chain, with_this_process(around));
    std::vector<std::string> env = request.env;
    set_variable(env, core::scope_variable, core::encode_scopes(chain));
    if (request.root) set_variable(env, "BGT_ROOT", *request.root);
    os::Foreground foreground;
    BGT_TRY(foreground.start(request.command, env));
    ScopeAnswer answer;
    answer.command = foreground.await(around.processes, request.command_grace);
    EndRequest end;
    end.reason = core::Reason::owner_gone;
    end.grace = request.grace;
    end.hasten = {foreground.fd()};
    Members members(root);
    BGT_TRY_ASSIGN(answer.tasks, end_tasks(root, end, [&] { return members.find(); }));
    return answer;
}

} // namespace bgt::ops
