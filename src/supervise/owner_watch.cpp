#include <bgt/supervise/owner_watch.hpp>

#include <boost/asio/post.hpp>

namespace bgt::supervise {
namespace {

constexpr auto poll_interval = std::chrono::seconds(1);

} // namespace

void OwnerWatch::watch(const ProcessKey& owner)
{
    std::optional<Fd> fd = os::open_pidfd(owner);
    boost::system::error_code refused;
    if (fd) pidfd_.assign(fd->get(), refused);
    if (refused || (!fd && os::is_alive(owner))) {
        // No pidfd to be had or to be waited for: a sandbox, or no descriptor left.
        timer_.expires_after(poll_interval);
        timer_.async_wait([this, owner](auto error) {
            if (!error) watch(owner);
        });
        return;
    }
    if (!fd) {
        boost::asio::post(io_, [this] { gone(); });
        return;
    }
    fd->release();
    pidfd_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](auto error) {
        if (!error) gone();
    });
}

void OwnerWatch::gone()
{
    sink_.dispatch(core::StopRequested{core::Reason::owner_gone, false, std::nullopt});
}

} // namespace bgt::supervise
