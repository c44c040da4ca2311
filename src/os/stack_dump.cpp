#include <bgt/os/stack_dump.hpp>

#include <bgt/base/text.hpp>
#include <bgt/os/proc_dir.hpp>

#include <array>
#include <charconv>
#include <csignal>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <vector>

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

/// A variable that is set to something.
bool has_variable(std::string_view list, std::string_view name)
{
    while (!list.empty()) {
        const std::string_view entry = list.substr(0, list.find('\0'));
        if (entry.size() > name.size() + 1 && entry.starts_with(name) && entry[name.size()] == '=') return true;
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

template <class T>
bool read_at(int fd, std::uint64_t offset, T& out)
{
    return ::pread(fd, &out, sizeof out, static_cast<off_t>(offset)) == static_cast<ssize_t>(sizeof out);
}

/// Whether a program has the note that Go's linker puts into each (a PT_NOTE segment, owner "Go"; man 5 elf).
bool has_go_note(int fd)
{
    Elf64_Ehdr header{};
    if (!read_at(fd, 0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64)
        return false;
    for (unsigned i = 0; i < header.e_phnum && i < 64; ++i) {
        Elf64_Phdr segment{};
        std::array<char, 16> note{};
        if (!read_at(fd, header.e_phoff + std::uint64_t{i} * sizeof segment, segment)) return false;
        if (segment.p_type != PT_NOTE || !read_at(fd, segment.p_offset, note)) continue;
        if (std::memcmp(note.data() + 12, "Go\0", 4) == 0) return true;
    }
    return false;
}

std::string program_of(std::int32_t pid)
{
    std::array<char, 1024> target;
    const ssize_t length = ::readlink(fmt::format("/proc/{}/exe", pid).c_str(), target.data(), target.size());
    const std::string path(target.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
    return path.substr(path.rfind('/') + 1);
}

} // namespace

std::optional<DumpSignal> dump_signal(const RuntimeMarks& marks)
{
    if (marks.program == "java" && catches(marks, SIGQUIT) && !has_entry(marks.command_line, "-Xrs"))
        return DumpSignal{"java", SIGQUIT, false};
    if (marks.program == "node" && catches(marks, SIGUSR2) && has_entry(marks.command_line, "--report-on-signal"))
        return DumpSignal{"node", SIGUSR2, false};
    if (marks.is_go && catches(marks, SIGQUIT)) return DumpSignal{"go", SIGQUIT, true};
    const bool faulthandler = has_variable(marks.environment, "PYTHONFAULTHANDLER") ||
                              has_entry(marks.command_line, "faulthandler") || has_entry(marks.command_line, "-Xfaulthandler");
    if (marks.program.starts_with("python") && faulthandler && catches(marks, SIGABRT)) return DumpSignal{"python", SIGABRT, true};
    return std::nullopt;
}

std::optional<core::DumpAsked> dump_stacks(const ProcStat& process, bool going_to_be_killed)
{
    const ProcDir proc;
    const std::int32_t pid = process.key.pid;
    const std::string program = program_of(pid);
    const std::string command = proc.read(pid, "cmdline", 64 * 1024), environment = proc.read(pid, "environ", 256 * 1024);
    RuntimeMarks marks{program, command, environment, caught_by(proc, pid), false};
    if (catches(marks, SIGQUIT)) {
        const Fd executable = proc.open(pid, "exe", O_RDONLY | O_NONBLOCK);
        marks.is_go = executable && has_go_note(executable.get());
    }
    const auto signal = dump_signal(marks);
    if (!signal || (signal->ends_it && !going_to_be_killed)) return std::nullopt;
    const auto sent = send_signal(process.key, signal->signal);
    if (!sent || !*sent) return std::nullopt;
    return core::DumpAsked{pid, printable(process.comm), signal->runtime, signal->signal};
}

} // namespace bgt::os
