#include "start_like.hpp"

#include <bgt/ops/scope.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/proc.hpp>
#include <bgt/os/tree.hpp>
#include <bgt/store/environment.hpp>
#include <bgt/supervise/owner_watch.hpp>

#include <algorithm>

namespace bgt::ops {
namespace {

/// The task around the caller, not the one around the first start, has to find the new one.
void take_cookies(std::vector<std::string>& into, const std::vector<std::string>& from)
{
    const std::string prefix = std::string(os::cookie_variable) + "=";
    const auto is_cookie = [&](const std::string& entry) { return entry.starts_with(prefix); };
    std::erase_if(into, is_cookie);
    std::ranges::copy_if(from, std::back_inserter(into), is_cookie);
}

/// Its place in an array is its own, wherever the rest of its environment comes from.
void keep_element(std::vector<std::string>& env, const std::vector<std::string>& element)
{
    if (element.empty()) return;
    std::erase_if(env, [](const std::string& entry) {
        return entry.starts_with("BGT_ARRAY_INDEX=") || entry.starts_with("BGT_ITEM=");
    });
    env.insert(env.end(), element.begin(), element.end());
}

} // namespace

Result<StartRequest> like(const store::TaskDir& task, const std::vector<std::string>& env,
                          const store::Retention& retention)
{
    auto spec = store::read_spec(task.fd());
    if (!spec)
        return Error::failed("task " + to_string(task.id()) +
                             " is damaged: " + spec.error().message);
    auto kept = store::read_environment(task.fd());
    if (!kept) return kept.error();
    StartRequest wanted;
    wanted.spec = *std::move(spec);
    wanted.spec.created = os::wall_now();
    if (wanted.spec.owner && !os::is_alive(*wanted.spec.owner)) wanted.spec.owner.reset();
    BGT_TRY_ASSIGN(core::ScopeChain around, scopes_around());
    if (!around.empty() || supervise::ended_scope(wanted.spec.scopes))
        wanted.spec.scopes = std::move(around);
    wanted.keep_env = kept->has_value();
    if (*kept) {
        wanted.env = **std::move(kept);
        take_cookies(wanted.env, env);
        if (!wanted.spec.queue.empty()) store::drop_queue_variables(wanted.env);
    } else {
        wanted.env = env;
    }
    keep_element(wanted.env, wanted.spec.element_env);
    wanted.retention = retention;
    wanted.spec.keeps_history = retention.history_max > 0;
    return wanted;
}

} // namespace bgt::ops
