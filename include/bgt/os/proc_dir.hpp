#pragma once
/// Reading a folder of the form of /proc (man 5 proc) quickly: no streams, no allocation a file. A
/// test may point it at a folder of its own.
#include <bgt/base/fd.hpp>
#include <bgt/os/proc.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <vector>

namespace bgt::os {

class ProcDir {
public:
    explicit ProcDir(const char* path = "/proc");

    /// The pids that have a folder here, in its order.
    std::vector<std::int32_t> pids() const;
    std::optional<ProcStat> stat(std::int32_t pid) const;
    /// Living children of any thread of the process. nullopt: the kernel has no `children` file, or
    /// the process is gone.
    std::optional<std::vector<std::int32_t>> children(std::int32_t pid) const;
    /// The same of a process that has one thread, for half the cost.
    std::optional<std::vector<std::int32_t>> children_of_main_thread(std::int32_t pid) const;
    /// A descriptor of a file or folder of that process ("fd", "environ"); none when it may not be
    /// opened.
    Fd open(std::int32_t pid, std::string_view name, int flags) const;
    /// User id that owns the process' folder: its effective one, or 0 when the process is not
    /// dumpable.
    std::optional<std::uint32_t> owner(std::int32_t pid) const;
    /// A whole file, cut at `limit` bytes; empty where it can't be read.
    std::string read(std::int32_t pid, std::string_view name, std::size_t limit) const;
    /// The pid that was given out last in our pid namespace (man 5 proc, loadavg: its fifth field);
    /// 0: not known.
    std::int32_t newest_pid() const;

private:
    Fd dir_;
};

/// Names of a folder's entries that are numbers, as /proc, /proc/PID/fd and /proc/PID/task hold.
std::vector<std::int32_t> numeric_entries(int dir_fd);

/// Opens a file, close-on-exec, begun again after EINTR: files of /proc hardly wait, but a process
/// that could not be looked at is one that gets no signal. Nothing in it: errno says why.
Fd open_at(int folder, const char* name, int flags);

/// Type, inode and device of what an entry of /proc/PID/fd leads to. No file server is asked, which
/// may be gone (AT_STATX_DONT_SYNC), but where a sandbox refuses statx(2).
bool stat_handle(int folder, const char* name, struct statx& info);

/// One read of up to the whole buffer, begun again after EINTR; what was read.
std::string_view read_some(int fd, std::span<char> buffer);

} // namespace bgt::os
