#pragma once
/// The tree of one task as its supervisor sees it.
#include <bgt/core/step.hpp>
#include <bgt/os/tree.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <optional>
#include <set>

namespace bgt::supervise {

/// Children of the supervisor that are no members of the tree: it started them for itself. They and
/// their descendants are never seen as members and never signalled.
using Helpers = std::set<std::int32_t>;

class Tree {
public:
    explicit Tree(Helpers& helpers) : helpers_(helpers) {}
    virtual ~Tree() = default;
    struct Changes {
        std::optional<core::MainEnd> main_end; ///< seen for the first time
        bool empty = false;                    ///< proven: no process of the tree is left
        Duration helpers_cpu{};                ///< of helpers that ended
    };
    /// What has ended since the last call.
    virtual Changes poll() = 0;
    /// The living members, parents before children. A listing that raced with forks can miss some.
    virtual std::vector<os::ProcStat> members() = 0;
    /// Whether a living process belongs to the tree.
    virtual bool has(std::int32_t pid) = 0;
    /// Another attempt has this main process; the tree of the one before is empty.
    virtual void new_main_process(std::int32_t pid) = 0;
    /// Sends a signal to each; returns how many got it.
    virtual std::uint32_t signal(const std::vector<os::ProcStat>&, int signal);

protected:
    Helpers& helpers_; ///< one that has ended is taken out by poll()
};

/// The tree of the supervisor that started it: its own descendants. Emptiness is the kernel's word
/// (ECHILD); while a helper lives, it is that no other process is a child of ours, as every orphan
/// of the tree becomes one.
class OwnTree : public Tree {
public:
    OwnTree(Helpers& helpers, std::int32_t main_pid) : Tree(helpers), main_process_(main_pid) {}
    Changes poll() override;
    std::vector<os::ProcStat> members() override;
    bool has(std::int32_t pid) override;
    void new_main_process(std::int32_t pid) override { main_process_ = pid; }

private:
    bool only_helpers_live() const;

    std::int32_t main_process_;
};

/// The tree of a supervisor that took over: strangers' children, found by the marks they carry.
/// Empty is what two listings in a row say. `changed` is called when a member has ended.
class AdoptedTree : public Tree {
public:
    AdoptedTree(Helpers&, boost::asio::io_context&, os::TreeMarks, bool main_end_known,
                std::function<void()> changed);
    Changes poll() override;
    std::vector<os::ProcStat> members() override;
    bool has(std::int32_t pid) override;
    /// A child of ours, as those of a supervisor that took over nothing are: from here on it is an
    /// OwnTree.
    void new_main_process(std::int32_t pid) override;

private:
    void watch(const std::vector<os::ProcStat>&);
    void poll_in(Duration);

    std::optional<OwnTree> own_; ///< after another attempt was started
    boost::asio::io_context& io_;
    os::TreeMarks marks_;
    bool main_end_known_;
    std::function<void()> changed_;
    std::map<ProcessKey, boost::asio::posix::stream_descriptor> watched_;
    boost::asio::steady_timer soon_;
    bool poll_is_due_ = false;
};

} // namespace bgt::supervise
