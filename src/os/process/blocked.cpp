#include <bgt/os/blocked.hpp>

#include <bgt/base/text.hpp>
#include <bgt/os/proc.hpp>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <fstream>
#include <set>
#include <utility>

namespace bgt::os {
namespace {

struct StatusFile {
    std::int32_t tracer = 0;
    std::uint32_t owner = 0;
};

std::uint32_t number_in(const std::string& line)
{
    const auto from = std::min(line.find_first_of("0123456789"), line.size());
    std::uint32_t value = 0;
    std::from_chars(line.data() + from, line.data() + line.size(), value);
    return value;
}

/// man 5 proc_pid_status
StatusFile read_status_file(std::int32_t pid)
{
    StatusFile out;
    std::ifstream file("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("TracerPid:")) out.tracer = static_cast<std::int32_t>(number_in(line));
        if (line.starts_with("Uid:")) out.owner = number_in(line);
    }
    return out;
}

std::string name_of(std::int32_t pid)
{
    const auto stat = read_stat(pid);
    return stat ? printable(stat->comm) : std::string("a process");
}

std::string why(const ProcStat& process)
{
    const StatusFile status = read_status_file(process.key.pid);
    const bool zombie = process.state == 'Z' || process.state == 'X';
    if (status.tracer > 0) {
        const std::string tracer =
            name_of(status.tracer) + " (pid " + std::to_string(status.tracer) + ")";
        return zombie ? "a zombie that " + tracer + " holds, which traces it"
                      : "traced by " + tracer;
    }
    if (zombie)
        return "a zombie of " + name_of(process.ppid) + " (pid " + std::to_string(process.ppid) +
               ")";
    if (process.state == 'D') return "waits in the kernel (state D)";
    if (::kill(process.key.pid, 0) != 0 && errno == EPERM)
        return "not permitted (owner " +
               (status.owner == 0 ? "root" : "uid " + std::to_string(status.owner)) + ")";
    return {};
}

} // namespace

Blocked why_not_ended(std::int32_t pid)
{
    const auto stat = read_stat(pid);
    if (!stat) return {pid, {}, {}};
    return {pid, printable(stat->comm), why(*stat)};
}

std::string to_string(const Blocked& process)
{
    return "pid " + std::to_string(process.pid) +
           (process.name.empty() ? "" : " (" + process.name + ")") +
           (process.why.empty() ? "" : ": " + process.why);
}

std::string survivor_words(const std::vector<std::int32_t>& pids)
{
    std::string list;
    for (const auto pid : pids) list += (list.empty() ? "" : "; ") + to_string(why_not_ended(pid));
    return std::to_string(pids.size()) + (pids.size() == 1 ? " process is" : " processes are") +
           " not ended by SIGKILL: " + list;
}

std::vector<Blocked> still_there(const ProcessKey& supervisor)
{
    std::vector<Blocked> out;
    const auto all = all_processes();
    std::set<std::int32_t> below{supervisor.pid};
    for (bool found = true; std::exchange(found, false);)
        for (const auto& process : all)
            if (below.contains(process.ppid) && below.insert(process.key.pid).second) {
                out.push_back({process.key.pid, printable(process.comm), why(process)});
                found = true;
            }
    return out;
}

} // namespace bgt::os
