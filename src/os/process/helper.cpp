#include <bgt/os/helper.hpp>

#include <bgt/base/descriptor.hpp>
#include <bgt/base/fd.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/proc_dir.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/process/v2/process.hpp>
#include <boost/process/v2/stdio.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace bgt::os {

namespace {

namespace process = boost::process::v2;
using ErrorCode = boost::system::error_code;
constexpr std::size_t max_output = 64 * 1024;

/// Marks all descriptors but 0 to 2 close-on-exec. Process v2 1.81 closes only those above its own
/// error pipe (it compares each kept descriptor with itself), and none on a kernel without
/// close_range (before 5.9).
void mark_close_on_exec()
{
    constexpr unsigned close_range_cloexec = 1u << 2; // CLOSE_RANGE_CLOEXEC, Linux 5.11
    if (::syscall(SYS_close_range, 3u, ~0u, close_range_cloexec) == 0) return;
    const Fd folder(::open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder) return;
    for (const int fd : numeric_entries(folder.get()))
        if (fd > STDERR_FILENO) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/// What Process v2 leaves to its user: the child's own group, a clean set of signals, no stray
/// descriptor.
struct CleanChild {
    template <class Launcher, class Path, class Argv>
    ErrorCode on_exec_setup(Launcher&, const Path&, const Argv&)
    {
        ::setpgid(0, 0);
        mark_close_on_exec();
        for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
        sigset_t none;
        ::sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        return {};
    }
    /// After this the launcher would call exit(), which prints the parent's buffered output a
    /// second time.
    template <class... Any>
    void on_exec_error(Any&&...)
    {
        ::_exit(127);
    }
};

/// Kills what was started when the launcher throws after its fork, and on every early return.
class Child {
public:
    explicit Child(pid_t pid) : pid_(pid) {}
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child()
    {
        if (pid_ > 0) static_cast<void>(kill_and_reap());
    }
    int kill_and_reap()
    {
        ::kill(-pid_, SIGKILL); // not reaped yet, so pid and group are still its own
        ::kill(pid_, SIGKILL);
        return reap();
    }
    /// The status of waitpid, -1 when somebody else took it.
    int reap()
    {
        int status = -1;
        const pid_t got = retry_on_eintr([&] { return ::waitpid(pid_, &status, 0); });
        pid_ = -1;
        return got < 0 ? -1 : status;
    }

private:
    pid_t pid_;
};

int milliseconds_until(Instant deadline)
{
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now()).count();
    return static_cast<int>(std::clamp<long long>(left, 0, 3'600'000));
}

/// Reads what is there; false at the end of file.
bool read_output(int fd, std::string& output)
{
    std::array<char, 4096> buffer;
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0) return errno == EINTR || errno == EAGAIN;
    const std::size_t room = max_output - output.size();
    output.append(buffer.data(), std::min(room, static_cast<std::size_t>(got)));
    return got > 0;
}

/// Whether the child has ended; it stays to be reaped.
bool has_ended(pid_t pid)
{
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
           info.si_pid != 0;
}

/// Until the process has ended, keeping what it writes meanwhile; false when the deadline came
/// first. Where a sandbox has no pidfds, it is looked at again and again.
bool wait_for_end(pid_t pid, int pidfd, int output_fd, std::string& output, Instant deadline)
{
    constexpr int between_looks_ms = 10;
    for (;;) {
        std::array<pollfd, 2> polled{
            {{pidfd, POLLIN, 0}, {output_fd, POLLIN, 0}}}; // poll ignores a descriptor of -1
        const int limit = milliseconds_until(deadline);
        const int ready = ::poll(polled.data(), polled.size(),
                                 pidfd < 0 ? std::min(limit, between_looks_ms) : limit);
        if (ready == 0 && pidfd < 0 && has_ended(pid)) return true;
        if (ready < 0 && errno != EINTR) return false;
        if (ready > 0 && polled[1].revents != 0) {
            if (!read_output(output_fd, output)) output_fd = -1;
        } else if (ready > 0 && polled[0].revents != 0) {
            return true; // and the pipe is empty
        }
        if (now() >= deadline) return false;
    }
}

/// In memory, to be read from its beginning (man 2 memfd_create).
Result<Fd> file_of(std::string_view text)
{
    Fd file(static_cast<int>(::syscall(SYS_memfd_create, "bgt-input", 1u))); // MFD_CLOEXEC
    if (!file) return Error::system("can't make a file in memory (memfd_create)", errno);
    if (const int err = write_all(file.get(), text)) return Error::system("can't write", err);
    if (::lseek(file.get(), 0, SEEK_SET) != 0) return Error::system("can't write", errno);
    return file;
}

int code_of(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

Result<HelperEnd> launch_and_wait(process::posix::default_launcher& launcher,
                                  const std::string& executable,
                                  const std::vector<std::string>& arguments, bool keep_output,
                                  Instant deadline, std::string_view input_text)
{
    Pipe output;
    if (keep_output) { BGT_TRY_ASSIGN(output, make_pipe("a pipe for the output")); }
    Fd input;
    if (!input_text.empty()) { BGT_TRY_ASSIGN(input, file_of(input_text)); }
    const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null) return Error::system("can't open /dev/null", errno);
    process::process_stdio stdio;
    stdio.in = input ? input.get() : null.get();
    stdio.out = keep_output ? output.writer.get() : null.get();
    stdio.err = null.get();

    boost::asio::io_context context(1);
    ErrorCode error;
    auto started =
        launcher(context.get_executor(), error, executable, arguments, stdio, CleanChild{});
    if (error) {
        if (launcher.pid > 0) Child(launcher.pid).reap();
        launcher.pid = -1;
        return Error::system("can't run " + executable, error.value());
    }
    Child child(launcher.pid);
    output.writer.reset();
    HelperEnd end;
    static_cast<void>(started.detach()); // reaped below: its destructor must not wait for a pid
                                         // that is no longer ours
    const pid_t pid = std::exchange(launcher.pid, -1); // `child` answers for it
    const Fd pidfd(
        static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))); // Process v2 1.81 hides its own
    const bool ended = wait_for_end(pid, pidfd.get(), output.reader.get(), end.output, deadline);
    const int status = ended ? child.reap() : child.kill_and_reap();
    if (ended && status == -1)
        return Error::failed("the exit code of " + executable + " was taken by another reaper");
    if (ended) end.code = code_of(status);
    return end;
}

} // namespace

Result<HelperEnd> run_helper(const std::string& executable,
                             const std::vector<std::string>& arguments, bool keep_output,
                             Duration timeout, std::string_view input)
{
    process::posix::default_launcher launcher;
    try {
        return launch_and_wait(launcher, executable, arguments, keep_output, now() + timeout,
                               input);
    } catch (const std::exception& problem) {
        if (launcher.pid > 0)
            Child(launcher.pid).kill_and_reap(); // forked, and then no descriptor was to be had
        return Error::failed("can't run " + executable + ": " + problem.what());
    }
}

std::string find_program(std::string_view name)
{
    const char* const path = std::getenv("PATH");
    std::string_view rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
    while (!rest.empty()) {
        const std::string_view folder = rest.substr(0, rest.find(':'));
        rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
        std::string file = std::string(folder).append("/").append(name);
        if (folder.starts_with('/') && ::access(file.c_str(), X_OK) == 0) return file;
    }
    return {};
}

} // namespace bgt::os
