#pragma once
/// One line on stderr that is written over again and again, and gone at the end.
#include <bgt/base/text.hpp>
#include <bgt/cli/context.hpp>
#include <bgt/os/terminal.hpp>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace bgt::cli {

class LiveLine {
public:
    LiveLine() = default;
    LiveLine(const LiveLine&) = delete;
    LiveLine& operator=(const LiveLine&) = delete;
    ~LiveLine() { clear(); }
    /// How much fits: the last column stays free, where some terminals wrap.
    static std::size_t columns()
    {
        return static_cast<std::size_t>(std::max(os::terminal_width(STDERR_FILENO) - 1, 1));
    }
    /// Names of processes may be in it, so it is made printable.
    void draw(const std::string& text)
    {
        put("\r\x1b[K" + printable(text));
        drawn_ = true;
    }
    void clear()
    {
        if (std::exchange(drawn_, false)) put("\r\x1b[K");
    }

private:
    static void put(std::string_view text)
    {
        [[maybe_unused]] const ssize_t written =
            ::write(STDERR_FILENO, text.data(), text.size()); // only decoration
    }
    bool drawn_ = false;
};

inline bool shows_live_line(const Context& context)
{
    const char* const terminal = std::getenv("TERM");
    return context.stderr_is_terminal() && terminal != nullptr &&
           std::string_view(terminal) != "dumb";
}

} // namespace bgt::cli
