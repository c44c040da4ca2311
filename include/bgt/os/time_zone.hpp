#pragma once
/// Time zones of the system's tz database, by libc's localtime_r.
#include <bgt/core/time_zone.hpp>

#include <map>
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

namespace bgt::os {

/// A zone of the tz database. It reads its data a year at a time and remembers it.
///
/// Hazards: for the moment of reading it sets TZ of this process and puts it back, so no other
/// thread may use the environment or local times meanwhile. It goes on with what it has read when
/// the database changes: see changed().
class TimeZone final : public core::TimeZone {
public:
    /// `name` as in `Europe/Berlin`; empty: the zone of this process ($TZ, or that of the machine).
    /// Error (usage): no such zone, named with near ones; a name that is no name of a zone (a path,
    /// `..`). UTC is there even without a database.
    static Result<std::shared_ptr<const TimeZone>> open(const std::string& name = {});

    std::chrono::seconds offset(WallTime utc) const override;
    WallTime steady_until(WallTime utc) const override;
    /// `Europe/Berlin`. Of the zone of this process: as $TZ or /etc/localtime name it, else
    /// `local`.
    const std::string& name() const { return name_; }
    /// Its data in the database is no longer what was opened.
    bool changed() const;

private:
    struct File {
        dev_t device = 0;
        ino_t inode = 0;
        std::int64_t modified_ns = 0;
        bool operator==(const File&) const = default;
    };
    /// From `since` on (seconds since 1970) the clocks add `offset`.
    struct Change {
        std::int64_t since;
        std::int64_t offset;
    };
    TimeZone(std::string name, bool own, std::string path);
    static File look(const std::string& path);
    /// The changes of a block of time; the first entry is its beginning.
    const std::vector<Change>& block(std::int64_t number) const;

    std::string name_;
    bool own_;         ///< the zone of this process: TZ stays as it is
    std::string path_; ///< of its data; empty: none is needed
    File file_;
    /// Blocks of a fixed length of time, by their number.
    mutable std::map<std::int64_t, std::vector<Change>> blocks_;
};

} // namespace bgt::os
