#pragma once
/// What a look at a process needs of the texts in its folder (man 5 proc). Other processes can't
/// forge these texts but for the name in stat; whatever is of another form is none.
#include <array>
#include <bgt/base/time.hpp>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace bgt::os {

/// Fields of /proc/PID/stat, and of /proc/PID/task/TID/stat.
struct LifeStat {
    char state = '?';
    std::int32_t ppid = 0;
    std::int32_t pgrp = 0;
    std::int32_t tty = 0;            ///< device number of the controlling terminal; 0: none
    std::int32_t foreground = 0;     ///< foreground process group of that terminal; -1: none
    std::uint64_t reaped_faults = 0; ///< minor page faults of children that were waited for
    std::uint64_t own_ticks = 0;
    std::uint64_t reaped_ticks = 0;
    std::int32_t threads = 0;
    std::uint64_t start_ticks = 0;
};

std::optional<LifeStat> parse_life_stat(std::string_view text);

/// What /proc/PID/io counts; 0 where it has none.
struct IoCounters {
    std::uint64_t storage = 0; ///< read_bytes + write_bytes
    std::uint64_t read = 0;    ///< rchar
    std::uint64_t written = 0; ///< wchar
};
IoCounters io_counters(std::string_view io);

/// The second number of /proc/PID/schedstat: how long a thread has waited for a CPU.
std::optional<Duration> run_delay(std::string_view schedstat);

/// /proc/PID/syscall of a sleeping thread.
struct SleepingCall {
    long number = -1;
    std::array<std::uint64_t, 6> args{};
};
/// nullopt: "running", or not in a system call (-1).
std::optional<SleepingCall> parse_syscall(std::string_view text);
/// A wait with a date that a stop has interrupted goes on as restart_syscall (man 2), with the
/// arguments it had: which call it was, by where it waits in the kernel (/proc/PID/wchan). Any
/// other number is its own.
long restarted_call(const SleepingCall&, std::string_view wchan);

/// The descriptors in /proc/PID/fdinfo/FD of an epoll descriptor that are watched for input, at
/// most 64.
std::vector<int> epoll_inputs(std::string_view fdinfo);

} // namespace bgt::os
