#pragma once
#include "observer.hpp"
#include <bgt/os/evidence.hpp>
#include <bgt/supervise/collaborators.hpp>
#include <bgt/supervise/recorder.hpp>
#include <bgt/supervise/tree.hpp>

namespace bgt::supervise {

/// Reports written by a process of their own with a deadline, while output goes on flowing: what is
/// inspected may hang in the kernel, and so may who inspects it.
class HangReports final : public HangReporter {
public:
    struct Parts {
        const store::TaskDir& task;
        const store::TaskSpec& spec;
        const std::string& root;             ///< the state root's path, for the hook
        const std::vector<std::string>& env; ///< of the command, for the hook
        const Fd& stdin_writer;
        Recorder& recorder;
        Tree& tree;
        Observer& observer;
        TaskOutput& output;
        Helpers& helpers;
        EventSink& sink;
    };
    explicit HangReports(const Parts& parts) : with_(parts) {}

    std::optional<std::uint32_t> report(core::Reason rule) override;
    void run_hook(core::Reason rule) override;
    /// The processes that run or ran the user's command.
    const Helpers& hooks() const { return hooks_; }
    /// How often a hang rule has fired.
    std::uint32_t hangs() const { return hangs_; }

private:
    int write(const os::GatherRequest&, core::Reason rule, Instant now) const;
    std::optional<std::uint32_t> await(pid_t writer, core::Reason rule);

    Parts with_;
    std::optional<std::uint32_t> last_;
    std::uint32_t hangs_ = 0;
    Helpers hooks_;
};

} // namespace bgt::supervise
