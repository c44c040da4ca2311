#pragma once
#include "watched_tree.hpp"

#include <bgt/supervise/collaborators.hpp>
#include <bgt/supervise/recorder.hpp>
#include <bgt/supervise/tree.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

namespace bgt::supervise {

/// `--watch`: waits for changes of files, gathers those that come together, and does what the task
/// was asked to do at one. It sleeps while nothing changes, but where inotify has no room: there it
/// looks once a second, and says so in the record and the events.
class ChangeWatch {
public:
    /// All outlive it.
    struct Parts {
        boost::asio::io_context& io;
        const core::WatchSpec& watch;
        Recorder& recorder;
        Tree& tree;
        EventSink& sink;
    };
    ChangeWatch(Parts, std::unique_ptr<WatchedTree>);
    ~ChangeWatch();
    ChangeWatch(const ChangeWatch&) = delete;
    ChangeWatch& operator=(const ChangeWatch&) = delete;

    void begin();
    /// From now on a change is kept, until resume().
    void pause();
    /// What has changed meanwhile counts now.
    void resume();
    /// The task is in another state, or is about to be: a change that was kept may count in it.
    void state_changes();
    void end();

private:
    void await_events();
    void await_due();
    void await_next_look();
    void on_due();
    void await_git();
    void read_contents();
    void tell_polling();
    void take_change();
    void act();
    void send_signal();

    Parts with_;
    std::unique_ptr<WatchedTree> files_;
    boost::asio::posix::stream_descriptor events_;
    boost::asio::steady_timer due_timer_, look_timer_;
    core::Debounce debounce_;
    std::optional<WatchedTree::Change> kept_; ///< nothing was done yet about it
    std::string polling_told_;
    bool is_reading_ = false;
    bool is_over_ = false;
};

} // namespace bgt::supervise
