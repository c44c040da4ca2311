#include <bgt/os/terminal.hpp>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sys/ioctl.h>
#include <unistd.h>

namespace bgt::os {

namespace {

std::optional<winsize> size_of(int fd)
{
    winsize size{};
    if (::ioctl(fd, TIOCGWINSZ, &size) != 0) return std::nullopt;
    return size;
}

int number_in(const char* variable, int otherwise)
{
    const char* const text = std::getenv(variable);
    if (text == nullptr) return otherwise;
    int value = 0;
    const char* const end = text + std::strlen(text);
    const auto [stop, error] = std::from_chars(text, end, value);
    return error == std::errc{} && stop == end && value > 0 ? value : otherwise;
}

/// A background job that sets the terminal would be stopped, or would spoil the shell's setting.
bool in_background(int fd)
{
    const pid_t foreground = ::tcgetpgrp(fd);
    return foreground > 0 && foreground != ::getpgrp();
}

} // namespace

std::string terminal_path(int fd)
{
    std::array<char, 256> path{};
    return ::ttyname_r(fd, path.data(), path.size()) == 0 ? path.data() : "";
}

Result<void> ring_bell(const std::string& path)
{
    const Fd terminal(::open(path.c_str(), O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
    const bool rung =
        terminal && ::isatty(terminal.get()) == 1 && ::write(terminal.get(), "\a", 1) == 1;
    if (!rung) return Error::system("the bell of " + path, errno);
    return {};
}

bool is_terminal(int fd)
{
    return ::isatty(fd) == 1;
}

int terminal_width(int fd)
{
    const auto size = size_of(fd);
    return size && size->ws_col > 0 ? size->ws_col : number_in("COLUMNS", 80);
}

int terminal_height(int fd)
{
    const auto size = size_of(fd);
    return size && size->ws_row > 0 ? size->ws_row : number_in("LINES", 24);
}

RawKeys::RawKeys(int fd) : fd_(fd)
{
    if (::tcgetattr(fd_, &before_) != 0 || in_background(fd_)) return;
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    changed_ = ::tcsetattr(fd_, TCSANOW, &raw) == 0;
}

RawKeys::~RawKeys()
{
    if (changed_ && !in_background(fd_)) ::tcsetattr(fd_, TCSANOW, &before_);
}

} // namespace bgt::os
