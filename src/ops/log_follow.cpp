#include <bgt/ops/log_view.hpp>

#include <bgt/os/clock.hpp>

#include <algorithm>

namespace bgt::ops {
namespace {

constexpr std::uint64_t turn = 1u << 20;                            ///< so that a loud task lets the others speak
constexpr auto unfinished_pause = std::chrono::milliseconds(200); ///< before a line is shown that has not ended
constexpr auto starting_poll = std::chrono::milliseconds(50);       ///< a task without a supervisor yet

struct Turn {
    bool more = false; ///< bytes are left to print now
    bool done = false; ///< the task is over and all is printed
};

Result<Turn> take_round(const LogSink& sink, os::Watch& watch, LogView& view)
{
    const bool over = view.task().over(); // before the size is asked: what is there then is all
    if (Result<void> renewed = view.renew(watch); !renewed) return renewed.error();
    Result<bool> more = view.print_some(sink, turn);
    if (!more) return more.error();
    if (*more || (!over && !view.attempt_ended())) return Turn{*more, false};
    view.finish(sink);
    view.task().unwatch(watch);
    view.unwatch_log(watch);
    return Turn{false, true};
}

/// Shows lines that stay unfinished for a moment. When to be called again.
std::optional<Instant> show_unfinished(const LogSink& sink, const std::vector<LogView*>& views, std::optional<Instant> due)
{
    if (std::ranges::none_of(views, [](const LogView* view) { return view->hides_unfinished(); })) return std::nullopt;
    const Instant now = os::now();
    if (!due) return now + unfinished_pause;
    if (now < *due) return due;
    for (LogView* view : views) view->show_unfinished(sink);
    return std::nullopt;
}

} // namespace

Result<void> follow_logs(store::Root& root, std::vector<LogView>& views, const LogSink& sink, Cancel cancel)
{
    Result<os::Watch> watch = os::Watch::create();
    if (!watch) return watch.error();
    if (cancel.fd >= 0) watch->add_fd(cancel.fd);
    std::vector<LogView*> open;
    for (LogView& view : views) {
        if (Result<void> log = view.watch_log(*watch); !log) return log;
        if (Result<void> task = view.task().watch(root, *watch); !task) return task;
        open.push_back(&view);
    }
    std::optional<Instant> show_at;
    while (true) {
        bool more = false, starting = false;
        for (LogView*& view : open) {
            Result<Turn> turn_taken = take_round(sink, *watch, *view);
            if (!turn_taken) return turn_taken.error();
            more = more || turn_taken->more;
            if (turn_taken->done)
                view = nullptr;
            else
                starting = starting || view->task().needs_poll();
        }
        std::erase(open, nullptr);
        if (open.empty()) return {};
        show_at = show_unfinished(sink, open, show_at);
        std::optional<Instant> deadline = show_at;
        if (starting) deadline = std::min(deadline.value_or(Instant::max()), os::now() + starting_poll);
        if (more) deadline = os::now();
        Result<os::Watch::Wake> wake = watch->wait(deadline);
        if (!wake) return wake.error();
        if (std::ranges::find(wake->fds, cancel.fd) != wake->fds.end()) return cancelled();
        for (LogView* view : open) view->task().update(root, *watch, *wake);
    }
}

} // namespace bgt::ops
