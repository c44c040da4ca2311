#include "ps_watch.hpp"

#include <bgt/base/held_signals.hpp>
#include <bgt/os/terminal.hpp>
#include <bgt/render/words.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>
#include <poll.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace bgt::cli {

namespace {

/// The other screen of the terminal, without a cursor (xterm's control sequences 1049 and 25); the
/// first one is back at the end.
class OtherScreen {
public:
    explicit OtherScreen(Context& context) : context_(context)
    {
        context_.print("\x1b[?1049h\x1b[?25l");
    }
    ~OtherScreen() { (void)context_.try_print("\x1b[?25h\x1b[?1049l"); }
    OtherScreen(const OtherScreen&) = delete;
    OtherScreen& operator=(const OtherScreen&) = delete;

private:
    Context& context_;
};

std::vector<std::string_view> lines_of(std::string_view text)
{
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        lines.push_back(text.substr(0, text.find('\n')));
        text.remove_prefix(std::min(text.size(), lines.back().size() + 1));
    }
    return lines;
}

/// `text` from the top left corner, over what was there. Where it has more lines than `rows`, the
/// first one stays, `offset` of the others are left out, and the last row says how many are not
/// shown. `offset` is cut to what makes sense.
std::string frame(std::string_view text, int rows, std::size_t& offset)
{
    std::vector<std::string_view> lines = lines_of(text);
    const auto room = static_cast<std::size_t>(std::max(rows, 1));
    std::string more;
    if (lines.size() > room) {
        const std::size_t below_title = lines.size() - 1, shown = room > 2 ? room - 2 : 0;
        offset = std::min(offset, below_title - shown);
        const std::size_t below = below_title - shown - offset;
        more = offset == 0 ? "... " : "... " + std::to_string(offset) + " above, ";
        more += std::to_string(below) + " more below (arrow keys scroll)";
        lines.erase(lines.begin() + 1, lines.begin() + 1 + static_cast<std::ptrdiff_t>(offset));
        lines.resize(room > 1 ? room - 1 : 0);
        lines.push_back(more);
    } else {
        offset = 0;
    }
    std::string out = "\x1b[H";
    for (std::size_t row = 0; row < lines.size(); ++row)
        out += (row == 0 ? "" : "\r\n") + std::string(lines[row]) + "\x1b[K";
    return out + "\x1b[J";
}

/// Where these keys lead to in a text of which `page` lines are shown; nullopt: they end it.
std::optional<std::size_t> scrolled(std::string_view keys, std::size_t offset, std::size_t page)
{
    constexpr std::size_t last = 1'000'000;
    const auto up = [](std::size_t from, std::size_t by) { return from - std::min(from, by); };
    while (!keys.empty()) {
        const auto take = [&](std::string_view key) {
            if (!keys.starts_with(key)) return false;
            keys.remove_prefix(key.size());
            return true;
        };
        if (take("q") || take("Q") || take("\x03")) return std::nullopt;
        if (take("j") || take("\x1b[B") || take("\x1bOB")) ++offset;
        else if (take("k") || take("\x1b[A") || take("\x1bOA")) offset = up(offset, 1);
        else if (take(" ") || take("\x1b[6~")) offset += page;
        else if (take("b") || take("\x1b[5~")) offset = up(offset, page);
        else if (take("g") || take("\x1b[H")) offset = 0;
        else if (take("G") || take("\x1b[F")) offset = last;
        else keys.remove_prefix(1);
        offset = std::min(offset, last);
    }
    return offset;
}

/// The exit code once the user or a signal has ended it; nullopt: time to draw again.
std::optional<int> await_next(const HeldSignals& signals, bool& read_keys, std::size_t& offset,
                              Instant until)
{
    for (;;) {
        pollfd fds[2] = {{signals.fd(), POLLIN, 0}, {read_keys ? STDIN_FILENO : -1, POLLIN, 0}};
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(until - render::Moment::now().mono)
                .count();
        const int ready =
            ::poll(fds, 2, static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000)));
        if (ready == 0 && render::Moment::now().mono >= until) return std::nullopt;
        if (ready < 0 && errno != EINTR) return code::failed;
        if ((fds[0].revents & POLLIN) != 0) {
            const int signal = signals.take();
            if (signal == SIGWINCH) return std::nullopt;
            if (signal == SIGINT) return code::ok;
            if (signal != 0) return 128 + signal;
        }
        if (fds[1].revents == 0) continue;
        std::array<char, 64> keys;
        const ssize_t n = ::read(STDIN_FILENO, keys.data(), keys.size());
        if (n > 0) {
            const auto page =
                static_cast<std::size_t>(std::max(os::terminal_height(STDOUT_FILENO) - 2, 1));
            const auto now = scrolled({keys.data(), static_cast<std::size_t>(n)}, offset, page);
            if (!now) return code::ok;
            if (std::exchange(offset, *now) != *now) return std::nullopt;
        }
        if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) read_keys = false;
    }
}

} // namespace

Result<int> watch_screen(Context& context, Duration interval,
                         const std::function<Result<std::string>(int width)>& draw)
{
    // So none is missed between two waits, and the terminal is put right before the program ends.
    const HeldSignals signals{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH};
    if (signals.fd() < 0) return Error::system("can't watch for signals", errno);
    bool read_keys = os::is_terminal(STDIN_FILENO);
    const os::RawKeys keys(STDIN_FILENO);
    const OtherScreen screen(context);
    std::size_t offset = 0;
    for (;;) {
        const Instant until = render::Moment::now().mono + interval;
        const auto text = draw(os::terminal_width(STDOUT_FILENO));
        if (!text) return text.error();
        context.print(frame(*text, os::terminal_height(STDOUT_FILENO), offset));
        if (const auto done = await_next(signals, read_keys, offset, until)) return *done;
    }
}

} // namespace bgt::cli
