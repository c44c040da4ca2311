#pragma once
#include <bgt/base/fd.hpp>
#include <bgt/base/result.hpp>
#include <string>
#include <termios.h>

namespace bgt::os {

bool is_terminal(int fd);
/// The path of its device (man 3 ttyname); empty: it is no terminal, or has no path here.
std::string terminal_path(int fd);
/// Sounds the bell of the terminal with this path, without waiting for it. Error: it is none, or
/// gone.
Result<void> ring_bell(const std::string& path);
/// Columns of the terminal behind fd (TIOCGWINSZ), else $COLUMNS, else 80.
int terminal_width(int fd);
/// Rows of it, else $LINES, else 24.
int terminal_height(int fd);

/// Keys arrive one by one and unechoed while this lives (man 3 termios, no ICANON, no ECHO; ISIG
/// stays). Does nothing when fd is no terminal or the caller is a background job.
class RawKeys {
public:
    explicit RawKeys(int fd);
    ~RawKeys();
    RawKeys(const RawKeys&) = delete;
    RawKeys& operator=(const RawKeys&) = delete;

private:
    int fd_;
    bool changed_ = false;
    termios before_{};
};

} // namespace bgt::os
