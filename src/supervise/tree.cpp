#include <bgt/supervise/tree.hpp>

#include <bgt/os/background.hpp>
#include <bgt/os/proc_dir.hpp>

#include <algorithm>
#include <sys/resource.h>
#include <unistd.h>

namespace bgt::supervise {
namespace {

/// When a large tree falls, its members end one by one: they are polled once for all.
constexpr auto gather = std::chrono::milliseconds(2);
/// Where not every member can be watched, they are polled.
constexpr auto poll_again = std::chrono::seconds(1);
constexpr int max_depth = 1000;

std::size_t max_watched()
{
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 256;
    return limit.rlim_cur < 128 ? 0 : limit.rlim_cur / 2; // what is few is needed for reading /proc
}

} // namespace

Tree::Changes OwnTree::poll()
{
    Changes changes;
    const os::ReapResult result = os::reap_all();
    for (const os::Reaped& child : result.reaped) {
        if (helpers_.erase(child.pid) > 0) changes.helpers_cpu += child.cpu;
        if (child.pid != main_process_) continue;
        main_process_ = 0; // its pid may come again
        if (child.exited) changes.main_end = core::Exited{child.status};
        else changes.main_end = core::Signaled{child.status};
    }
    changes.empty = result.no_children || only_helpers_live();
    return changes;
}

/// Asked twice: a list of children that is read while one of them ends can miss its neighbour (man
/// 5 proc).
bool OwnTree::only_helpers_live() const
{
    if (helpers_.empty()) return false;
    const os::ProcDir proc;
    for (int i = 0; i < 2; ++i) {
        const auto children = proc.children(os::own_pid());
        if (!children || !std::ranges::all_of(
                             *children, [&](std::int32_t pid) { return helpers_.contains(pid); }))
            return false;
    }
    return true;
}

std::vector<os::ProcStat> OwnTree::members()
{
    return os::without_trees(os::descendants_of(os::own_pid()), helpers_);
}

bool OwnTree::has(std::int32_t pid)
{
    const os::ProcDir proc;
    for (int depth = 0; depth < max_depth && pid > 1; ++depth) {
        if (helpers_.contains(pid)) return false;
        const auto stat = proc.stat(pid);
        if (!stat) return false;
        if (stat->ppid == os::own_pid()) return !helpers_.contains(pid);
        pid = stat->ppid;
    }
    return false;
}

AdoptedTree::AdoptedTree(Helpers& helpers, boost::asio::io_context& io, os::TreeMarks marks,
                         bool main_end_known, std::function<void()> changed)
    : Tree(helpers),
      io_(io),
      marks_(std::move(marks)),
      main_end_known_(main_end_known),
      changed_(std::move(changed)),
      soon_(io)
{}

std::vector<os::ProcStat> AdoptedTree::members()
{
    if (own_) return own_->members();
    std::vector<std::int32_t> except{os::own_pid()};
    except.insert(except.end(), helpers_.begin(), helpers_.end());
    return os::find_marked(marks_, except);
}

bool AdoptedTree::has(std::int32_t pid)
{
    if (own_) return own_->has(pid);
    return std::ranges::any_of(members(),
                               [&](const os::ProcStat& member) { return member.key.pid == pid; });
}

Tree::Changes AdoptedTree::poll()
{
    if (own_) return own_->poll();
    Changes changes;
    for (const os::Reaped& child : os::reap_all().reaped)
        helpers_.erase(child.pid); // it has no other children
    std::vector<os::ProcStat> living = members();
    if (living.empty()) living = members();
    // Nothing found is a proof only where something could have been found.
    changes.empty = living.empty() && os::can_look();
    watch(living);
    if (!main_end_known_ && !os::is_alive(marks_.main_process)) {
        main_end_known_ = true;
        changes.main_end = core::Unseen{};
    }
    return changes;
}

void AdoptedTree::new_main_process(std::int32_t pid)
{
    watched_.clear();
    own_.emplace(helpers_, pid);
}

void AdoptedTree::watch(const std::vector<os::ProcStat>& living)
{
    std::set<ProcessKey> now;
    for (const os::ProcStat& member : living) now.insert(member.key);
    std::erase_if(watched_, [&](const auto& entry) { return !now.contains(entry.first); });
    const std::size_t most = max_watched();
    for (const ProcessKey& key : now) {
        if (watched_.contains(key)) continue;
        std::optional<Fd> fd;
        if (watched_.size() < most) fd = os::open_pidfd(key);
        if (!fd) {
            poll_in(watched_.size() < most && !os::is_alive(key) ? Duration(gather)
                                                                 : Duration(poll_again));
            continue;
        }
        boost::asio::posix::stream_descriptor stream(io_);
        boost::system::error_code refused;
        stream.assign(fd->get(), refused);
        if (refused) {
            poll_in(poll_again);
            continue;
        }
        fd->release();
        auto [place, added] = watched_.emplace(key, std::move(stream));
        place->second.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                                 [this](auto error) {
                                     if (!error) poll_in(gather);
                                 });
    }
}

void AdoptedTree::poll_in(Duration time)
{
    const auto date = std::chrono::steady_clock::now() + time;
    if (poll_is_due_ && soon_.expiry() <= date) return;
    poll_is_due_ = true;
    soon_.expires_at(date);
    soon_.async_wait([this](auto error) {
        if (error) return;
        poll_is_due_ = false;
        changed_();
    });
}

std::uint32_t Tree::signal(const std::vector<os::ProcStat>& members, int signal)
{
    std::uint32_t sent = 0;
    for (const os::ProcStat& member : members) {
        const Result<bool> done = os::send_signal(member.key, signal);
        if (done && *done) ++sent;
    }
    return sent;
}

} // namespace bgt::supervise
