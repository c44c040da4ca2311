#pragma once
#include <bgt/supervise/collaborators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

namespace bgt::supervise {

/// `--owner PID`: asks for a stop once that process has ended.
class OwnerWatch {
public:
    OwnerWatch(boost::asio::io_context& io, EventSink& sink)
        : io_(io), sink_(sink), pidfd_(io), timer_(io)
    {}
    /// By a pidfd; where none is to be had, by asking once a second.
    void watch(const ProcessKey& owner);

private:
    void gone();

    boost::asio::io_context& io_;
    EventSink& sink_;
    boost::asio::posix::stream_descriptor pidfd_;
    boost::asio::steady_timer timer_;
};

} // namespace bgt::supervise
