#pragma once
/// What has bgt called after a restart of the machine, so that what waits and what is scheduled
/// goes on: a user unit of systemd, or a line of the user's crontab.
#include <bgt/base/result.hpp>
#include <bgt/store/root.hpp>
#include <optional>
#include <string>
#include <vector>

namespace bgt::ops {

struct RebootEntry {
    enum class Kind : std::uint8_t { systemd, crontab };
    Kind kind = Kind::systemd;
    std::string where; ///< the unit's file, or the line
};

/// nullopt: there is none for this root.
std::optional<RebootEntry> find_reboot_entry(const store::Root&);
/// A unit where `systemctl --user` works, else a line. Error (failed): neither works here.
Result<RebootEntry> install_reboot_entry(const store::Root&);
/// Removes both. Those that there were.
Result<std::vector<RebootEntry>> remove_reboot_entry(const store::Root&);

} // namespace bgt::ops
