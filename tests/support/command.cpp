#include "support/command.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sstream>
#include <stdexcept>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bgt::test {
namespace {

struct Pipe {
    int read = -1, write = -1;
    Pipe()
    {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
        read = ends[0];
        write = ends[1];
    }
};

void close_fd(int& fd)
{
    if (fd >= 0) close(fd);
    fd = -1;
}

std::vector<char*> pointers(const std::vector<std::string>& texts)
{
    std::vector<char*> out;
    for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
    out.push_back(nullptr);
    return out;
}

[[noreturn]] void become(const Invocation& what, int in, int out, int err)
{
    dup2(in, 0);
    dup2(out, 1);
    dup2(err, 2);
    for (int signal = 1; signal < 32; ++signal) std::signal(signal, SIG_DFL);
    if (!what.cwd.empty() && chdir(what.cwd.c_str()) != 0) _exit(200);
    if (what.in_child) what.in_child();
    std::vector<char*> argv = pointers(what.argv), env = pointers(what.env);
    execvpe(argv[0], argv.data(), env.data());
    const std::string text =
        "test: can't execute " + what.argv[0] + ": " + std::strerror(errno) + "\n";
    if (write(2, text.data(), text.size()) < 0) _exit(202);
    _exit(201);
}

/// Appends what is there; closes the descriptor at its end.
void take(int& fd, std::string& to)
{
    std::array<char, 65536> buffer;
    const ssize_t n = read(fd, buffer.data(), buffer.size());
    if (n > 0) to.append(buffer.data(), static_cast<std::size_t>(n));
    else if (n == 0 || errno != EINTR) close_fd(fd);
}

} // namespace

std::ostream& operator<<(std::ostream& out, const Ran& ran)
{
    return out << "{code " << ran.code << (ran.in_time ? "" : ", NOT IN TIME") << ", "
               << ran.took.count() << " ms, stdout \"" << ran.out.substr(0, 4000) << "\", stderr \""
               << ran.err.substr(0, 4000) << "\"}";
}

Child::Child(const Invocation& what) : input_(what.input.value_or(""))
{
    Pipe in, out, err;
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    pid_ = fork();
    if (pid_ < 0) throw std::runtime_error("fork");
    if (pid_ == 0) become(what, what.input ? in.read : null, out.write, err.write);
    pidfd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
    for (int* fd : {&in.read, &out.write, &err.write, &null}) close_fd(*fd);
    out_fd_ = out.read;
    err_fd_ = err.read;
    if (what.input && !input_.empty()) in_ = in.write;
    else close_fd(in.write);
    if (in_ >= 0) fcntl(in_, F_SETFL, O_NONBLOCK);
    std::signal(SIGPIPE, SIG_IGN);
}

Child::~Child()
{
    if (!status_ && !ended()) {
        kill(pid_, SIGKILL);
        int status = 0;
        waitpid(pid_, &status, 0);
    }
    for (int* fd : {&pidfd_, &in_, &out_fd_, &err_fd_}) close_fd(*fd);
}

bool Child::ended()
{
    if (status_) return true;
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) != pid_) return false;
    status_ = status;
    return true;
}

void Child::send(int signal) const
{
    syscall(SYS_pidfd_send_signal, pidfd_, signal, nullptr, 0);
}

void Child::close_output()
{
    close_fd(out_fd_);
    close_fd(err_fd_);
}

/// One wait for something to happen; false when the time is up.
bool Child::step(std::chrono::steady_clock::time_point end)
{
    const auto left =
        std::chrono::ceil<milliseconds>(end - std::chrono::steady_clock::now()).count();
    if (left <= 0) return false;
    const bool gone = ended();
    if (gone && out_fd_ < 0 && err_fd_ < 0) return true; // nothing is left that could happen
    pollfd fds[] = {{out_fd_, POLLIN, 0},
                    {err_fd_, POLLIN, 0},
                    {in_, POLLOUT, 0},
                    {gone ? -1 : pidfd_, POLLIN, 0}};
    if (poll(fds, 4, static_cast<int>(left)) <= 0) return true;
    if (fds[0].revents) take(out_fd_, out_);
    if (fds[1].revents) take(err_fd_, err_);
    if (fds[2].revents) {
        const ssize_t n = write(in_, input_.data(), input_.size());
        if (n > 0) input_.erase(0, static_cast<std::size_t>(n));
        if (input_.empty() || (n < 0 && errno != EAGAIN)) close_fd(in_);
    }
    if (fds[3].revents) ended();
    return true;
}

bool Child::says(const std::string& text, milliseconds deadline)
{
    const auto end = std::chrono::steady_clock::now() + deadline;
    while (out_.find(text) == std::string::npos) {
        if (ended() && out_fd_ < 0) return false;
        if (!step(end)) return false;
    }
    return true;
}

Ran Child::finish(milliseconds deadline)
{
    const auto end = std::chrono::steady_clock::now() + deadline;
    bool in_time = true;
    while (!ended() || out_fd_ >= 0 || err_fd_ >= 0) {
        if (step(end)) continue;
        in_time = false;
        break;
    }
    if (!ended()) {
        kill(pid_, SIGKILL);
        int status = 0;
        waitpid(pid_, &status, 0);
        status_ = status;
    }
    Ran ran;
    ran.signal = WIFSIGNALED(*status_) ? WTERMSIG(*status_) : 0;
    ran.code = ran.signal ? 128 + ran.signal : WEXITSTATUS(*status_);
    ran.in_time = in_time;
    ran.out = out_;
    ran.err = err_;
    ran.took = started_.elapsed();
    return ran;
}

Ran run(const Invocation& what, milliseconds deadline)
{
    return Child(what).finish(deadline);
}

std::vector<std::string> caller_environment()
{
    std::vector<std::string> out;
    for (char** entry = environ; *entry != nullptr; ++entry) out.emplace_back(*entry);
    return out;
}

std::string find_program(const std::string& name)
{
    const char* path = std::getenv("PATH");
    std::istringstream folders(std::string(path ? path : "") +
                               ":/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin");
    for (std::string folder; std::getline(folders, folder, ':');) {
        const std::string file = folder + "/" + name;
        if (!folder.empty() && access(file.c_str(), X_OK) == 0) return file;
    }
    return {};
}

} // namespace bgt::test
