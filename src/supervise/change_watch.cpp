#include "change_watch.hpp"

#include <bgt/os/clock.hpp>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

namespace bgt::supervise {
namespace {

constexpr auto look_interval = std::chrono::seconds(1);
/// How often it is asked whether git is done.
constexpr auto git_interval = std::chrono::milliseconds(50);
/// Output and requests wait no longer than this while files are read.
constexpr auto reading_slice = std::chrono::milliseconds(2);

} // namespace

ChangeWatch::ChangeWatch(Parts parts, std::unique_ptr<WatchedTree> files)
    : with_(parts),
      files_(std::move(files)),
      events_(parts.io),
      due_timer_(parts.io),
      look_timer_(parts.io),
      debounce_(parts.watch.debounce)
{}

ChangeWatch::~ChangeWatch()
{
    if (events_.is_open()) events_.release(); // it belongs to the files
}

void ChangeWatch::begin()
{
    boost::system::error_code refused;
    if (files_->fd() >= 0) events_.assign(files_->fd(), refused);
    if (events_.is_open()) await_events();
    tell_polling();
    read_contents();
}

void ChangeWatch::end()
{
    is_over_ = true;
    if (events_.is_open()) events_.cancel();
    due_timer_.cancel();
    look_timer_.cancel();
}

void ChangeWatch::await_events()
{
    events_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](auto error) {
        if (error || is_over_) return;
        if (files_->take_events()) {
            debounce_.seen(os::now());
            await_due();
        }
        await_events();
    });
}

void ChangeWatch::await_due()
{
    const auto due = debounce_.due();
    if (!due || with_.recorder.status().watch_paused) return;
    due_timer_.expires_at(std::chrono::steady_clock::time_point(due->time_since_epoch()));
    due_timer_.async_wait([this](auto error) {
        if (!error && !is_over_) on_due();
    });
}

void ChangeWatch::on_due()
{
    const auto due = debounce_.due();
    if (!due || with_.recorder.status().watch_paused) return;
    const Instant now = os::now();
    if (*due > now) return await_due();
    if (files_->is_git_busy() && *debounce_.due(true) > now) return await_git();
    debounce_.clear();
    take_change();
}

void ChangeWatch::await_git()
{
    due_timer_.expires_after(git_interval);
    due_timer_.async_wait([this](auto error) {
        if (!error && !is_over_) on_due();
    });
}

void ChangeWatch::take_change()
{
    const auto change = files_->take_change();
    // The next run may write them at once.
    static_cast<void>(files_->read_some(os::now() + reading_slice));
    tell_polling();
    if (change) {
        const std::size_t before = kept_ ? kept_->count : 0;
        kept_ = WatchedTree::Change{change->path, before + change->count};
    }
    act();
    read_contents();
}

void ChangeWatch::act()
{
    if (!kept_ || is_over_ || with_.recorder.status().watch_paused) return;
    const core::ChangeAction action = core::action_for(with_.watch, with_.sink.state());
    if (action == core::ChangeAction::later) return;
    const WatchedTree::Change change = *std::exchange(kept_, std::nullopt);
    with_.recorder.event("change", {{"path", change.path},
                                    {"count", static_cast<std::int64_t>(change.count)},
                                    {"action", std::string(core::to_string(action))}});
    switch (action) {
    case core::ChangeAction::none:
    case core::ChangeAction::later: break;
    case core::ChangeAction::start:
    case core::ChangeAction::restart: {
        core::StopRequested request{core::Reason::killed, false, std::nullopt, true};
        request.no_escalation = true;
        with_.sink.dispatch(request);
        break;
    }
    case core::ChangeAction::signal: send_signal(); break;
    }
}

/// To the main process: it tells its children, as after a `kill` by its user.
void ChangeWatch::send_signal()
{
    std::vector<os::ProcStat> targets = with_.tree.members();
    const ProcessKey main_process = with_.recorder.status().main_process;
    std::erase_if(targets, [&](const os::ProcStat& member) { return member.key != main_process; });
    const std::uint32_t count = with_.tree.signal(targets, with_.watch.signal);
    with_.recorder.event(
        "signal", {{"signal", std::int64_t{with_.watch.signal}}, {"count", std::int64_t{count}}});
}

void ChangeWatch::read_contents()
{
    if (is_reading_ || is_over_) return;
    is_reading_ = files_->read_some(os::now() + reading_slice);
    if (!is_reading_) return;
    boost::asio::post(with_.io, [this] {
        is_reading_ = false;
        read_contents();
    });
}

void ChangeWatch::tell_polling()
{
    const std::string& why = files_->polls_because();
    if (why == polling_told_) return;
    polling_told_ = why;
    with_.recorder.status().watch_polls = !why.empty();
    with_.recorder.save();
    if (why.empty()) {
        with_.recorder.event("watch-inotify");
        look_timer_.cancel();
        return;
    }
    with_.recorder.event("watch-polling", {{"why", why}});
    await_next_look();
}

void ChangeWatch::await_next_look()
{
    look_timer_.expires_after(look_interval);
    look_timer_.async_wait([this](auto error) {
        if (error || is_over_) return;
        if (files_->look()) {
            if (!debounce_.due()) {
                debounce_.seen(os::now());
                await_due();
            }
        }
        tell_polling();
        if (!files_->polls_because().empty()) await_next_look();
    });
}

void ChangeWatch::pause()
{
    with_.recorder.status().watch_paused = true;
    with_.recorder.save();
    with_.recorder.event("watch-pause");
    due_timer_.cancel();
}

void ChangeWatch::resume()
{
    if (!with_.recorder.status().watch_paused) return;
    with_.recorder.status().watch_paused = false;
    with_.recorder.save();
    with_.recorder.event("watch-resume");
    await_due();
    act();
}

void ChangeWatch::state_changes()
{
    if (kept_) boost::asio::post(with_.io, [this] { act(); });
}

} // namespace bgt::supervise
