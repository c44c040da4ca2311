#include "support/process.hpp"

#include "support/eventually.hpp"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/syscall.h>
#include <unistd.h>

namespace bgt::test {
namespace {

namespace fs = std::filesystem;

std::string read_proc(pid_t pid, const char* name)
{
    std::ifstream file("/proc/" + std::to_string(pid) + "/" + name, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

/// The fields of /proc/PID/stat from the state on (the name before it can hold any byte).
std::string stat_after_name(pid_t pid)
{
    const std::string text = read_proc(pid, "stat");
    const std::size_t end = text.rfind(") ");
    return end == std::string::npos ? std::string() : text.substr(end + 2);
}

bool has_mark(pid_t pid, const std::string& mark)
{
    for (const std::string& entry : environment_of(pid))
        if (entry.find(mark) != std::string::npos) return true;
    for (const std::string& entry : descriptors_of(pid))
        if (entry.find(mark) != std::string::npos) return true;
    return false;
}

/// By a pidfd that was opened before the last look: never another process with its pid.
void kill_if_marked(pid_t pid, const std::string& mark)
{
    const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
    if (pidfd < 0) return;
    if (has_mark(pid, mark)) syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0);
    close(pidfd);
}

} // namespace

char state_of(pid_t pid)
{
    const std::string fields = stat_after_name(pid);
    return fields.empty() ? '\0' : fields.front();
}

bool is_alive(pid_t pid)
{
    const char state = state_of(pid);
    return state != '\0' && state != 'Z' && state != 'X';
}

pid_t parent_of(pid_t pid)
{
    std::istringstream fields(stat_after_name(pid));
    char state = 0;
    pid_t parent = 0;
    fields >> state >> parent;
    return parent;
}

std::vector<std::string> environment_of(pid_t pid)
{
    std::vector<std::string> entries;
    std::istringstream text(read_proc(pid, "environ"));
    for (std::string entry; std::getline(text, entry, '\0');) entries.push_back(entry);
    return entries;
}

std::vector<std::string> descriptors_of(pid_t pid)
{
    std::vector<std::string> out;
    std::error_code error;
    fs::directory_iterator entries("/proc/" + std::to_string(pid) + "/fd", error);
    for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
        std::error_code gone;
        const fs::path target = fs::read_symlink(entries->path(), gone);
        if (!gone) out.push_back(entries->path().filename().string() + " " + target.string());
    }
    return out;
}

std::vector<pid_t> all_pids()
{
    std::vector<pid_t> pids;
    for (const auto& entry : fs::directory_iterator("/proc")) {
        const std::string name = entry.path().filename().string();
        pid_t pid = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (error == std::errc() && end == name.data() + name.size() && pid != getpid())
            pids.push_back(pid);
    }
    return pids;
}

std::vector<pid_t> descendants_of(pid_t ancestor)
{
    std::vector<pid_t> found{ancestor};
    std::vector<std::pair<pid_t, pid_t>> parents;
    for (const pid_t pid : all_pids()) parents.emplace_back(pid, parent_of(pid));
    for (std::size_t i = 0; i < found.size(); ++i)
        for (const auto& [pid, parent] : parents)
            if (parent == found[i] && is_alive(pid)) found.push_back(pid);
    found.erase(found.begin());
    return found;
}

std::vector<pid_t> find_marked(const std::string& mark)
{
    std::vector<pid_t> pids = all_pids();
    std::erase_if(pids, [&](pid_t pid) { return !has_mark(pid, mark) || !is_alive(pid); });
    return pids;
}

std::vector<pid_t> find_task_members(const std::string& mark)
{
    std::vector<pid_t> pids = all_pids();
    std::erase_if(pids, [&](pid_t pid) {
        const std::vector<std::string> env = environment_of(pid);
        const bool in_task = std::any_of(env.begin(), env.end(), [](const std::string& e) {
            return e.starts_with("BGT_COOKIE=");
        });
        const bool marked = std::any_of(env.begin(), env.end(), [&](const std::string& e) {
            return e.find(mark) != std::string::npos;
        });
        return !in_task || !marked || !is_alive(pid);
    });
    return pids;
}

void kill_marked(const std::string& mark)
{
    eventually(5s, [&] {
        const std::vector<pid_t> pids = find_marked(mark);
        for (const pid_t pid : pids) kill_if_marked(pid, mark);
        return pids.empty();
    });
}

} // namespace bgt::test
