#include "sandbox.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <sstream>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace test {

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void exec_fixture(const std::vector<std::string>& words,
                               const std::vector<std::string>& variables)
{
    std::vector<char*> argv{const_cast<char*>(BGT_FIXTURE)};
    for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    std::vector<char*> environment;
    for (const auto& variable : variables)
        environment.push_back(const_cast<char*>(variable.c_str()));
    for (char** entry = environ; *entry != nullptr; ++entry) environment.push_back(*entry);
    environment.push_back(nullptr);
    ::execve(argv[0], argv.data(), environment.data());
    ::_exit(127);
}

/// Every process of the system whose chain of parents leads here; by /proc's PPid lines and not by
/// the code under test.
std::vector<std::int32_t> living_descendants()
{
    std::vector<std::int32_t> found{::getpid()};
    std::vector<std::pair<std::int32_t, std::int32_t>> parents;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const int pid = std::atoi(entry.path().filename().c_str());
        if (pid <= 0) continue;
        std::array<char, 4096> buffer{};
        const bgt::Fd status(::open((entry.path() / "status").c_str(), O_RDONLY | O_CLOEXEC));
        if (!status || ::read(status.get(), buffer.data(), buffer.size() - 1) <= 0) continue;
        const std::string text = buffer.data();
        const auto parent = text.find("\nPPid:");
        if (parent != text.npos) parents.emplace_back(pid, std::atoi(text.c_str() + parent + 6));
    }
    for (std::size_t at = 0; at < found.size(); ++at)
        for (const auto& [pid, parent] : parents)
            if (parent == found[at]) found.push_back(pid);
    found.erase(found.begin());
    return found;
}

} // namespace

bool eventually(const std::function<bool()>& condition, std::chrono::nanoseconds limit)
{
    const auto deadline = Clock::now() + limit;
    while (!condition()) {
        if (Clock::now() > deadline) return false;
        ::usleep(500);
    }
    return true;
}

std::optional<std::string> Started::line()
{
    const auto deadline = Clock::now() + test_timeout;
    for (;;) {
        if (const auto end = unread.find('\n'); end != unread.npos) {
            std::string line = unread.substr(0, end);
            unread.erase(0, end + 1);
            return line;
        }
        pollfd polled{output.get(), POLLIN, 0};
        if (::poll(&polled, 1, 100) < 0 && errno != EINTR) return std::nullopt;
        std::array<char, 65536> buffer;
        const ssize_t got =
            polled.revents != 0 ? ::read(output.get(), buffer.data(), buffer.size()) : -2;
        if (got == 0 || got == -1 || Clock::now() > deadline) return std::nullopt;
        if (got > 0) unread.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

std::vector<std::int32_t> Started::numbers()
{
    std::istringstream words(line().value_or(""));
    std::string label;
    words >> label;
    std::vector<std::int32_t> found;
    for (std::int32_t number = 0; words >> number;) found.push_back(number);
    return found;
}

std::string Started::rest()
{
    std::string text;
    while (auto next = line()) text += *next + "\n";
    return text + unread;
}

Sandbox::Sandbox()
{
    ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

Sandbox::~Sandbox()
{
    const auto deadline = Clock::now() + test_timeout;
    while (::waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD) {
        if (Clock::now() > deadline) break;
        for (const std::int32_t pid : living_descendants()) ::kill(pid, SIGKILL);
        while (::waitpid(-1, nullptr, WNOHANG) > 0) {}
    }
    std::error_code ignored;
    for (const auto& folder : folders_) std::filesystem::remove_all(folder, ignored);
}

Started Sandbox::start(const std::vector<std::string>& words,
                       const std::vector<std::string>& variables, int output_fd)
{
    std::array<int, 2> out{}, in{};
    if (::pipe2(out.data(), O_CLOEXEC) != 0 || ::pipe2(in.data(), O_CLOEXEC) != 0)
        throw std::runtime_error("pipe");
    const pid_t pid = ::fork();
    if (pid < 0) throw std::runtime_error("fork");
    if (pid == 0) {
        ::setsid();
        ::dup2(in[0], STDIN_FILENO);
        ::dup2(output_fd >= 0 ? output_fd : out[1], STDOUT_FILENO);
        exec_fixture(words, variables);
    }
    ::close(out[1]);
    ::close(in[0]);
    return {pid, bgt::Fd(out[0]), bgt::Fd(in[1]), {}};
}

int Sandbox::reap(std::int32_t pid)
{
    int status = -1;
    pid_t got = 0;
    const bool done = eventually([&] { return (got = ::waitpid(pid, &status, WNOHANG)) != 0; });
    return done && got == pid ? status : -1;
}

std::string Sandbox::folder()
{
    std::string path = (std::filesystem::temp_directory_path() / "bgt-os-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp");
    return folders_.emplace_back(path);
}

std::vector<std::int32_t> pids_of(const std::vector<bgt::os::ProcStat>& processes)
{
    std::vector<std::int32_t> pids;
    for (const auto& stat : processes) pids.push_back(stat.key.pid);
    return sorted(pids);
}

std::vector<std::int32_t> sorted(std::vector<std::int32_t> pids)
{
    std::ranges::sort(pids);
    return pids;
}

} // namespace test
