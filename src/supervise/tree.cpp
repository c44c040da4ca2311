#include <bgt/supervise/tree.hpp>

#include <bgt/os/background.hpp>

#include <set>
#include <unistd.h>

namespace bgt::supervise {
namespace {

/// When a large tree falls, its members end one by one: one look for all of them.
constexpr auto gather = std::chrono::milliseconds(2);

} // namespace

Tree::Sight OwnTree::look()
{
    Sight sight;
    const os::ReapResult result = os::reap_all();
    for (const os::Reaped& child : result.reaped) {
        if (child.pid != root_) continue;
        root_ = 0; // its pid may come again
        if (child.exited) sight.root_end = core::Exited{child.status};
        else sight.root_end = core::Signaled{child.status};
    }
    sight.empty = result.no_children;
    return sight;
}

std::vector<os::ProcStat> OwnTree::members()
{
    return os::descendants_of(getpid());
}

AdoptedTree::AdoptedTree(boost::asio::io_context& io, os::TreeMarks marks, bool root_end_known,
                         std::function<void()> changed)
    : io_(io), marks_(std::move(marks)), root_end_known_(root_end_known), changed_(std::move(changed)), soon_(io)
{
}

std::vector<os::ProcStat> AdoptedTree::members()
{
    return os::find_marked(marks_, {getpid()});
}

Tree::Sight AdoptedTree::look()
{
    Sight sight;
    std::vector<os::ProcStat> living = members();
    if (living.empty()) living = members();
    sight.empty = living.empty();
    watch(living);
    if (!root_end_known_ && !os::is_alive(marks_.root)) {
        root_end_known_ = true;
        sight.root_end = core::Unseen{};
    }
    return sight;
}

void AdoptedTree::watch(const std::vector<os::ProcStat>& living)
{
    std::set<store::ProcessKey> now;
    for (const os::ProcStat& member : living) now.insert(member.key);
    std::erase_if(watched_, [&](const auto& entry) { return !now.contains(entry.first); });
    for (const store::ProcessKey& key : now) {
        if (watched_.contains(key)) continue;
        std::optional<Fd> fd = os::open_pidfd(key);
        if (!fd) {
            member_ended();
            continue;
        }
        auto [place, added] = watched_.emplace(key, boost::asio::posix::stream_descriptor(io_, fd->release()));
        place->second.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](auto error) {
            if (!error) member_ended();
        });
    }
}

void AdoptedTree::member_ended()
{
    if (look_is_due_) return;
    look_is_due_ = true;
    soon_.expires_after(gather);
    soon_.async_wait([this](auto error) {
        if (error) return;
        look_is_due_ = false;
        changed_();
    });
}

std::uint32_t signal_all(const std::vector<os::ProcStat>& members, int signal)
{
    std::uint32_t sent = 0;
    for (const os::ProcStat& member : members) {
        const Result<bool> done = os::send_signal(member.key, signal);
        if (done && *done) ++sent;
    }
    return sent;
}

} // namespace bgt::supervise
