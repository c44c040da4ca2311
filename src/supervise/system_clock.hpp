#pragma once
#include <bgt/supervise/collaborators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace bgt::supervise {

/// The clocks of the system, and one timer.
class SystemClock final : public Clock {
public:
    SystemClock(boost::asio::io_context& io, EventSink& sink) : timer_(io), sink_(sink) {}
    Instant now() const override;
    WallTime wall_now() const override;
    void wake_at(std::optional<Instant>) override;

private:
    boost::asio::steady_timer timer_;
    EventSink& sink_;
    std::optional<Instant> armed_;
};

} // namespace bgt::supervise
