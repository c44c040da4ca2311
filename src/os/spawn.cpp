#include <bgt/os/spawn.hpp>

#include <bgt/os/proc.hpp>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __SANITIZE_THREAD__
// ThreadSanitizer puts fork(2) in the place of vfork(2): nothing that the child tells would reach its parent.
extern "C" pid_t __vfork() noexcept;
#define vfork __vfork
#endif

namespace bgt::os {
namespace {

/// What the child was doing when it failed.
enum class Stage { none, directory, limit, nice, descriptors, exec };

/// What the child tells through memory that vfork shares.
struct Told {
    volatile Stage stage = Stage::none;
    volatile int err = 0;
    char stat[1024];             ///< /proc/PID/stat of the child itself
    volatile ssize_t stat_size = 0;
};

/// All that the child needs, made before the fork: between vfork and exec nothing may allocate.
struct Plan {
    const SpawnRequest& request;
    std::vector<char*> argv;
    std::vector<char*> env;
    std::vector<char*> shell_argv;        ///< /bin/sh FILE ARGS..., for a script without `#!`
    std::vector<std::string> candidates;  ///< paths to try in turn
    std::vector<std::pair<int, rlimit>> limits;
};

std::vector<char*> pointers(const std::vector<std::string>& words)
{
    std::vector<char*> out;
    out.reserve(words.size() + 1);
    for (const std::string& word : words) out.push_back(const_cast<char*>(word.c_str()));
    out.push_back(nullptr);
    return out;
}

std::string_view path_of(const std::vector<std::string>& env)
{
    for (const std::string& entry : env)
        if (entry.starts_with("PATH=")) return std::string_view(entry).substr(5);
    return "/usr/local/bin:/usr/bin:/bin";
}

/// Where execvp would look. A name with a slash is taken as it stands.
std::vector<std::string> candidates_for(const std::string& command, std::string_view path)
{
    if (command.empty()) return {}; // and not the folders of PATH
    if (command.find('/') != std::string::npos) return {command};
    std::vector<std::string> out;
    while (true) {
        const std::size_t colon = path.find(':');
        const std::string_view folder = path.substr(0, colon);
        out.push_back(folder.empty() ? command : fmt::format("{}/{}", folder, command));
        if (colon == std::string_view::npos) break;
        path.remove_prefix(colon + 1);
    }
    return out;
}

[[noreturn]] void give_up(Told& told, Stage stage)
{
    told.err = errno;
    told.stage = stage;
    _exit(127);
}

void reset_signals()
{
    struct sigaction defaults{};
    defaults.sa_handler = SIG_DFL;
    for (int signal = 1; signal < NSIG; ++signal) sigaction(signal, &defaults, nullptr);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// A descriptor that already has its number would keep close-on-exec through dup2.
bool place(int fd, int number)
{
    return fd == number ? fcntl(fd, F_SETFD, 0) == 0 : dup2(fd, number) == number;
}

/// execvp's rules: what is not there is passed over, what may not be run is remembered, a text file goes to /bin/sh.
int exec_first(Plan& plan)
{
    int result = ENOENT;
    for (const std::string& candidate : plan.candidates) {
        execve(candidate.c_str(), plan.argv.data(), plan.env.data());
        if (errno == ENOEXEC) {
            plan.shell_argv[1] = const_cast<char*>(candidate.c_str());
            execve("/bin/sh", plan.shell_argv.data(), plan.env.data());
            return ENOEXEC;
        }
        if (errno == EACCES) result = EACCES;
        else if (errno != ENOENT && errno != ENOTDIR) return errno;
    }
    return result;
}

/// Its start time, which exec leaves as it is. Asked from outside it would have to wait until the exec is over: the kernel holds
/// a lock of the process till then (signal->exec_update_lock).
void tell_start(Told& told)
{
    const int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    told.stat_size = read(fd, told.stat, sizeof told.stat);
    close(fd);
}

[[noreturn]] void run_child(Plan& plan, Told& told)
{
    const SpawnRequest& request = plan.request;
    setsid();
    umask(request.umask);
    if (!place(request.stdin_fd, 0) || !place(request.stdout_fd, 1) || !place(request.stderr_fd, 2))
        give_up(told, Stage::descriptors);
    if (chdir(request.cwd.c_str()) != 0) give_up(told, Stage::directory);
    if (request.nice) {
        errno = 0;
        if (setpriority(PRIO_PROCESS, 0, *request.nice) != 0) give_up(told, Stage::nice);
    }
    for (const auto& [resource, limit] : plan.limits)
        if (setrlimit(static_cast<__rlimit_resource_t>(resource), &limit) != 0) give_up(told, Stage::limit);
    reset_signals();
    tell_start(told);
    errno = exec_first(plan);
    give_up(told, Stage::exec);
}

/// Apart from spawn(), so that nothing the child touches lives in the frame that the parent goes on with.
__attribute__((noinline)) pid_t vfork_child(Plan& plan, Told& told)
{
    const pid_t pid = vfork();
    if (pid == 0) run_child(plan, told);
    return pid;
}

bool is_folder(const std::vector<std::string>& candidates)
{
    struct stat info{};
    return candidates.size() == 1 && stat(candidates.front().c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

Error exec_error(const Plan& plan, int err)
{
    const std::string& command = plan.request.argv.front();
    if (err == ENOENT && plan.candidates.size() == 1 && access(plan.candidates.front().c_str(), F_OK) == 0)
        return {ErrorKind::no_command, fmt::format("{}: the interpreter in its first line was not found", command), err};
    if (err == ENOENT || err == ENOTDIR) {
        const char* where = command.find('/') == std::string::npos ? " in PATH" : "";
        return {ErrorKind::no_command, fmt::format("{}: command not found{}", command.empty() ? "''" : command, where), err};
    }
    if (err == EACCES && is_folder(plan.candidates))
        return {ErrorKind::cannot_exec, fmt::format("{}: is a folder, not a command", command), err};
    if (err == EACCES) {
        return {ErrorKind::cannot_exec, fmt::format("{}: not executable (chmod +x it, or check its folder)", command), err};
    }
    if (err == E2BIG)
        return {ErrorKind::cannot_exec, fmt::format("{}: the arguments and the environment are too long together", command), err};
    return {ErrorKind::cannot_exec, fmt::format("{}: {}", command, std::strerror(err)), err};
}

Error to_error(const Plan& plan, const Told& told)
{
    const int err = told.err;
    switch (told.stage) {
    case Stage::directory: return Error::system(fmt::format("working directory {}", plan.request.cwd), err);
    case Stage::limit: return Error::system("a resource limit could not be set", err);
    case Stage::nice: return Error::system(fmt::format("nice value {}", *plan.request.nice), err);
    case Stage::descriptors: return Error::system("standard input or output of the command", err);
    case Stage::exec: return exec_error(plan, err);
    case Stage::none: break;
    }
    return Error::failed("the command could not be started");
}

/// 0: it could not be read.
std::uint64_t start_ticks(const Told& told)
{
    if (told.stat_size <= 0) return 0;
    const auto stat = parse_stat({told.stat, static_cast<std::size_t>(told.stat_size)});
    return stat ? stat->key.start_ticks : 0;
}

} // namespace

std::optional<int> resource_of(std::string_view name)
{
    static constexpr std::pair<std::string_view, int> known[] = {
        {"as", RLIMIT_AS},         {"core", RLIMIT_CORE},   {"cpu", RLIMIT_CPU},     {"data", RLIMIT_DATA},
        {"fsize", RLIMIT_FSIZE},   {"memlock", RLIMIT_MEMLOCK}, {"nofile", RLIMIT_NOFILE}, {"nproc", RLIMIT_NPROC},
        {"rttime", RLIMIT_RTTIME}, {"stack", RLIMIT_STACK},
    };
    for (const auto& [known_name, number] : known)
        if (known_name == name) return number;
    return std::nullopt;
}

Result<store::ProcessKey> spawn(const SpawnRequest& request)
{
    Plan plan{request, pointers(request.argv), pointers(request.env), {}, {}, {}};
    plan.candidates = candidates_for(request.argv.front(), path_of(request.env));
    plan.shell_argv = {const_cast<char*>("/bin/sh"), nullptr};
    plan.shell_argv.insert(plan.shell_argv.end(), plan.argv.begin() + 1, plan.argv.end());
    for (const store::ResourceLimit& limit : request.limits) {
        const std::optional<int> resource = resource_of(limit.name);
        if (!resource) return Error::usage(fmt::format("unknown resource limit '{}'", limit.name));
        plan.limits.push_back({*resource, rlimit{limit.value, limit.value}});
    }
    Told told;
    const pid_t pid = vfork_child(plan, told);
    if (pid < 0) return Error::system("no process could be made", errno);
    if (told.stage == Stage::none) return store::ProcessKey{pid, start_ticks(told)};
    // It has called _exit: reap it, so that nobody mistakes it for a child of the task.
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {}
    return to_error(plan, told);
}

} // namespace bgt::os
