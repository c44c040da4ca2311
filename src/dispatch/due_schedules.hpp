#pragma once
#include <bgt/core/schedule.hpp>
#include <bgt/os/time_zone.hpp>
#include <bgt/store/schedule_book.hpp>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

namespace bgt::dispatch {

/// The schedules of a root in the order in which they are due: what is not due costs nothing.
class DueSchedules {
public:
    /// Takes in what records have changed, and returns which these are.
    std::set<std::int64_t> update(store::ScheduleBook&, Instant now);
    /// Those whose time has come, in the order of their times.
    std::vector<std::int64_t> due(WallTime now) const;
    std::optional<WallTime> next_time() const;
    /// When update() reads those again that could not be read, perhaps because the file of a zone
    /// is not there just now; nullopt: there are none.
    std::optional<Instant> retry_at() const { return retry_at_; }
    /// Of a schedule that can be read.
    const core::Recurrences* recurrences(std::int64_t id) const;

private:
    struct One {
        std::string when, zone;
        WallTime since{};
        std::optional<core::Recurrences> recurrences; ///< none: it can't be read
        std::optional<WallTime> wake;
    };
    void forget(std::int64_t id);
    Result<core::Recurrences> read(const store::Scheduled&);

    std::map<std::int64_t, One> all_;
    std::set<std::pair<WallTime, std::int64_t>> times_;
    std::set<std::int64_t> unread_;
    std::optional<Instant> retry_at_;
    std::map<std::string, std::shared_ptr<const os::TimeZone>> zones_;
};

} // namespace bgt::dispatch
