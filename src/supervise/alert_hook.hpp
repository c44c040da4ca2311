#pragma once
#include <bgt/store/alert_book.hpp>
#include <bgt/supervise/alerts.hpp>

namespace bgt::supervise {

/// What the hook of an alert is told.
struct AlertNews {
    std::string_view what; ///< "begins", "over", "test"
    WallTime at{};
    std::string value;
    store::TaskId task; ///< with whose end it came; 0: with none
};

/// Runs the hook and waits for it, for a minute at most. For a process that does nothing else
/// (os::run_bounded).
AlertHookEnd run_alert_hook(const std::string& root, const store::KnownAlert&, const AlertNews&);

bool has_hook(const store::KnownAlert&);

/// In the event stream of the root. What can't be written is not.
void tell_alert(const store::Root&, const store::KnownAlert&, const AlertNews&);
void tell_hook_end(const store::Root&, const store::KnownAlert&, const AlertHookEnd&,
                   store::TaskId);

} // namespace bgt::supervise
