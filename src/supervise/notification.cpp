// Messages of the task itself, by the sd_notify protocol (man 3 sd_notify).
#include <bgt/core/notify.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/supervise/supervisor.hpp>

namespace bgt::supervise {
namespace {

/// For so long a sender counts as what it was: its pid can't well have come again.
constexpr auto sender_is_known = std::chrono::milliseconds(100);

} // namespace

bool Supervisor::is_member(std::int32_t pid)
{
    const Instant now = os::now();
    if (last_sender_.first == pid && now < last_sender_.second + sender_is_known) return true;
    if (!tree_->has(pid)) return false;
    last_sender_ = {pid, now};
    return true;
}

/// The caller has seen to the sender's user. False: it is no process of the task.
bool Supervisor::take_notification(const os::Datagram& message)
{
    if (!is_member(message.pid)) {
        // One line for a flood of them.
        if (refused_messages_++ == 0)
            resources_.recorder.event("notification-refused", {{"pid", std::int64_t{message.pid}},
                                                            {"why", std::string("it is no process of the task")}});
        return false;
    }
    const auto notification = message.cut ? std::nullopt : core::parse_notification(message.bytes);
    if (!notification || notification->bad_fields > 0) {
        const char* const why = message.cut ? "it is too long" : notification ? "a field has an impossible value" : "it has no field";
        if (bad_messages_++ == 0) resources_.recorder.event("notification-malformed", {{"pid", std::int64_t{message.pid}}, {"why", std::string(why)}});
        if (!notification) return true;
    }
    observer_.beat(os::now());
    if (put_notification(*notification)) resources_.recorder.save();
    if (notification->stopping) resources_.recorder.event("stopping");
    // Told, and no more: what counts is the tree, whichever of its processes is the main one.
    if (notification->main_pid && is_member(*notification->main_pid))
        resources_.recorder.event("main-pid", {{"pid", std::int64_t{*notification->main_pid}}});
    if (notification->extend) dispatch(core::Extended{*notification->extend});
    if (notification->watchdog) dispatch(core::WatchdogSet{*notification->watchdog});
    if (notification->failed) dispatch(core::HangReported{});
    if (notification->ready && !notified_ready_) {
        notified_ready_ = true;
        check_ready();
    }
    return true;
}

/// True: the record has changed.
bool Supervisor::put_notification(const core::Notification& notification)
{
    store::Status& status = resources_.recorder.status();
    bool changed = false;
    if (notification.status && *notification.status != status.text) {
        status.text = *notification.status;
        changed = true;
    }
    core::Progress progress;
    progress.fraction = notification.progress;
    progress.step = notification.step.value_or("");
    progress.total_steps = notification.total;
    return put_progress(progress) || changed;
}

bool Supervisor::put_progress(const core::Progress& progress)
{
    store::Status& status = resources_.recorder.status();
    const auto before = std::tuple(status.progress, status.step, status.total_steps);
    if (progress.fraction) status.progress = progress.fraction;
    if (!progress.step.empty()) status.step = progress.step.substr(0, 63);
    if (progress.total_steps) status.total_steps = *progress.total_steps;
    return before != std::tuple(status.progress, status.step, status.total_steps);
}

} // namespace bgt::supervise
