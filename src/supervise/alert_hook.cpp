#include "alert_hook.hpp"

#include "hook_command.hpp"

#include <bgt/base/text.hpp>
#include <bgt/core/hook.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/webhook.hpp>
#include <bgt/store/root_events.hpp>

#include <boost/json.hpp>

namespace bgt::supervise {
namespace {

namespace json = boost::json;

constexpr std::string_view hook_name = "alert";
constexpr mode_t private_umask = 077;

std::string body_of(const std::string& root, const store::KnownAlert& alert, const AlertNews& news)
{
    const store::AlertDefinition& is = alert.is;
    const json::object body{
        {"schema", 1},
        {"alert", alert.number},
        {"what", news.what},
        {"when", core::to_string(is.rule.when)},
        {"match", is.rule.match.empty() ? json::value(nullptr) : json::value(is.rule.match)},
        {"value", to_valid_utf8(news.value)},
        {"at", format_rfc3339(news.at)},
        {"task", news.task.value > 0 ? json::value(news.task.value) : json::value(nullptr)},
        {"file", to_valid_utf8(is.file)},
        {"root", to_valid_utf8(root)},
    };
    return escape_unsafe_json(json::serialize(body));
}

std::vector<std::string> environment_of(const std::string& root, const store::KnownAlert& alert,
                                        const AlertNews& news)
{
    HookVariables ours{
        {"BGT_ROOT", root},
        {core::hook_variable, std::string(hook_name)},
        {"BGT_ALERT", std::to_string(alert.number)},
        {"BGT_ALERT_WHAT", std::string(news.what)},
        {"BGT_ALERT_WHEN", core::to_string(alert.is.rule.when)},
        {"BGT_ALERT_MATCH", alert.is.rule.match},
        {"BGT_ALERT_VALUE", news.value},
        {"BGT_TASK_ID", news.task.value > 0 ? to_string(news.task) : ""},
        {"BGT_TASK_DIR", ""},
    };
    forget_task(ours);
    return with_variables(own_environment(), ours);
}

AlertHookEnd run_command(const std::string& root, const store::KnownAlert& alert,
                         const AlertNews& news)
{
    const Result<os::BoundedEnd> end = os::run_bounded(hook_command(
        alert.is.run, environment_of(root, alert, news), alert.is.folder, private_umask));
    if (!end) return {false, {}, end.error().message, {}};
    std::string error = stopped_for_timeout(end->stopped);
    if (end->stopped == os::StoppedFor::told) error = "it was stopped by a signal";
    if (end->survivors > 0)
        error += (error.empty() ? "" : "; ") + std::to_string(end->survivors) +
                 " of its processes could not be ended by SIGKILL";
    return {is_fine(*end), end->code, std::move(error), end->output};
}

AlertHookEnd call_webhook(const std::string& root, const store::KnownAlert& alert,
                          const AlertNews& news)
{
    const Result<int> status =
        os::post_json(alert.is.webhook, body_of(root, alert, news), webhook_timeout);
    if (!status) return {false, {}, status.error().message, {}};
    const bool is_fine = *status >= 200 && *status < 300;
    return {is_fine, *status, is_fine ? "" : "the answer is " + std::to_string(*status), {}};
}

} // namespace

bool has_hook(const store::KnownAlert& alert)
{
    return !alert.is.run.empty() || !alert.is.webhook.empty();
}

AlertHookEnd run_alert_hook(const std::string& root, const store::KnownAlert& alert,
                            const AlertNews& news)
{
    return alert.is.run.empty() ? call_webhook(root, alert, news) : run_command(root, alert, news);
}

void tell_alert(const store::Root& root, const store::KnownAlert& alert, const AlertNews& news)
{
    store::RootEvent event;
    event.at = news.at;
    event.type = "alert";
    event.level = news.what == core::to_string(core::AlertChange::begins)
                      ? core::EventLevel::warning
                      : core::EventLevel::info;
    event.task = news.task;
    event.data = {{"alert", alert.number},
                  {"what", std::string(news.what)},
                  {"when", core::to_string(alert.is.rule.when)},
                  {"value", news.value}};
    if (!alert.is.rule.match.empty()) event.data.emplace_back("match", alert.is.rule.match);
    static_cast<void>(store::EventWriter(root.fd()).append(event));
}

void tell_hook_end(const store::Root& root, const store::KnownAlert& alert, const AlertHookEnd& end,
                   store::TaskId task)
{
    store::RootEvent event;
    event.at = os::wall_now();
    event.type = "hook-ended";
    event.level = end.is_fine ? core::EventLevel::info : core::EventLevel::error;
    event.task = task;
    event.data = {{"hook", std::string(hook_name)}, {"alert", alert.number}};
    if (end.code) event.data.emplace_back("code", std::int64_t{*end.code});
    if (!end.error.empty()) event.data.emplace_back("error", end.error);
    if (!end.output.empty()) event.data.emplace_back("output", end.output);
    static_cast<void>(store::EventWriter(root.fd()).append(event));
}

} // namespace bgt::supervise
