#include <bgt/os/beside.hpp>

#include "no_process.hpp"

#include <bgt/os/proc.hpp>
#include <bgt/os/proc_dir.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <sched.h>
#include <string_view>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace bgt::os {
namespace {

constexpr std::size_t max_status_size = 1u << 20; ///< 65536 groups take less
constexpr int max_depth = 1000;

/// "bgt:17", not "bgt:helper".
bool is_supervisor(std::string_view comm)
{
    constexpr std::string_view prefix = "bgt:";
    if (!comm.starts_with(prefix) || comm.size() == prefix.size()) return false;
    return std::ranges::all_of(comm.substr(prefix.size()),
                               [](char c) { return c >= '0' && c <= '9'; });
}

/// The line "NAME: ..." of /proc/PID/status; empty: it has none.
std::string_view line_of(std::string_view text, std::string_view name)
{
    for (std::size_t at = text.find(name); at != text.npos; at = text.find(name, at + 1))
        if ((at == 0 || text[at - 1] == '\n') && text.substr(at + name.size()).starts_with(':'))
            return text.substr(at, text.find('\n', at) - at);
    return {};
}

struct Field {
    std::string_view name; ///< in /proc/PID/status
    const char* words;
};
constexpr std::array fields{Field{"Uid", "user"},
                            Field{"Gid", "group"},
                            Field{"Groups", "groups"},
                            Field{"NoNewPrivs", "no_new_privs"},
                            Field{"Seccomp", "seccomp"},
                            Field{"Seccomp_filters", "seccomp"},
                            Field{"CapInh", "capabilities"},
                            Field{"CapPrm", "capabilities"},
                            Field{"CapEff", "capabilities"},
                            Field{"CapBnd", "capabilities"},
                            Field{"CapAmb", "capabilities"}};

constexpr std::array<const char*, 9> namespaces{"mnt", "pid", "pid_for_children", "net", "user",
                                                "ipc", "uts", "cgroup",           "time"};

bool have_same_root(std::int32_t one, std::int32_t other)
{
    struct stat a {
    }, b{};
    const auto root = [](std::int32_t pid) { return "/proc/" + std::to_string(pid) + "/root/."; };
    const int first = ::stat(root(one).c_str(), &a), second = ::stat(root(other).c_str(), &b);
    return first == second && (first != 0 || (a.st_dev == b.st_dev && a.st_ino == b.st_ino));
}

} // namespace

Result<void> fork_beside(const std::function<void()>& body)
{
    const long pid = ::syscall(SYS_clone, CLONE_PARENT | SIGCHLD, nullptr, nullptr, nullptr, 0);
    if (pid < 0) return no_process_error("no process could be made beside this one (clone)", errno);
    if (pid > 0) return {};
    body();
    ::_exit(0);
}

std::optional<std::int32_t> supervisor_above(std::int32_t pid)
{
    const ProcDir proc;
    for (int depth = 0; depth < max_depth; ++depth) {
        const auto here = proc.stat(pid);
        if (!here || here->ppid <= 0) return std::nullopt;
        const auto above = proc.stat(here->ppid);
        if (!above) return std::nullopt;
        if (is_supervisor(above->comm)) return above->key.pid;
        pid = here->ppid;
    }
    return std::nullopt;
}

std::optional<std::string> confined_otherwise(std::int32_t one, std::int32_t other)
{
    const ProcDir proc;
    const std::string a = proc.read(one, "status", max_status_size),
                      b = proc.read(other, "status", max_status_size);
    if (a.empty() || b.empty()) return "what /proc/PID/status says";
    for (const Field& field : fields)
        if (line_of(a, field.name) != line_of(b, field.name)) return field.words;
    for (const char* kind : namespaces)
        if (namespace_of(one, kind) != namespace_of(other, kind))
            return std::string(kind) + " namespace";
    if (!have_same_root(one, other)) return "root folder";
    if (proc.read(one, "attr/current", 4096) != proc.read(other, "attr/current", 4096))
        return "security label";
    return std::nullopt;
}

void hide_variable(const char* name)
{
    const std::string prefix = std::string(name) + "=";
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
        if (std::string_view(*entry).starts_with(prefix))
            std::memset(*entry, 'x', std::strlen(*entry));
}

} // namespace bgt::os
