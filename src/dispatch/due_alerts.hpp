#pragma once
#include <bgt/store/queue_view.hpp>
#include <optional>
#include <utility>

namespace bgt::dispatch {

/// The alerts of a root whose answers change without the end of a task. Costs one system call where
/// there are none.
class DueAlerts {
public:
    /// Looks at them where something may have changed, but not all the time.
    void update(const store::Root&, const store::QueueView&);
    /// When to do that again, though nothing happens until then.
    std::optional<WallTime> next_time() const { return next_; }
    std::optional<Instant> look_again_at() const { return again_; }

private:
    using Version = std::pair<std::uint64_t, std::int64_t>;
    void wait_until(Instant);
    static std::optional<Version> version_of(const store::Root&);

    std::optional<Version> seen_;
    std::optional<WallTime> next_;
    std::optional<Instant> last_, again_;
    bool follows_queue_ = false;
};

} // namespace bgt::dispatch
