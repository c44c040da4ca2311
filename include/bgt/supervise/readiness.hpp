#pragma once
#include <bgt/supervise/collaborators.hpp>
#include <bgt/supervise/ready_watch.hpp>
#include <bgt/supervise/recorder.hpp>
#include <bgt/supervise/tree.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <optional>

namespace bgt::supervise {

/// The condition of readiness that is a message of the task itself (`--ready-notify`).
inline constexpr std::string_view notify_condition = "notify";

/// The event of an attempt that ended before it was ready: what a condition was answered last.
inline constexpr const char* not_ready_event = "not-ready";

/// Says Ready once all conditions of an attempt hold, or NeverReady. The conditions are watched by
/// a child (ReadyWatch), but for `notify`, which is told by announce().
class Readiness {
public:
    struct Parts {
        boost::asio::io_context& io;
        const store::TaskDir& task;
        const std::vector<std::string>& conditions; ///< none: the task is never called ready
        const std::string& cwd;
        Recorder& recorder;
        LifeSigns& signs;
        Helpers& helpers;
        EventSink& sink;
        /// The living processes of the tree, asked in another process.
        std::function<std::vector<os::ProcStat>()> members;
    };
    explicit Readiness(Parts parts) : with_(std::move(parts)), answer_(with_.io) {}

    /// For a new attempt, whose output begins at these places of out.log and err.log. Does nothing
    /// unless the task runs and is not ready yet.
    void begin(std::uint64_t out_from, std::uint64_t err_from);
    /// Nothing more is said of this attempt.
    void end();
    /// The same, and what was answered last goes into the events, where it is not ready yet.
    void attempt_ended();
    /// READY=1 came.
    void announce();

private:
    void await_answer();
    void keep(ReadyWatch::Answer);
    void on_answer();
    void never(const std::string& why);
    void check();

    Parts with_;
    boost::asio::posix::stream_descriptor answer_;
    std::optional<ReadyWatch> watch_;
    std::optional<ReadyWatch::Answer> last_answer_; ///< to a condition, while it is not ready
    bool conditions_hold_ = false;                  ///< those that are watched
    bool announced_ = false;                        ///< or not asked for
};

} // namespace bgt::supervise
