#include "notifications.hpp"

#include <utility>

namespace bgt::supervise {
namespace {

/// For so long a sender counts as what it was: its pid can't well have come again.
constexpr auto sender_is_known = std::chrono::milliseconds(100);
/// More lines of the execution log are a flood.
constexpr std::int64_t max_lines = 10'000;

} // namespace

bool Notifications::is_member(std::int32_t pid)
{
    const Instant now = clock_.now();
    if (last_sender_.first == pid && now < last_sender_.second + sender_is_known) return true;
    if (!tree_.has(pid)) return false;
    last_sender_ = {pid, now};
    return true;
}

bool Notifications::take(const os::Datagram& message)
{
    const store::EventField sender{"pid", std::int64_t{message.pid}};
    if (!is_member(message.pid)) {
        // One line for a flood of them.
        if (refused_++ == 0)
            recorder_.event("notification-refused",
                            {sender, {"why", std::string("it is not a process of the task")}});
        return false;
    }
    const auto notification = message.cut ? std::nullopt : core::parse_notification(message.bytes);
    if (!notification || notification->bad_fields > 0) {
        const char* const why = message.cut    ? "it is too long"
                                : notification ? "a field has an impossible value"
                                               : "it has no field";
        if (malformed_++ == 0)
            recorder_.event("notification-malformed", {sender, {"why", std::string(why)}});
        if (!notification) return true;
    }
    target_.heartbeat();
    if (put(*notification)) recorder_.save();
    if (notification->log) put_log(*notification->log, notification->log_data);
    put_results(*notification);
    if (notification->stopping) recorder_.event_by_task("stopping");
    if (notification->main_pid) put_main_pid(*notification->main_pid);
    if (notification->extend) sink_.dispatch(core::Extended{*notification->extend});
    if (notification->watchdog) sink_.dispatch(core::WatchdogSet{*notification->watchdog});
    if (notification->failed) report_hang();
    if (notification->ready) target_.announced_ready();
    return true;
}

/// Told, and no more: what counts is the tree, whichever of its processes is the main one.
void Notifications::put_main_pid(std::int32_t pid)
{
    if (pid == main_pid_ || !is_member(pid)) return;
    main_pid_ = pid;
    recorder_.event_by_task("main-pid", {{"pid", std::int64_t{pid}}});
}

void Notifications::report_hang()
{
    const std::uint32_t attempt = recorder_.status().attempt;
    if (std::exchange(hangs_of_, attempt) != attempt) hangs_ = few_hangs;
    if (hangs_.take(clock_.now())) sink_.dispatch(core::HangReported{});
    else recorder_.drop_event();
}

void Notifications::put_log(const core::LogLine& line, const std::string& data)
{
    if (++log_lines_ > max_lines) {
        if (log_lines_ == max_lines + 1)
            recorder_.event("log-full", {{"lines", std::int64_t{max_lines}}});
        return recorder_.drop_event();
    }
    std::vector<store::EventField> fields{{"level", line.level}, {"text", line.text}};
    if (!data.empty()) fields.push_back({"data", data});
    recorder_.event("log", std::move(fields));
}

void Notifications::put_results(const core::Notification& said)
{
    if (!said.summary && said.artifacts.empty() && said.metrics.empty()) return;
    store::ResultsWriter* const results = recorder_.results();
    bool written = results != nullptr;
    const WallTime now = clock_.wall_now();
    const auto note = [&](const Result<void>& one) { written = written && one; };
    if (results != nullptr) {
        if (said.summary) note(results->summary(now, *said.summary));
        for (const std::string& path : said.artifacts) note(results->artifact(now, path));
        for (const core::Metric& metric : said.metrics)
            note(results->metric(now, metric.name, metric.value));
    }
    if (!written && !result_is_lost_) recorder_.event_by_task("result-lost");
    result_is_lost_ = !written;
}

/// True: the record has changed.
bool Notifications::put(const core::Notification& notification)
{
    store::Status& status = recorder_.status();
    const bool changed = notification.status && *notification.status != status.text;
    if (changed) status.text = *notification.status;
    core::Progress progress;
    progress.fraction = notification.progress;
    progress.step = notification.step.value_or("");
    progress.total_steps = notification.total;
    return recorder_.put(progress) || changed;
}

} // namespace bgt::supervise
