#include <bgt/ops/log_view.hpp>

#include <bgt/os/clock.hpp>

#include <algorithm>
#include <utility>

namespace bgt::ops {
namespace {

constexpr std::uint64_t turn =
    1u << 20; ///< so that a task with much output leaves time to the others
constexpr auto unfinished_pause =
    std::chrono::milliseconds(200); ///< before a line is shown that has not ended
constexpr auto replacement_timeout =
    std::chrono::seconds(1); ///< from the end of a task to the start of the one that takes its name
constexpr auto starting_poll = std::chrono::milliseconds(50); ///< a task without a supervisor yet

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
std::optional<Instant> show_unfinished(const LogSink& sink, const std::vector<LogView*>& views,
                                       std::optional<Instant> due)
{
    if (std::ranges::none_of(views, [](const LogView* view) { return view->hides_unfinished(); }))
        return std::nullopt;
    const Instant now = os::now();
    if (!due) return now + unfinished_pause;
    if (now < *due) return due;
    for (LogView* view : views) view->show_unfinished(sink);
    return std::nullopt;
}

/// Logs whose task was killed, maybe in order to be replaced by another of its name.
class Replacements {
public:
    explicit Replacements(const std::vector<LogView>& views)
    {
        if (views.empty()) return;
        const LogOptions& options = views.front().options();
        options_.stream = options.stream;
        options_.raw = options.raw;
        options_.timestamps = options.timestamps;
    }
    void expect(LogView* view)
    {
        const store::Status& status = view->task().status();
        if (view->asked_name.empty() || status.outcome.reason != core::Reason::killed) return;
        awaited_.push_back({view, os::now() + replacement_timeout});
    }
    bool empty() const { return awaited_.empty(); }
    /// Those that have begun are handed to `open`.
    Result<void> look(store::Root& root, const LogSink& sink, std::vector<LogView*>& open);

private:
    struct Awaited {
        LogView* view;
        Instant until;
    };
    LogOptions options_;
    std::vector<Awaited> awaited_;
};

Result<void> Replacements::look(store::Root& root, const LogSink& sink, std::vector<LogView*>& open)
{
    std::vector<Awaited> left;
    for (const Awaited& one : awaited_) {
        const Result<std::optional<store::TaskId>> id = root.find_name(one.view->asked_name);
        if (!id || !*id || **id <= one.view->task().id()) {
            if (os::now() < one.until) left.push_back(one);
            continue;
        }
        sink.note(one.view->task().label() + " was replaced by task " + store::to_string(**id));
        if (Result<void> begun = one.view->go_on_with(root, **id, options_, sink); !begun)
            return begun;
        open.push_back(one.view);
    }
    awaited_ = std::move(left);
    return {};
}

Result<void> watch_both(store::Root& root, os::Watch& watch, LogView& view)
{
    if (Result<void> log = view.watch_log(watch); !log) return log;
    return view.task().watch(root, watch);
}

} // namespace

Result<void> follow_logs(store::Root& root, std::vector<LogView>& views, const LogSink& sink,
                         Cancel cancel)
{
    Result<os::Watch> watch = os::Watch::create();
    if (!watch) return watch.error();
    if (cancel.fd >= 0) watch->add_fd(cancel.fd);
    std::vector<LogView*> open;
    for (LogView& view : views) {
        if (Result<void> watched = watch_both(root, *watch, view); !watched) return watched;
        open.push_back(&view);
    }
    Replacements replacements(views);
    std::optional<Instant> show_at;
    while (true) {
        bool more = false, starting = false;
        const std::size_t before = open.size();
        if (Result<void> looked = replacements.look(root, sink, open); !looked) return looked;
        for (std::size_t i = before; i < open.size(); ++i)
            if (Result<void> watched = watch_both(root, *watch, *open[i]); !watched) return watched;
        for (LogView*& view : open) {
            Result<Turn> turn_taken = take_round(sink, *watch, *view);
            if (!turn_taken) return turn_taken.error();
            more = more || turn_taken->more;
            if (turn_taken->done) replacements.expect(std::exchange(view, nullptr));
            else starting = starting || view->task().needs_poll();
        }
        std::erase(open, nullptr);
        if (open.empty() && replacements.empty()) return {};
        show_at = show_unfinished(sink, open, show_at);
        std::optional<Instant> deadline = show_at;
        if (starting || !replacements.empty())
            deadline = std::min(deadline.value_or(Instant::max()), os::now() + starting_poll);
        if (more) deadline = os::now();
        Result<os::Watch::Wake> wake = watch->wait(deadline);
        if (!wake) return wake.error();
        if (std::ranges::find(wake->fds, cancel.fd) != wake->fds.end()) return cancelled();
        for (LogView* view : open) view->task().update(root, *watch, *wake);
    }
}

} // namespace bgt::ops
