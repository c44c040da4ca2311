#include <bgt/supervise/owner_watch.hpp>

#include <bgt/os/clock.hpp>

#include <boost/asio/post.hpp>

namespace bgt::supervise {
namespace {

constexpr auto poll_interval = std::chrono::seconds(1);

} // namespace

std::optional<std::int32_t> ended_scope(const core::ScopeChain& scopes)
{
    for (const ProcessKey& scope : scopes.processes)
        if (scopes.boot != os::boot_id() || !os::is_alive(scope)) return scope.pid;
    return std::nullopt;
}

void OwnerWatch::watch(const ProcessKey& owner)
{
    look(watched_.emplace_back(io_, owner));
}

void OwnerWatch::watch_scopes(const core::ScopeChain& scopes)
{
    if (!scopes.empty() && scopes.boot != os::boot_id()) return gone_soon();
    for (const ProcessKey& scope : scopes.processes) watch(scope);
}

void OwnerWatch::look(Watched& owner)
{
    std::optional<Fd> fd = os::open_pidfd(owner.key);
    boost::system::error_code refused;
    if (fd) owner.pidfd.assign(fd->get(), refused);
    if (refused || (!fd && os::is_alive(owner.key))) {
        // No pidfd to be had or to be waited for: a sandbox, or no descriptor left.
        owner.timer.expires_after(poll_interval);
        owner.timer.async_wait([this, &owner](auto error) {
            if (!error) look(owner);
        });
        return;
    }
    if (!fd) return gone_soon();
    fd->release();
    owner.pidfd.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](auto error) {
        if (!error) gone();
    });
}

void OwnerWatch::gone_soon()
{
    boost::asio::post(io_, [this] { gone(); });
}

void OwnerWatch::gone()
{
    sink_.dispatch(core::StopRequested{core::Reason::owner_gone, false, std::nullopt});
}

} // namespace bgt::supervise
