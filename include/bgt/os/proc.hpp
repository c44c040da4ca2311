#pragma once
/// What /proc says of processes (man 5 proc).
#include <bgt/base/fd.hpp>
#include <bgt/base/process_key.hpp>
#include <bgt/base/result.hpp>
#include <bgt/base/time.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bgt::os {

/// The fields of /proc/PID/stat that bgt uses.
struct ProcStat {
    ProcessKey key;   ///< pid, starttime
    std::string comm; ///< may hold any byte, also `)`, spaces and newlines
    char state = '?'; ///< R S D Z T t X I
    std::int32_t ppid = 0;
    std::int32_t pgrp = 0;
    std::int32_t session = 0;
    std::uint64_t cpu_ticks = 0; ///< utime + stime of its own
    std::uint64_t rss_bytes = 0;
    std::int32_t threads = 0;
};

/// Reads the text of a stat file; the name is taken up to the last `)`. nullopt: not of that form.
std::optional<ProcStat> parse_stat(std::string_view text);
/// nullopt: no such process (or it just ended).
std::optional<ProcStat> read_stat(std::int32_t pid);
/// Every process that can be seen, in the order of /proc. One that ends meanwhile is left out.
std::vector<ProcStat> all_processes();

/// Whether /proc can be read at all now: what is not found there while this says no may well live.
bool can_look();
/// Neither zombie nor dead. A zombie whose other threads go on (its main thread called
/// pthread_exit) lives.
bool is_living(const ProcStat&);
/// Whether that very process lives: same start time, and is_living.
bool is_alive(const ProcessKey&);
/// Key of a living process, nullopt when there is none.
std::optional<ProcessKey> key_of(std::int32_t pid);
/// Of this process.
std::int32_t own_pid();
/// The number of the namespace of that kind ("net", "pid") in which the process is (man 7
/// namespaces); 0: it can't be told.
std::uint64_t namespace_of(std::int32_t pid, const char* kind);
/// Of this process, for one open; start_ticks is 0 where /proc can't be read.
ProcessKey own_key();
/// argv of the process, joined and quoted for showing, cut at 4 KiB; a title that the process gave
/// itself as it stands;
/// "[comm]" where it has none or may not be read; empty when there is no such process. Any byte can
/// be in it.
std::string command_line(std::int32_t pid);
/// Ticks a second of cpu_ticks and start_ticks (sysconf _SC_CLK_TCK).
std::uint64_t ticks_per_second();
/// Now, by the boot-time clock that start_ticks counts.
std::uint64_t ticks_now();
/// Processors of this machine that are in use (sysconf _SC_NPROCESSORS_ONLN); at least 1.
unsigned core_count();
/// How long ago the process started, by the boot-time clock that start_ticks counts.
Duration age_of(const ProcessKey&);

/// Sends `signal` to that very process through a pidfd (man 2 pidfd_send_signal), never to a later
/// one with its pid. True: sent. False: it has ended. Error: not permitted.
Result<bool> send_signal(const ProcessKey&, int signal);
/// A pidfd (close-on-exec) of that very process; it becomes readable at its end. nullopt when it
/// has ended, or when no descriptor is to be had: is_alive tells the two apart.
std::optional<Fd> open_pidfd(const ProcessKey&);

} // namespace bgt::os
