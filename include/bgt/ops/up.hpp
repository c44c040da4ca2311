#pragma once
/// The processes of a project: starts what is missing of them (`bgt up`), waits until they are
/// ready, ends them (`bgt down`). The names of its tasks are PROJECT:NAME (store/projects.hpp).
#include <bgt/config/project.hpp>
#include <bgt/ops/answer.hpp>
#include <bgt/ops/start.hpp>
#include <bgt/ops/stop.hpp>
#include <bgt/ops/submit.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace bgt::ops {

/// A process as the project describes it.
struct UpTask {
    config::PlannedTask plan; ///< its name in the project, and what it comes after
    /// How it starts: at once, or from a queue. The names, the dependencies within the project, and
    /// where none is given the queue (that of the project's name) are filled in by up().
    std::variant<StartRequest, SubmitRequest> request;
    bool is_job = false; ///< once it has ended with 0 it has been done, while others of them run
    std::map<std::string, std::string> table; ///< as store::ProjectTask has it
};

struct UpRequest {
    std::string folder;             ///< of the project, absolute
    std::vector<UpTask> tasks;      ///< all of its tasks
    std::vector<std::string> names; ///< only these, and what they come after; empty: all
    bool recreate = false;          ///< also ends and starts those whose table has changed
};

/// What became of one of them.
struct UpOne {
    enum class Act : std::uint8_t {
        started,   ///< now
        submitted, ///< now: it waits until it can start
        recreated, ///< started or submitted in place of one that ran
        there,     ///< it ran or waited already
        done,      ///< a job that ended with 0
    };
    std::string name; ///< in the project
    store::TaskId id;
    Act act = Act::there;
    std::vector<std::string> changed = {}; ///< keys of its table that it was started without; of
                                           ///< `recreated` and `there`
    bool is_job = false;
    std::vector<config::ComesAfter> after = {};
};
std::string_view to_string(UpOne::Act);

struct UpAnswer {
    std::string project;
    std::vector<UpOne> tasks; ///< in the order of their starts
    /// Living tasks of the project that it does not describe any more.
    std::vector<std::pair<std::string, store::TaskId>> unlisted;
};

/// `done` is told each as soon as it is known. Error: what is described makes no sense (nothing was
/// started), or one could not be started (those before it run). Hazard: forks; the caller must be
/// single-threaded.
Result<UpAnswer> up(store::Root&, UpRequest, const std::function<void(const UpOne&)>& done = {});

/// Whether one of them is ready: by its conditions; a job without any when it has ended with 0, any
/// other task when it was started and has not ended.
struct UpReadiness {
    enum class State : std::uint8_t {
        ready,
        failed,  ///< it never will be
        pending, ///< not yet
    };
    std::string name;
    store::TaskId id;
    State state = State::ready;
    std::string why;             ///< of those that are not, in words: "exited with code 1"
    std::string tail;            ///< the last bytes of their output, as written
    std::optional<int> own_code; ///< of those that failed and have ended
};
/// Until all of them are ready, one never will be, or the timeout has passed. In the order of the
/// answer.
Result<std::vector<UpReadiness>> await_up(store::Root&, const UpAnswer&,
                                          std::optional<Duration> timeout, Cancel = {});

struct DownRequest {
    std::string folder;             ///< of the project, absolute
    std::vector<std::string> names; ///< in the project; empty: all that live
    bool now = false;               ///< SIGKILL at once
    std::optional<Duration> timeout = {};
    std::function<void(const StopWait&)> waiting = {};
};
/// Those that come after others end first. Error (not_found): there is no such task of the project;
/// nothing was ended.
Result<Each<Stopped>> down(store::Root&, const DownRequest&, const Progress<Stopped>& = {},
                           Cancel = {});

} // namespace bgt::ops
