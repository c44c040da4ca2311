#pragma once
/// Messages of the task itself, by the sd_notify protocol (man 3 sd_notify).
#include <bgt/core/event_budget.hpp>
#include <bgt/core/notify.hpp>
#include <bgt/os/control_socket.hpp>
#include <bgt/supervise/collaborators.hpp>
#include <bgt/supervise/recorder.hpp>
#include <bgt/supervise/tree.hpp>

namespace bgt::supervise {

/// What a notification does beside the record and the events.
class NotificationTarget {
public:
    virtual ~NotificationTarget() = default;
    virtual void heartbeat() = 0;
    virtual void announced_ready() = 0; ///< READY=1
};

class Notifications {
public:
    Notifications(Tree& tree, const Clock& clock, Recorder& recorder, EventSink& sink,
                  NotificationTarget& target)
        : tree_(tree), clock_(clock), recorder_(recorder), sink_(sink), target_(target)
    {}
    /// The caller has checked the sender's user. False: the sender is no process of the task.
    bool take(const os::Datagram&);

private:
    /// Each of them makes a report.
    static constexpr core::EventBudget few_hangs{3, std::chrono::minutes(1)};

    bool is_member(std::int32_t pid);
    bool put(const core::Notification&);
    void put_log(const core::LogLine&, const std::string& data);
    void put_results(const core::Notification&);
    void put_main_pid(std::int32_t);
    void report_hang();

    Tree& tree_;
    const Clock& clock_;
    Recorder& recorder_;
    EventSink& sink_;
    NotificationTarget& target_;
    std::int64_t refused_ = 0;   ///< messages that did not come from the tree
    std::int64_t malformed_ = 0; ///< that could not be read whole
    std::int64_t log_lines_ = 0; ///< that were written, and more
    std::int32_t main_pid_ = 0;  ///< the last one that was told
    bool result_is_lost_ = false;
    core::EventBudget hangs_ = few_hangs; ///< that the task says itself
    std::uint32_t hangs_of_ = 0;          ///< the attempt
    std::pair<std::int32_t, Instant>
        last_sender_{}; ///< known to be a member, so that a flood is not looked up each time
};

} // namespace bgt::supervise
