#include <bgt/os/spawn.hpp>

#include "no_process.hpp"

#include <bgt/base/descriptor.hpp>
#include <bgt/base/text.hpp>
#include <bgt/os/caller_limits.hpp>
#include <bgt/os/proc.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __SANITIZE_THREAD__
// ThreadSanitizer puts fork(2) in the place of vfork(2): nothing that the child tells would reach
// its parent.
extern "C" pid_t __vfork() noexcept;
#define vfork __vfork
#endif

namespace bgt::os {
namespace {

/// What the child was doing when it failed.
enum class Stage { none, directory, limit, nice, descriptors, log, exec };

/// What the child tells through memory that vfork shares.
struct ChildReport {
    volatile Stage stage = Stage::none;
    volatile int err = 0;
    volatile std::uint64_t start_ticks = 0;
};

/// All that the child needs, made before the fork: between vfork and exec nothing may allocate.
struct Plan {
    const SpawnRequest& request;
    std::vector<char*> argv;
    std::vector<char*> env;
    std::vector<char*> shell_argv;       ///< /bin/sh FILE ARGS..., for a script without `#!`
    std::vector<std::string> candidates; ///< paths to try in turn
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

[[noreturn]] void give_up(ChildReport& report, Stage stage)
{
    report.err = errno;
    report.stage = stage;
    _exit(127);
}

void reset_signals()
{
    struct sigaction defaults {};
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

/// Programs choose the lowest free number, bash 255 and, for `<(command)`, those from 63 down;
/// scripts like 9, 99 and 200.
constexpr int held_from = 230;

/// Where fewer descriptors are allowed, the highest possible number has to do.
bool hold_open(const char* fifo)
{
    const int fd = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return false;
    if (fcntl(fd, F_DUPFD, held_from) >= 0) return true;
    rlimit limit{};
    if (errno != EINVAL || getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
    for (int number = static_cast<int>(limit.rlim_cur) - 1; number > STDERR_FILENO; --number)
        if (fcntl(fd, F_DUPFD, number) >= 0) return true;
    return false;
}

/// A program for another machine, say: its first line holds a NUL byte. Nothing else goes to a
/// shell.
bool is_text(const char* path)
{
    char begin[256];
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return true; // what may only be executed can't be told
    const ssize_t size = read(fd, begin, sizeof begin);
    close(fd);
    if (size <= 0) return true;
    const auto* newline =
        static_cast<const char*>(std::memchr(begin, '\n', static_cast<std::size_t>(size)));
    const auto line = newline != nullptr ? static_cast<std::size_t>(newline - begin)
                                         : static_cast<std::size_t>(size);
    return std::memchr(begin, '\0', line) == nullptr;
}

/// Asked first, as execve(2) copies all arguments and the environment before it looks for the file.
bool is_missing(const std::string& path)
{
    return access(path.c_str(), F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

/// execvp's rules: what is not there is passed over, what may not be run is remembered, a text file
/// goes to /bin/sh.
int exec_first(Plan& plan)
{
    int result = ENOENT;
    for (const std::string& candidate : plan.candidates) {
        if (plan.candidates.size() > 1 && is_missing(candidate)) continue;
        execve(candidate.c_str(), plan.argv.data(), plan.env.data());
        if (errno == ENOEXEC && is_text(candidate.c_str())) {
            plan.shell_argv[1] = const_cast<char*>(candidate.c_str());
            execve("/bin/sh", plan.shell_argv.data(), plan.env.data());
            return ENOEXEC;
        }
        if (errno == EACCES) result = EACCES;
        else if (errno != ENOENT && errno != ENOTDIR) return errno;
    }
    return result;
}

/// Field 22 of /proc/PID/stat (man 5 proc); the name in field 2 is taken up to the last `)`. 0: not
/// of that form.
std::uint64_t start_in(std::string_view stat)
{
    const std::size_t name_end = stat.rfind(')');
    if (name_end == stat.npos) return 0;
    std::size_t at = name_end;
    for (int field = 2; field < 22; ++field) {
        at = stat.find(' ', at);
        if (at == stat.npos) return 0;
        ++at;
    }
    std::uint64_t ticks = 0;
    for (; at < stat.size() && stat[at] >= '0' && stat[at] <= '9'; ++at)
        ticks = ticks * 10 + static_cast<std::uint64_t>(stat[at] - '0');
    return ticks;
}

/// Its start time, which exec leaves as it is. Asked from outside it would have to wait until the
/// exec is over: the kernel holds a lock of the process till then (signal->exec_update_lock).
std::uint64_t own_start()
{
    char stat[1024];
    const int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    const ssize_t size = read(fd, stat, sizeof stat);
    close(fd);
    return size > 0 ? start_in({stat, static_cast<std::size_t>(size)}) : 0;
}

/// The command is not executed after it was logged that it is.
[[noreturn]] void take_back(Plan& plan, ChildReport& report, Stage stage)
{
    report.err = errno;
    report.stage = stage;
    signal(SIGXFSZ, SIG_IGN); // the command's own limit may forbid to write
    if (plan.request.log != nullptr) plan.request.log->exec_failed();
    _exit(127);
}

[[noreturn]] void run_child(Plan& plan, ChildReport& report)
{
    const SpawnRequest& request = plan.request;
    setsid();
    umask(request.umask);
    for (const char* fifo :
         request.held_fifos) // before 0-2 are replaced, which the path may lead by
        if (fifo != nullptr && !hold_open(fifo)) give_up(report, Stage::descriptors);
    if (!place(request.stdin_fd, 0) || !place(request.stdout_fd, 1) || !place(request.stderr_fd, 2))
        give_up(report, Stage::descriptors);
    if (chdir(request.cwd.c_str()) != 0) give_up(report, Stage::directory);
    if (request.nice) {
        errno = 0;
        if (setpriority(PRIO_PROCESS, 0, *request.nice) != 0) give_up(report, Stage::nice);
    }
    report.start_ticks = own_start();
    // Before limits and signals become the command's: its limit on files is none for the log.
    if (request.log != nullptr) {
        errno = request.log->about_to_exec(getpid(), report.start_ticks);
        if (errno != 0) give_up(report, Stage::log);
    }
    restore_limits();
    for (const auto& [resource, limit] : plan.limits)
        if (setrlimit(static_cast<__rlimit_resource_t>(resource), &limit) != 0)
            take_back(plan, report, Stage::limit);
    reset_signals();
    errno = exec_first(plan);
    take_back(plan, report, Stage::exec);
}

/// Apart from spawn(), so that nothing the child touches lives in the frame that the parent goes on
/// with.
__attribute__((noinline)) pid_t vfork_child(Plan& plan, ChildReport& report)
{
    const pid_t pid = vfork();
    if (pid == 0) run_child(plan, report);
    return pid;
}

/// Of a command that is named by its path: where that leads from the folder to run in.
std::string place_of(const std::string& path, const std::string& cwd)
{
    return path.starts_with('/') ? path : cwd + "/" + path;
}

/// What `#!` names in the first line of a script; empty: nothing.
std::string interpreter_of(const std::string& place)
{
    char begin[256] = {};
    const Fd fd{open(place.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (!fd || read(fd.get(), begin, sizeof begin - 1) < 2 || begin[0] != '#' || begin[1] != '!')
        return {};
    std::string_view line(begin + 2);
    line = line.substr(0, line.find('\n'));
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    return printable(line.substr(0, line.find_first_of(" \t")));
}

Error exec_error(const std::string& argv0, const std::string& cwd, int err)
{
    const std::string command = printable(argv0);
    const bool is_path = argv0.find('/') != std::string::npos;
    const std::string place = place_of(argv0, cwd);
    struct stat info {};
    const bool is_there = is_path && stat(place.c_str(), &info) == 0;
    if (err == ENOENT && is_there) {
        const std::string interpreter = interpreter_of(place);
        if (interpreter.empty())
            return {ErrorKind::no_command,
                    fmt::format("{}: its loader was not found (man 8 ld.so)", command), err};
        return {ErrorKind::no_command,
                fmt::format("{}: {}, the interpreter in its first line, was not found", command,
                            interpreter),
                err};
    }
    if (err == ENOENT || err == ENOTDIR) {
        const char* where = is_path ? "" : " in PATH";
        return {ErrorKind::no_command,
                fmt::format("{}: command not found{}", command.empty() ? "''" : command, where),
                err};
    }
    struct statvfs mounted {};
    const bool may_run =
        err == EACCES && is_there && S_ISREG(info.st_mode) && (info.st_mode & 0111) != 0;
    if (may_run && statvfs(place.c_str(), &mounted) == 0 && (mounted.f_flag & ST_NOEXEC) != 0)
        return {ErrorKind::cannot_exec,
                fmt::format("{}: its file system is mounted noexec: run the interpreter of a "
                            "script (sh {}), or copy it elsewhere",
                            command, command),
                err};
    if (err == EACCES && is_there && S_ISDIR(info.st_mode))
        return {ErrorKind::cannot_exec, fmt::format("{}: is a folder, not a command", command),
                err};
    if (err == EACCES) {
        return {ErrorKind::cannot_exec,
                fmt::format("{}: not executable (chmod +x it, or check its folder)", command), err};
    }
    if (err == E2BIG)
        return {ErrorKind::cannot_exec,
                fmt::format("{}: the arguments and the environment are too long together", command),
                err};
    return {ErrorKind::cannot_exec, fmt::format("{}: {}", command, std::strerror(err)), err};
}

Error to_error(const Plan& plan, const ChildReport& report)
{
    const int err = report.err;
    switch (report.stage) {
    case Stage::directory:
        return Error::system(fmt::format("working directory {}", printable(plan.request.cwd)), err);
    case Stage::limit: return Error::system("a resource limit could not be set", err);
    case Stage::nice: return Error::system(fmt::format("nice value {}", *plan.request.nice), err);
    case Stage::descriptors: return Error::system("standard input or output of the command", err);
    case Stage::log: return Error::system("the start could not be put on record", err);
    case Stage::exec: return exec_error(plan.request.argv.front(), plan.request.cwd, err);
    case Stage::none: break;
    }
    return Error::failed("the command could not be started");
}

} // namespace

std::optional<int> resource_of(std::string_view name)
{
    static constexpr std::pair<std::string_view, int> known[] = {
        {"as", RLIMIT_AS},         {"core", RLIMIT_CORE},   {"cpu", RLIMIT_CPU},
        {"data", RLIMIT_DATA},     {"fsize", RLIMIT_FSIZE}, {"memlock", RLIMIT_MEMLOCK},
        {"nofile", RLIMIT_NOFILE}, {"nproc", RLIMIT_NPROC}, {"rttime", RLIMIT_RTTIME},
        {"stack", RLIMIT_STACK},
    };
    for (const auto& [known_name, number] : known)
        if (known_name == name) return number;
    return std::nullopt;
}

namespace {

/// Some sandboxes refuse the system call that knows AT_EACCESS with EPERM, which is no answer.
bool may_execute(const std::string& path)
{
    if (faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0) return true;
    return errno == EPERM && access(path.c_str(), X_OK) == 0;
}

} // namespace

Result<void> check_command(const std::string& argv0, const std::vector<std::string>& env,
                           const std::string& cwd)
{
    int result = ENOENT;
    for (const std::string& candidate : candidates_for(argv0, path_of(env))) {
        const std::string place = place_of(candidate, cwd);
        struct stat info {};
        if (stat(place.c_str(), &info) != 0) {
            const int err = errno;
            if (err == EACCES) result = EACCES;
            else if (err == EIO || err == ENOMEM)
                return Error::system(printable(argv0), err); // it may well be there
            else if (err != ENOENT && err != ENOTDIR) return exec_error(argv0, cwd, err);
        } else if (S_ISREG(info.st_mode) && may_execute(place)) {
            return {};
        } else {
            result = EACCES;
        }
    }
    return exec_error(argv0, cwd, result);
}

Result<ProcessKey> spawn(const SpawnRequest& request)
{
    Plan plan{request, pointers(request.argv), pointers(request.env), {}, {}, {}};
    plan.candidates = candidates_for(request.argv.front(), path_of(request.env));
    plan.shell_argv = {const_cast<char*>("/bin/sh"), nullptr};
    plan.shell_argv.insert(plan.shell_argv.end(), plan.argv.begin() + 1, plan.argv.end());
    for (const ResourceLimit& limit : request.limits) {
        const std::optional<int> resource = resource_of(limit.name);
        if (!resource) return Error::usage(fmt::format("unknown resource limit '{}'", limit.name));
        plan.limits.push_back({*resource, rlimit{limit.value, limit.value}});
    }
    ChildReport report;
    const pid_t pid = vfork_child(plan, report);
    if (pid < 0) return no_process_error("no process could be made (vfork)", errno);
    if (report.stage == Stage::none) return ProcessKey{pid, report.start_ticks};
    // It has called _exit: reap it, so that nobody mistakes it for a child of the task.
    retry_on_eintr([&] { return waitpid(pid, nullptr, 0); });
    return to_error(plan, report);
}

} // namespace bgt::os
