#include "stack_dump.hpp"

#include <bgt/base/text.hpp>
#include <bgt/os/proc_dir.hpp>

#include <array>
#include <charconv>
#include <csignal>
#include <fmt/format.h>
#include <unistd.h>

namespace bgt::os {

namespace {

bool has_entry(std::string_view list, std::string_view wanted)
{
    while (!list.empty()) {
        const std::string_view entry = list.substr(0, list.find('\0'));
        if (entry == wanted) return true;
        list.remove_prefix(std::min(list.size(), entry.size() + 1));
    }
    return false;
}

bool catches(const RuntimeMarks& marks, int signal)
{
    return (marks.caught >> (signal - 1) & 1) != 0;
}

std::uint64_t caught_by(const ProcDir& proc, std::int32_t pid)
{
    const std::string status = proc.read(pid, "status", 8192);
    constexpr std::string_view label = "\nSigCgt:\t";
    const auto at = status.find(label);
    std::uint64_t mask = 0;
    if (at != status.npos) {
        const char* const begin = status.data() + at + label.size();
        std::from_chars(begin, status.data() + status.size(), mask, 16);
    }
    return mask;
}

std::string program_of(std::int32_t pid)
{
    std::array<char, 1024> target;
    const ssize_t length =
        ::readlink(fmt::format("/proc/{}/exe", pid).c_str(), target.data(), target.size());
    const std::string path(target.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
    return path.substr(path.rfind('/') + 1);
}

} // namespace

std::optional<DumpSignal> dump_signal(const RuntimeMarks& marks)
{
    if (marks.program == "java" && catches(marks, SIGQUIT) &&
        !has_entry(marks.command_line, "-Xrs"))
        return DumpSignal{"java", SIGQUIT};
    if (marks.program == "node" && catches(marks, SIGUSR2) &&
        has_entry(marks.command_line, "--report-on-signal"))
        return DumpSignal{"node", SIGUSR2};
    return std::nullopt;
}

std::optional<DumpSignal> stack_dump_signal(const ProcStat& process)
{
    const ProcDir proc;
    const std::int32_t pid = process.key.pid;
    const std::string program = program_of(pid), command = proc.read(pid, "cmdline", 64 * 1024);
    return dump_signal({program, command, caught_by(proc, pid)});
}

std::optional<core::DumpAsked> dump_stacks(const ProcStat& process)
{
    const auto signal = stack_dump_signal(process);
    if (!signal) return std::nullopt;
    const auto sent = send_signal(process.key, signal->signal);
    if (!sent || !*sent) return std::nullopt;
    return core::DumpAsked{
        process.key.pid, printable(process.comm), signal->runtime, signal->signal, {}};
}

} // namespace bgt::os
