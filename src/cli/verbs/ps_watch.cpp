#include "ps_watch.hpp"

#include <bgt/base/held_signals.hpp>
#include <bgt/os/terminal.hpp>
#include <bgt/render/words.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>
#include <poll.h>
#include <unistd.h>

namespace bgt::cli {

namespace {

/// The other screen of the terminal, without a cursor (xterm's control sequences 1049 and 25); the first one is back
/// at the end.
class OtherScreen {
public:
    explicit OtherScreen(Context& context) : context_(context) { context_.print("\x1b[?1049h\x1b[?25l"); }
    ~OtherScreen() { (void)context_.try_print("\x1b[?25h\x1b[?1049l"); }
    OtherScreen(const OtherScreen&) = delete;
    OtherScreen& operator=(const OtherScreen&) = delete;

private:
    Context& context_;
};

/// `text` from the top left corner, cut to `rows` lines, over what was there; the last line then says how many are below.
std::string frame(std::string_view text, int rows)
{
    std::string out = "\x1b[H";
    rows = std::max(rows, 1);
    const auto lines = static_cast<int>(std::ranges::count(text, '\n'));
    std::string below;
    if (lines > rows) below = "... " + std::to_string(lines - rows + 1) + " more below (a taller window shows them)\n";
    for (int row = 0; row < rows && !text.empty(); ++row) {
        if (!below.empty() && row == rows - 1) text = below;
        const auto end = std::min(text.find('\n'), text.size());
        if (row != 0) out += "\r\n";
        out += text.substr(0, end);
        out += "\x1b[K";
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out + "\x1b[J";
}

/// The exit code once the user or a signal has ended it; nullopt: time to draw again.
std::optional<int> await_next(const HeldSignals& signals, bool& read_keys, Instant until)
{
    for (;;) {
        pollfd fds[2] = {{signals.fd(), POLLIN, 0}, {read_keys ? STDIN_FILENO : -1, POLLIN, 0}};
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - render::Moment::now().mono).count();
        const int ready = ::poll(fds, 2, static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000)));
        if (ready == 0 && render::Moment::now().mono >= until) return std::nullopt;
        if (ready < 0 && errno != EINTR) return code::failed;
        if ((fds[0].revents & POLLIN) != 0) {
            const int signal = signals.take();
            if (signal == SIGWINCH) return std::nullopt;
            if (signal == SIGINT) return code::ok;
            if (signal != 0) return 128 + signal;
        }
        if (fds[1].revents == 0) continue;
        char key = 0;
        const ssize_t n = ::read(STDIN_FILENO, &key, 1);
        if (n == 1 && (key == 'q' || key == 'Q' || key == '\x03')) return code::ok;
        if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) read_keys = false;
    }
}

} // namespace

void CpuSinceLast::update(std::vector<ops::Snapshot>& tasks, Instant now)
{
    std::map<store::TaskId, Spent> seen;
    for (auto& task : tasks) {
        if (!task.cpu || !task.status.started_at) continue;
        const double age = std::chrono::duration<double>(now - *task.status.started_at).count();
        const Spent spent{now, *task.cpu * age};
        seen[task.id] = spent;
        const auto it = before_.find(task.id);
        if (it == before_.end() || now <= it->second.at) continue;
        // A process that ended takes its seconds along, so the difference can be negative.
        const double seconds = std::max(0.0, spent.seconds - it->second.seconds);
        task.cpu = seconds / std::chrono::duration<double>(now - it->second.at).count();
    }
    before_ = std::move(seen);
}

Result<int> watch_screen(Context& context, Duration interval, const std::function<Result<std::string>(int width)>& draw)
{
    // So none is missed between two waits, and the terminal is put right before the program ends.
    const HeldSignals signals{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH};
    if (signals.fd() < 0) return Error::system("can't watch for signals", errno);
    bool read_keys = os::is_terminal(STDIN_FILENO);
    const os::RawKeys keys(STDIN_FILENO);
    const OtherScreen screen(context);
    for (;;) {
        const Instant until = render::Moment::now().mono + interval;
        const auto text = draw(os::terminal_width(STDOUT_FILENO));
        if (!text) return text.error();
        context.print(frame(*text, os::terminal_height(STDOUT_FILENO)));
        if (const auto done = await_next(signals, read_keys, until)) return *done;
    }
}

} // namespace bgt::cli
