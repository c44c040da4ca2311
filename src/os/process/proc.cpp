#include <bgt/os/proc.hpp>

#include <bgt/base/text.hpp>
#include <bgt/os/proc_dir.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <ctime>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace bgt::os {

namespace {

/// Fields of stat after the state, counted from 4 as in man 5 proc.
constexpr int first_field = 4, last_field = 24;
using Fields = std::array<std::int64_t, last_field + 1>;

std::optional<Fields> parse_fields(std::string_view text)
{
    Fields fields{};
    const char* at = text.data();
    const char* const end = at + text.size();
    for (int field = first_field; field <= last_field; ++field) {
        while (at != end && *at == ' ') ++at;
        const auto parsed = std::from_chars(at, end, fields[static_cast<std::size_t>(field)]);
        if (parsed.ec != std::errc{}) return std::nullopt;
        at = parsed.ptr;
    }
    return fields;
}

std::uint64_t page_size()
{
    static const auto size = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    return size;
}

Fd pidfd_open(std::int32_t pid)
{
    return Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))); // close-on-exec by itself
}

} // namespace

std::optional<ProcStat> parse_stat(std::string_view text)
{
    const auto open = text.find('('), close = text.rfind(')');
    if (open == text.npos || close == text.npos || close < open || text.size() < close + 4)
        return std::nullopt;
    ProcStat stat;
    const auto pid = std::from_chars(text.data(), text.data() + open, stat.key.pid);
    if (pid.ec != std::errc{} ||
        text.substr(static_cast<std::size_t>(pid.ptr - text.data()), 2) != " (")
        return std::nullopt;
    stat.comm = text.substr(open + 1, close - open - 1);
    stat.state = text[close + 2];
    if (text[close + 1] != ' ' || text[close + 3] != ' ') return std::nullopt;
    const auto fields = parse_fields(text.substr(close + 3));
    if (!fields) return std::nullopt;
    const auto& f = *fields;
    stat.ppid = static_cast<std::int32_t>(f[4]);
    stat.pgrp = static_cast<std::int32_t>(f[5]);
    stat.session = static_cast<std::int32_t>(f[6]);
    stat.cpu_ticks = static_cast<std::uint64_t>(f[14]) + static_cast<std::uint64_t>(f[15]);
    stat.threads = static_cast<std::int32_t>(f[20]);
    stat.key.start_ticks = static_cast<std::uint64_t>(f[22]);
    stat.rss_bytes = f[24] > 0 ? static_cast<std::uint64_t>(f[24]) * page_size() : 0;
    return stat;
}

std::optional<ProcStat> read_stat(std::int32_t pid)
{
    if (pid <= 0) return std::nullopt;
    return ProcDir().stat(
        pid); // no descriptor is kept: a forked supervisor closes all it did not open
}

std::vector<ProcStat> all_processes()
{
    const ProcDir dir;
    const auto pids = dir.pids();
    std::vector<ProcStat> table;
    table.reserve(pids.size());
    for (const std::int32_t pid : pids)
        if (auto stat = dir.stat(pid)) table.push_back(std::move(*stat));
    return table;
}

bool is_living(const ProcStat& stat)
{
    if (stat.state == 'X' || stat.state == 'x') return false;
    return stat.state != 'Z' || stat.threads > 1;
}

bool can_look()
{
    return read_stat(::getpid()).has_value();
}

bool is_alive(const ProcessKey& key)
{
    const auto stat = read_stat(key.pid);
    return stat && stat->key == key && is_living(*stat);
}

std::optional<ProcessKey> key_of(std::int32_t pid)
{
    const auto stat = read_stat(pid);
    if (!stat || !is_living(*stat)) return std::nullopt;
    return stat->key;
}

std::int32_t own_pid()
{
    return getpid();
}

std::uint64_t namespace_of(std::int32_t pid, const char* kind)
{
    struct stat info {};
    const std::string path = "/proc/" + std::to_string(pid) + "/ns/" + kind;
    return ::stat(path.c_str(), &info) == 0 ? info.st_ino : 0;
}

ProcessKey own_key()
{
    std::array<char, 1024> text;
    const Fd file = open_at(AT_FDCWD, "/proc/self/stat", O_RDONLY);
    const auto stat = file ? parse_stat(read_some(file.get(), text)) : std::nullopt;
    return {::getpid(), stat ? stat->key.start_ticks : 0};
}

std::string command_line(std::int32_t pid)
{
    constexpr std::size_t enough_to_show = 4096;
    std::string text = pid > 0 ? ProcDir().read(pid, "cmdline", enough_to_show) : std::string();
    // Programs that rename themselves leave NULs behind the new title.
    while (!text.empty() && text.back() == '\0') text.pop_back();
    if (text.empty()) {
        const auto stat = read_stat(pid);
        return stat ? "[" + stat->comm + "]" : std::string();
    }
    std::vector<std::string> words;
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t end = std::min(text.find('\0', at), text.size());
        words.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    // One word with spaces in it is a title, not a word to be quoted.
    return words.size() == 1 ? words.front() : shell_join(words);
}

std::uint64_t ticks_per_second()
{
    static const auto ticks = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    return ticks;
}

namespace {

Duration since_boot()
{
    timespec ts{};
    ::clock_gettime(CLOCK_BOOTTIME, &ts);
    return std::chrono::seconds(ts.tv_sec) + std::chrono::nanoseconds(ts.tv_nsec);
}

} // namespace

std::uint64_t ticks_now()
{
    const Duration tick = std::chrono::nanoseconds(1'000'000'000 / ticks_per_second());
    return static_cast<std::uint64_t>(since_boot() / tick);
}

unsigned core_count()
{
    return static_cast<unsigned>(std::max(1l, ::sysconf(_SC_NPROCESSORS_ONLN)));
}

Duration age_of(const ProcessKey& key)
{
    const Duration up = since_boot();
    const std::uint64_t hz = ticks_per_second();
    const Duration start = std::chrono::seconds(key.start_ticks / hz) +
                           std::chrono::nanoseconds(key.start_ticks % hz * (1'000'000'000 / hz));
    return std::max(up - start, Duration::zero());
}

Result<bool> send_signal(const ProcessKey& key, int signal)
{
    if (key.pid <= 0) return false;
    const Fd pidfd = pidfd_open(key.pid);
    if (!pidfd && errno == ESRCH) return false;
    if (!is_alive(key)) { // looked at after opening: the pidfd can't be a later process'
        if (can_look()) return false;
        return Error::system(fmt::format("can't look at process {}", key.pid), EMFILE);
    }
    // No descriptor left, or a sandbox without pidfds: a signal by pid right after the look is the
    // next best. EPERM may be the sandbox's word as well as that of the process' owner: kill(2)
    // tells which.
    long sent = pidfd ? ::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0) : -1;
    if (sent != 0 && (!pidfd || errno == ENOSYS || errno == EPERM)) sent = ::kill(key.pid, signal);
    if (sent == 0) return true;
    const int error = errno;
    if (error == ESRCH) return false;
    return Error::system(fmt::format("can't send signal {} to process {}", signal, key.pid), error);
}

std::optional<Fd> open_pidfd(const ProcessKey& key)
{
    if (key.pid <= 0) return std::nullopt;
    Fd pidfd = pidfd_open(key.pid);
    if (!pidfd || !is_alive(key)) return std::nullopt;
    return pidfd;
}

} // namespace bgt::os
