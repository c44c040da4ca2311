#pragma once
#include <bgt/core/scope_chain.hpp>
#include <bgt/supervise/collaborators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <list>

namespace bgt::supervise {

/// The pid of a scope of the chain that has ended; nullopt: all go on.
std::optional<std::int32_t> ended_scope(const core::ScopeChain&);

/// `--owner PID` and the scopes around a task: asks for a stop once one of these processes has
/// ended.
class OwnerWatch {
public:
    OwnerWatch(boost::asio::io_context& io, EventSink& sink) : io_(io), sink_(sink) {}
    /// By a pidfd; where none is to be had, by asking once a second.
    void watch(const ProcessKey& owner);
    void watch_scopes(const core::ScopeChain&);

private:
    struct Watched {
        explicit Watched(boost::asio::io_context& io, const ProcessKey& owner)
            : key(owner), pidfd(io), timer(io)
        {}
        ProcessKey key;
        boost::asio::posix::stream_descriptor pidfd;
        boost::asio::steady_timer timer;
    };
    void look(Watched&);
    void gone();
    void gone_soon();

    boost::asio::io_context& io_;
    EventSink& sink_;
    std::list<Watched> watched_; ///< each stays where it is
};

} // namespace bgt::supervise
