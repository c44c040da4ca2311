#include <bgt/ops/notify.hpp>

#include <bgt/base/text.hpp>
#include <bgt/os/control_socket.hpp>
#include <bgt/store/task_dir.hpp>

#include <cstdlib>
#include <fmt/format.h>

namespace bgt::ops {
namespace {

constexpr Duration send_timeout = std::chrono::seconds(5);

std::string microseconds(Duration duration)
{
    return std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
}

/// All of it as one message, a field a line.
Result<std::string> message_of(const NotifyRequest& request)
{
    std::string message;
    const auto add = [&](const char* field, const std::string& value) {
        message += field + ("=" + value) + "\n";
    };
    if (request.status) add("STATUS", printable(*request.status)); // with no newline in it
    if (request.step) add("X_BGT_STEP", printable(*request.step));
    if (request.progress) add("X_BGT_PROGRESS", std::to_string(*request.progress));
    if (request.total_steps) add("X_BGT_TOTAL", std::to_string(*request.total_steps));
    if (request.pid) add("MAINPID", std::to_string(*request.pid));
    if (request.extend) add("EXTEND_TIMEOUT_USEC", microseconds(*request.extend));
    if (request.watchdog) add("WATCHDOG_USEC", microseconds(*request.watchdog));
    if (request.log) add("X_BGT_LOG", request.log->level + " " + printable(request.log->text));
    if (!request.log_data.empty()) add("X_BGT_DATA", request.log_data);
    if (request.summary) add("X_BGT_SUMMARY", printable(*request.summary));
    for (const std::string& path : request.artifacts) add("X_BGT_ARTIFACT", path);
    for (const core::Metric& metric : request.metrics)
        add("X_BGT_METRIC", fmt::format("{}={}", metric.name, metric.value));
    if (request.beat) add("WATCHDOG", "1");
    if (request.ready) add("READY", "1");
    if (request.stopping) add("STOPPING", "1");
    if (message.empty())
        return Error::usage(
            "nothing to report: give --ready, --status TEXT, --progress N, --beat, ...");
    if (message.size() > os::max_datagram) return Error::usage("that is too long for a message");
    return message;
}

/// Where the supervisor listens: NOTIFY_SOCKET, also one of another supervisor; a program may have
/// taken that out of the environment for its children (man 3 sd_notify, unset_environment), then by
/// the task's folder.
std::string own_socket()
{
    if (const char* const socket = std::getenv("NOTIFY_SOCKET");
        socket != nullptr && *socket != '\0')
        return socket;
    if (const char* const folder = std::getenv("BGT_TASK_DIR"); folder != nullptr && *folder == '/')
        return std::string(folder) + "/" + store::file::control;
    return {};
}

} // namespace

Result<void> notify(const NotifyRequest& request)
{
    const Result<std::string> message = message_of(request);
    if (!message) return message.error();
    const std::string to = request.socket.empty() ? own_socket() : request.socket;
    if (to.empty())
        return Error::usage(
            "this is not inside a task: neither NOTIFY_SOCKET nor BGT_TASK_DIR is set");
    return os::send_notification(to, *message, send_timeout);
}

} // namespace bgt::ops
