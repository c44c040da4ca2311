// Java is asked about its locks as jstack(1) asks: by the attach interface of HotSpot. A file in
// /tmp says that SIGQUIT is meant for that, and not for a dump to the output; then it listens at a
// socket, where a request is a few words, each with a NUL, and the answer is text.
#include "stack_dump.hpp"

#include <bgt/base/fd.hpp>
#include <bgt/base/text.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/proc_dir.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

namespace bgt::os {

namespace {

/// Whether /tmp and pids are the same for that process and for this one, and both are one user.
bool lives_here(const ProcDir& proc, std::int32_t pid)
{
    struct stat its {
    }, own{}, folder{};
    const std::string process = fmt::format("/proc/{}", pid);
    if (::stat((process + "/root").c_str(), &its) != 0 || ::stat("/", &own) != 0) return false;
    if (its.st_dev != own.st_dev || its.st_ino != own.st_ino) return false;
    if (::stat(process.c_str(), &folder) != 0 || folder.st_uid != ::geteuid()) return false;
    const std::string status = proc.read(pid, "status", 8192);
    return status.find(fmt::format("\nNSpid:\t{}\n", pid)) != status.npos;
}

/// A file that is there as long as this object.
class Trigger {
public:
    explicit Trigger(std::string path) : path_(std::move(path))
    {
        const Fd file(
            ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
        made_ = static_cast<bool>(file);
    }
    ~Trigger()
    {
        if (made_) ::unlink(path_.c_str());
    }
    Trigger(const Trigger&) = delete;
    Trigger& operator=(const Trigger&) = delete;
    explicit operator bool() const { return made_; }

private:
    std::string path_;
    bool made_ = false;
};

bool listens_at(const std::string& path)
{
    struct stat info {};
    return ::lstat(path.c_str(), &info) == 0 && S_ISSOCK(info.st_mode) &&
           info.st_uid == ::geteuid();
}

bool start_listener(const ProcessKey& process, const std::string& path, Instant end)
{
    constexpr std::chrono::milliseconds pause{5};
    if (listens_at(path)) return true;
    const Trigger trigger(fmt::format("/tmp/.attach_pid{}", process.pid));
    if (!trigger) return false;
    const auto sent = send_signal(process, SIGQUIT);
    if (!sent || !*sent) return false;
    while (!listens_at(path) && now() < end) std::this_thread::sleep_for(pause);
    return listens_at(path);
}

Fd connect_to(const std::string& path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket || path.size() >= sizeof address.sun_path) return {};
    std::copy(path.begin(), path.end(), address.sun_path);
    const auto* bytes = reinterpret_cast<const sockaddr*>(&address);
    return ::connect(socket.get(), bytes, sizeof address) == 0 ? std::move(socket) : Fd();
}

/// All that it answers; nullopt: not in time, or too much.
std::optional<std::string> answer_of(int socket, Instant end)
{
    constexpr std::size_t max_text = 4u << 20; // some thousand threads
    std::string text;
    std::array<char, 16 * 1024> buffer;
    while (text.size() < max_text && now() < end) {
        pollfd polled{socket, POLLIN, 0};
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - now());
        if (::poll(&polled, 1, static_cast<int>(left.count())) <= 0) continue;
        const ssize_t got = ::read(socket, buffer.data(), buffer.size());
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (got < 0) return std::nullopt;
        if (got == 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return std::nullopt;
}

} // namespace

std::optional<core::DumpAsked> ask_java(const ProcStat& process, Instant end)
{
    using namespace std::string_view_literals;
    constexpr auto request = "1\0threaddump\0-l\0\0\0"sv; // also the locks of java.util.concurrent
    const ProcDir proc;
    const std::int32_t pid = process.key.pid;
    const std::string command = proc.read(pid, "cmdline", 64 * 1024);
    const auto signal = stack_dump_signal(process);
    const bool may_attach = command.find("-XX:+DisableAttachMechanism") == command.npos;
    if (!signal || signal->runtime != "java"sv || !may_attach || !lives_here(proc, pid))
        return std::nullopt;
    const std::string path = fmt::format("/tmp/.java_pid{}", pid);
    if (!start_listener(process.key, path, end)) return std::nullopt;
    const Fd socket = connect_to(path);
    if (!socket || ::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) !=
                       static_cast<ssize_t>(request.size()))
        return std::nullopt;
    const auto answer = answer_of(socket.get(), end);
    if (!answer || !answer->starts_with("0\n")) return std::nullopt;
    const bool deadlock = answer->find("Java-level deadlock") != answer->npos;
    return core::DumpAsked{pid, printable(process.comm), signal->runtime, 0, deadlock};
}

} // namespace bgt::os
