#include "supervisor.hpp"

#include "check_artifacts.hpp"
#include "end_hooks.hpp"
#include "independent.hpp"
#include "spawn_main.hpp"

#include "status_of.hpp"
#include <bgt/os/background.hpp>
#include <bgt/os/bounded_command.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/stdin_keeper.hpp>
#include <bgt/os/wait.hpp>
#include <bgt/store/history.hpp>
#include <bgt/store/remove.hpp>
#include <bgt/supervise/alerts.hpp>
#include <bgt/supervise/start.hpp>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <csignal>
#include <utility>

namespace bgt::supervise {
namespace {

constexpr int max_messages = 64;
constexpr int max_refused = 4; ///< of one turn; more of them are a flood
constexpr auto flood_pause = std::chrono::milliseconds(50);
/// Every this many tasks the folder is tidied; each tidying reads the whole folder.
constexpr std::int64_t prune_every = 64;
constexpr auto helpers_timeout = std::chrono::seconds(1);

bool is_unexplained_kill(const std::vector<store::EventField>& end)
{
    const auto has = [&](std::string_view key, const auto& value) {
        return std::ranges::any_of(end, [&](const store::EventField& field) {
            const auto* found = std::get_if<std::decay_t<decltype(value)>>(&field.value);
            return field.key == key && found != nullptr && *found == value;
        });
    };
    return has("signal", std::int64_t{SIGKILL}) &&
           has("reason", std::string(core::to_string(core::Reason::self)));
}

} // namespace

void remove_folder(std::optional<Removal> removal)
{
    if (!removal) return;
    Result<store::TaskDir> task = removal->root.open_task(removal->id);
    if (!task) return;
    removal->root.keep_record(removal->id);
    // Where its queue can't be told, it stays on record until a later pruning.
    static_cast<void>(
        store::remove_task(removal->root, removal->id, *std::move(task), os::boot_id()));
}

Supervisor::Supervisor(SupervisorResources resources, std::int32_t main_pid,
                       std::optional<os::TreeMarks> marks)
    : resources_(std::move(resources)),
      io_(resources_.sources->io),
      adopted_(std::move(marks)),
      tree_(tree_of(main_pid)),
      observer_(resources_.task.fd(), resources_.spec),
      clock_(io_, *this),
      output_({io_, resources_.out, resources_.err ? &*resources_.err : nullptr,
               resources_.sources->out, resources_.sources->err, resources_.task.lock_fd(),
               !resources_.spec.progress_pattern.empty(), resources_.recorder, observer_, helpers_,
               *this}),
      reports_({resources_.task, resources_.spec, resources_.root.path(), resources_.env,
                resources_.stdin_writer, resources_.recorder, *tree_, observer_, output_, helpers_,
                *this}),
      readiness_({io_, resources_.task, resources_.spec.ready, resources_.spec.cwd,
                  resources_.recorder, observer_, helpers_, *this,
                  [this, self = os::own_pid()] { return members_elsewhere(self); }}),
      notifications_(*tree_, clock_, resources_.recorder, *this, *this),
      requests_(can_start(), *tree_, resources_.recorder, reports_, *this, *this),
      owner_(io_, *this),
      control_timer_(io_),
      driver_(resources_.spec.policy, first_state(),
              {resources_.recorder, *tree_, clock_, *this, observer_, reports_, output_, *this})
{
    if (resources_.stdin_keeper > 0) helpers_.insert(resources_.stdin_keeper);
}

Supervisor::Supervisor(SupervisorResources resources, std::int32_t main_pid)
    : Supervisor(std::move(resources), main_pid, std::nullopt)
{
    observer_.begin(*resources_.recorder.status().started_at);
}

Supervisor::Supervisor(SupervisorResources resources, Adopt, os::TreeMarks marks)
    : Supervisor(std::move(resources), 0, std::optional(std::move(marks)))
{
    observer_.add_cpu(resources_.recorder.status().cpu_used);
}

std::unique_ptr<Tree> Supervisor::tree_of(std::int32_t main_pid)
{
    if (!adopted_) return std::make_unique<OwnTree>(helpers_, main_pid);
    const bool main_end_known =
        resources_.recorder.status().outcome.kind != core::OutcomeKind::none;
    return std::make_unique<AdoptedTree>(helpers_, io_, *adopted_, main_end_known,
                                         [this] { dispatch(core::Tick{}); });
}

core::State Supervisor::first_state()
{
    core::Policy& policy = resources_.spec.policy;
    const store::Status& status = resources_.recorder.status();
    const Instant now = os::now();
    core::State state;
    if (is_adopted()) state = state_of(status, now);
    if (policy.hang.cpu) state.hang_state.cpu.cores = os::core_count();
    if (!is_adopted())
        return core::step(policy, std::move(state), core::Started{}, *status.started_at)
            .state;     // on record already
    if (!can_start()) { // the environment was known to the one before only
        policy.restart_policy = {};
        if (policy.hang.on_hang == core::OnHang::restart) policy.hang.on_hang = core::OnHang::kill;
    }
    if (!can_start() || !resources_.watched) policy.awaits_changes = false;
    return core::take_over(policy, std::move(state), status.ready, status.attempt, now);
}

/// Of the tree, asked in another process than `supervisor`.
std::vector<os::ProcStat> Supervisor::members_elsewhere(std::int32_t supervisor) const
{
    return adopted_ ? os::find_marked(*adopted_, {supervisor, os::own_pid()})
                    : os::descendants_of(supervisor);
}

std::optional<Removal> Supervisor::run()
{
    watch_signals();
    output_.watch();
    watch_control();
    if (resources_.spec.owner) owner_.watch(*resources_.spec.owner);
    owner_.watch_scopes(resources_.spec.scopes);
    watch_readiness();
    watch_files();
    begin_pruning();
    dispatch(core::Tick{}); // arms the timer, and sees what ended meanwhile
    // Not before: the command may be short, and has its own processor to itself then.
    if (core::lifecycle(state()) == core::Lifecycle::running) oom_ = os::OomCounter::begin();
    os::give_back_memory(); // what the caller of fork() had taken
    io_.run();
    if (!removes_folder_) return std::nullopt;
    return Removal{std::move(resources_.root), resources_.task.id()};
}

/// At a start and not at an end, which some wait for. In a process of its own, as it may take long.
void Supervisor::begin_pruning()
{
    if (is_adopted() || resources_.task.id().value % prune_every != 0) return;
    resources_.retention.thorough = false; // `bgt gc` looks for what a crash left, too
    const Result<pid_t> child = os::fork_helper({resources_.root.fd()}, true, [this] {
        static_cast<void>(store::prune(resources_.root, resources_.retention, os::wall_now(), false,
                                       os::boot_id()));
        return 0;
    });
    if (child) helpers_.insert(*child); // without one, the next task does it
}

/// So that none becomes a zombie of a PID 1 that reaps nobody. A user's hook may take long.
void Supervisor::reap_helpers()
{
    const Instant deadline = os::now() + helpers_timeout;
    const auto is_hook = [&](std::int32_t helper) {
        return helper == alert_helper_ || reports_.hooks().contains(helper) ||
               std::ranges::find(*end_hooks_, helper) != end_hooks_->end();
    };
    for (const std::int32_t helper : helpers_)
        if (!is_hook(helper)) os::reap_until(helper, deadline);
}

void Supervisor::watch_signals()
{
    resources_.sources->signals.async_wait(Stream::wait_read, [this](auto error) {
        if (error) return;
        on_signals();
        watch_signals();
    });
}

void Supervisor::on_signals()
{
    const bool told_to_end = os::take_signals(resources_.sources->signals.native_handle());
    if (told_to_end && is_adopted()) {
        // Its tree are not our children: they lose nothing with us, and the next verb takes over
        // again.
        io_.stop();
        return;
    }
    if (told_to_end) dispatch(core::StopRequested{core::Reason::shutdown, false, std::nullopt});
    else dispatch(core::Tick{});
}

void Supervisor::watch_control()
{
    resources_.sources->control.async_wait(Stream::wait_read, [this](auto error) {
        if (error) return;
        int refused = 0;
        // A bound, so that a flood of messages keeps neither output nor timers waiting.
        for (int i = 0; i < max_messages; ++i) {
            const std::optional<os::Datagram> message = resources_.control.receive();
            if (!message) break;
            if (!take_message(*message)) ++refused;
        }
        if (refused < max_refused && !resources_.control.was_flooded()) return watch_control();
        // Strangers write without end. The kernel keeps a few messages and makes their senders
        // wait.
        control_timer_.expires_after(flood_pause);
        control_timer_.async_wait([this](auto stopped) {
            if (!stopped) watch_control();
        });
    });
}

/// False: it is a stranger's.
bool Supervisor::take_message(const os::Datagram& message)
{
    // Anybody who finds the socket can write to it; only this user and root are heard.
    if (!os::is_trusted(message)) return false;
    if (!message.bytes.starts_with('{')) return notifications_.take(message);
    const Result<Request> request = decode_request(message.bytes);
    const auto answer = [&](const Request& wanted) {
        return wanted.op == Request::Op::start_beside ? start_beside(message)
                                                      : requests_.answer(wanted);
    };
    const Answer reply = request ? answer(*request) : Answer{request.error().message, 0};
    resources_.control.reply(message, encode_answer(reply));
    return true;
}

void Supervisor::watch_readiness()
{
    const store::Status& status = resources_.recorder.status();
    if (is_adopted()) readiness_.begin(status.freed_bytes, status.freed_err_bytes);
    else readiness_.begin(output_.attempt_from().first, output_.attempt_from().second);
}

void Supervisor::watch_files()
{
    if (!resources_.spec.watch) return;
    if (!can_start() || !resources_.watched) {
        resources_.recorder.event(
            "watch-ended",
            {{"why", std::string(can_start() ? "its folders can't be watched" : no_environment)}});
        return;
    }
    changes_.emplace(
        ChangeWatch::Parts{io_, *resources_.spec.watch, resources_.recorder, *tree_, *this},
        std::move(resources_.watched));
    changes_->begin();
}

std::string Supervisor::pause_watch()
{
    if (!changes_) return "it watches no files";
    changes_->pause();
    return {};
}

void Supervisor::resume_watch()
{
    if (!changes_) return;
    changes_->resume();
    changes_->state_changes();
}

void Supervisor::watch_readiness_again()
{
    watch_readiness();
    readiness_.announce(); // what it said once holds
}

Result<ProcessKey> Supervisor::spawn(std::uint32_t attempt)
{
    BGT_TRY(spawn_main(resources_, attempt));
    return resources_.recorder.status().main_process;
}

void Supervisor::attempt_started()
{
    oom_ = os::OomCounter::begin();
    boost::asio::post(io_, [this] { watch_readiness(); }); // once the core knows that it runs
}

void Supervisor::attempt_ended()
{
    readiness_.attempt_ended();
    if (changes_) changes_->state_changes();
}

void Supervisor::tell_of_kernel(std::vector<store::EventField>& fields)
{
    const std::optional<std::uint64_t> killed = oom_ ? oom_->killed() : std::nullopt;
    // That there was none is worth a word only where a SIGKILL is to be explained.
    if (!killed || (*killed == 0 && !is_unexplained_kill(fields))) return;
    fields.push_back({"oom_kills", static_cast<std::int64_t>(*killed)});
    fields.push_back({"oom_scope", std::string(oom_->is_of_machine() ? "machine" : "cgroup")});
}

void Supervisor::heartbeat()
{
    observer_.beat(os::now());
}

void Supervisor::pass(Duration time)
{
    output_.take_until(-1, os::now() + time);
}

void Supervisor::close_stdin()
{
    if (!resources_.stdin_writer) return;
    if (helpers_.contains(resources_.stdin_keeper)) os::kill_child(resources_.stdin_keeper);
    else os::end_stdin_keeper(resources_.stdin_writer.get());
    resources_.stdin_writer.reset();
}

void Supervisor::task_ends()
{
    if (is_adopted() || resources_.recorder.has_results())
        check_artifacts(resources_.task, resources_.recorder);
}

/// Whoever waits for the task knows already, and the marker stays until this is done: if this
/// process is killed before, whoever removes the marker does it.
void Supervisor::task_ended()
{
    if (changes_) changes_->end();
    store::PastUsage usage;
    usage.hangs = reports_.hangs();
    if (!is_adopted()) { // the tree of another was not waited for
        usage.cpu = std::max(os::reaped_cpu() - observer_.left_out(), Duration::zero());
        usage.max_memory = os::reaped_max_memory();
    }
    static_cast<void>(store::append_history(resources_.root, resources_.spec,
                                            resources_.recorder.status(), os::wall_now(), usage));
    // Kept leftovers may live for long after the end.
    const auto* ended = std::get_if<core::Ended>(&state().phase);
    if (ended && ended->tree_lives) start_end_hooks();
}

void Supervisor::start_end_hooks()
{
    if (end_hooks_) return;
    end_hooks_ =
        supervise::start_end_hooks({resources_.task, resources_.spec, resources_.root.path(),
                                    resources_.env, resources_.recorder});
    helpers_.insert(end_hooks_->begin(), end_hooks_->end());
    look_at_alerts();
}

/// The record of this task is in the history. What can't be found out now is at the next end.
void Supervisor::look_at_alerts()
{
    const Result<pid_t> helper =
        look_at_alerts_apart(resources_.root, {.what = AlertOccasion::What::ended,
                                               .task = resources_.task.id(),
                                               .name = resources_.spec.name});
    if (!helper || *helper == 0) return;
    alert_helper_ = *helper;
    helpers_.insert(alert_helper_);
}

/// They live no longer than their supervisor. What went wrong with one of them is shown, so the
/// folder stays.
void Supervisor::await_hooks()
{
    std::vector<std::int32_t> hooks = *end_hooks_;
    hooks.insert(hooks.end(), reports_.hooks().begin(), reports_.hooks().end());
    if (hooks.empty() ||
        await_user_hooks(std::move(hooks), resources_.sources->signals.native_handle()))
        return;
    os::kill_descendants(); // of one whose watcher was killed
    removes_folder_ = false;
}

void Supervisor::release()
{
    readiness_.attempt_ended();
    const auto* ended = std::get_if<core::Ended>(&state().phase);
    output_.drain(ended && ended->tree_lives); // what kept leftovers wrote last
    output_.end_stages();
    close_stdin(); // kept leftovers have nobody who could send them more
    // The one before may have been killed between the end of the task and this; it counts once.
    if (is_adopted()) task_ended();
    const store::TaskId id = resources_.task.id();
    // What could not be removed is found by its marker, at the next pruning.
    if (resources_.task.remove_channels()) static_cast<void>(resources_.root.unmark_active(id));
    removes_folder_ = resources_.spec.remove_when_ended;
    run_end_hook(resources_.root);
    start_end_hooks();
    reap_helpers();
    await_hooks();
    os::reap_all(); // what a helper that was killed had started itself
    io_.stop();
}

} // namespace bgt::supervise
