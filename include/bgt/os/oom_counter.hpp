#pragma once
/// What the kernel's out-of-memory killer did: who else sends a SIGKILL can't be told.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bgt::os {

/// Counts the processes that the kernel has ended for lack of memory since begin(), in the cgroup
/// of this process (version 1 or 2); where that does not tell, on the whole machine.
class OomCounter {
public:
    /// nullopt: the kernel does not tell.
    static std::optional<OomCounter> begin();
    /// The same with the text of /proc/self/cgroup, and the folder where cgroups are mounted.
    static std::optional<OomCounter> begin_in(std::string_view cgroups, const std::string& mounts,
                                              const std::string& vmstat);

    /// nullopt: the cgroup has gone.
    std::optional<std::uint64_t> killed() const;
    bool is_of_machine() const { return of_machine_; }

private:
    OomCounter(std::string path, std::uint64_t before, bool of_machine)
        : path_(std::move(path)), before_(before), of_machine_(of_machine)
    {}

    std::string path_;
    std::uint64_t before_;
    bool of_machine_;
};

} // namespace bgt::os
