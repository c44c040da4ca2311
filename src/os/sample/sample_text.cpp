#include "sample_text.hpp"

#include <algorithm>
#include <charconv>
#include <sys/epoll.h>
#include <sys/syscall.h>

namespace bgt::os {

namespace {

constexpr std::size_t max_watched = 64;

void skip_blanks(std::string_view& text)
{
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
}

/// The number that the text begins with, behind blanks; the text goes on behind it.
template <class Number>
bool take_number(std::string_view& text, Number& out, int base = 10)
{
    skip_blanks(text);
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), out, base);
    if (parsed.ec != std::errc{}) return false;
    text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
    return true;
}

bool take_word(std::string_view& text, std::string_view word)
{
    skip_blanks(text);
    if (!text.starts_with(word)) return false;
    text.remove_prefix(word.size());
    return true;
}

std::string_view take_line(std::string_view& text)
{
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    return line;
}

} // namespace

std::optional<Duration> run_delay(std::string_view schedstat)
{
    std::uint64_t ran = 0, waited = 0;
    if (!take_number(schedstat, ran) || !take_number(schedstat, waited)) return std::nullopt;
    return std::chrono::nanoseconds(waited);
}

std::optional<LifeStat> parse_life_stat(std::string_view text)
{
    const auto close = text.rfind(')');
    if (close == text.npos || text.size() < close + 4 || text[close + 1] != ' ' ||
        text[close + 3] != ' ')
        return std::nullopt;
    LifeStat stat;
    stat.state = text[close + 2];
    text.remove_prefix(close + 3);
    constexpr std::size_t first = 4, last = 22; // as man 5 proc counts them
    std::array<std::int64_t, last + 1> f{};
    for (std::size_t field = first; field <= last; ++field)
        if (!take_number(text, f[field])) return std::nullopt;
    stat.ppid = static_cast<std::int32_t>(f[4]);
    stat.pgrp = static_cast<std::int32_t>(f[5]);
    stat.tty = static_cast<std::int32_t>(f[7]);
    stat.foreground = static_cast<std::int32_t>(f[8]);
    const auto ticks = [](std::int64_t a, std::int64_t b) {
        return static_cast<std::uint64_t>(std::max<std::int64_t>(a, 0)) +
               static_cast<std::uint64_t>(std::max<std::int64_t>(b, 0));
    };
    stat.reaped_faults = static_cast<std::uint64_t>(std::max<std::int64_t>(f[11], 0));
    stat.own_ticks = ticks(f[14], f[15]);
    stat.reaped_ticks = ticks(f[16], f[17]);
    stat.threads = static_cast<std::int32_t>(f[20]);
    stat.start_ticks = static_cast<std::uint64_t>(f[22]);
    return stat;
}

IoCounters io_counters(std::string_view io)
{
    IoCounters counters;
    while (!io.empty()) {
        std::string_view line = take_line(io);
        std::uint64_t value = 0;
        if (take_word(line, "rchar:")) {
            if (take_number(line, value)) counters.read = value;
        } else if (take_word(line, "wchar:")) {
            if (take_number(line, value)) counters.written = value;
        } else if (take_word(line, "read_bytes:") || take_word(line, "write_bytes:")) {
            if (take_number(line, value)) counters.storage += value;
        }
    }
    return counters;
}

std::optional<SleepingCall> parse_syscall(std::string_view text)
{
    SleepingCall call;
    if (!take_number(text, call.number) || call.number < 0) return std::nullopt;
    for (std::uint64_t& arg : call.args)
        if (!take_word(text, "0x") || !take_number(text, arg, 16)) return std::nullopt;
    return call;
}

long restarted_call(const SleepingCall& call, std::string_view wchan)
{
    if (call.number != SYS_restart_syscall) return call.number;
    if (wchan.starts_with("futex")) return SYS_futex;
#ifdef SYS_poll
    if (wchan.find("poll") != wchan.npos) return SYS_poll;
#endif
    constexpr std::uint64_t max_clocks = 64; // nanosleep begins with an address
    return call.args[0] < max_clocks ? SYS_clock_nanosleep : SYS_nanosleep;
}

std::vector<int> epoll_inputs(std::string_view fdinfo)
{
    std::vector<int> found;
    while (!fdinfo.empty() && found.size() < max_watched) {
        std::string_view line = take_line(fdinfo);
        int fd = -1;
        std::uint32_t events = 0;
        if (!take_word(line, "tfd:") || !take_number(line, fd) || !take_word(line, "events:"))
            continue;
        if (take_number(line, events, 16) && fd >= 0 && (events & EPOLLIN) != 0)
            found.push_back(fd);
    }
    return found;
}

} // namespace bgt::os
