#include <bgt/supervise/recover.hpp>

#include "supervisor_resources.hpp"
#include <bgt/base/descriptor.hpp>
#include <bgt/os/background.hpp>
#include <bgt/os/beside.hpp>
#include <bgt/os/caller_limits.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/descriptors.hpp>
#include <bgt/os/tree.hpp>
#include <bgt/os/wait.hpp>
#include <bgt/store/environment.hpp>
#include <bgt/store/history.hpp>
#include <bgt/store/queue_view.hpp>
#include <bgt/store/status_slots.hpp>
#include <bgt/store/task_marks.hpp>
#include <bgt/supervise/recorder.hpp>

#include "spawn_main.hpp"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <limits>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::supervise {
namespace {

/// How long another process may take to recover the same task.
constexpr auto recovery_timeout = std::chrono::seconds(5);

/// The streams whose newest bytes died with the supervisor before, and the process that kept what
/// it had taken.
std::vector<store::EventField> lost_output(const store::TaskDir& task)
{
    std::vector<store::EventField> streams;
    if (LogPump::take_loss(task, LogPump::out_files))
        streams.push_back({"stream", std::string("out")});
    if (LogPump::take_loss(task, LogPump::err_files))
        streams.push_back({"stream", std::string("err")});
    return streams;
}
store::EventField at_most()
{
    return {"at_most", static_cast<std::int64_t>(LogPump::high_throughput_capacity)};
}

/// The record of a task that nothing is left of. What the dead supervisor saw stays; what it did
/// not see is not made up.
void put_end(store::Status& status, core::OutcomeKind unseen)
{
    status.lifecycle = core::Lifecycle::ended;
    if (status.outcome.kind == core::OutcomeKind::none) status.outcome.kind = unseen;
    status.tree_lives = false;
    status.paused = false;
    status.kill_by.reset();
    status.survivors.clear();
}

const char* why_ended(const store::Status& status, bool rebooted)
{
    if (status.outcome.kind == core::OutcomeKind::not_started)
        return "its supervisor died before it started the command";
    if (status.copied)
        return "this folder is a copy; the task itself belongs to the folder that was copied";
    return rebooted ? "the machine restarted"
                    : "its supervisor died, and nothing of its tree lives";
}

Result<void> record_end(store::Root& root, const store::TaskDir& task, const store::TaskSpec& spec,
                        const store::Status& status, bool rebooted)
{
    Result<store::StatusWriter> writer = store::StatusWriter::open(task.fd());
    if (!writer) return writer.error();
    if (Result<void> written = writer->write(status); !written) return written;
    if (const Result<Fd> events = task.open(store::file::events, O_RDWR | O_CREAT | O_APPEND)) {
        const bool started = status.outcome.kind != core::OutcomeKind::not_started;
        static_cast<void>(store::append_event(events->get(), os::wall_now(),
                                              started ? "lost" : "not-started",
                                              {{"why", std::string(why_ended(status, rebooted))}}));
        for (const store::EventField& stream : lost_output(task))
            static_cast<void>(store::append_event(events->get(), os::wall_now(), "output-lost",
                                                  {stream, at_most()}));
    }
    static_cast<void>(store::append_history(root, spec, status, os::wall_now()));
    tell_end(root.fd(), task, status.name, status.outcome,
             {{"why", std::string(why_ended(status, rebooted))}});
    if (!task.remove_channels()) return {}; // found by its marker, at the next pruning
    return root.unmark_active(task.id());
}

/// The marks that this folder makes are not those that its task was started with. See
/// store::make_marks.
bool is_copy(const store::TaskSpec& spec, const store::Status& status, const os::TreeMarks& marks)
{
    return status.secret != store::Secret{} && !spec.cookie.empty() && !marks.cookie.empty() &&
           spec.cookie != marks.cookie;
}

/// A supervisor killed between the start and its first record did not say which process is the
/// root: it leads its session, and is the oldest that does.
void find_main_process(os::TreeMarks& marks, const std::vector<os::ProcStat>& living)
{
    if (marks.main_process.pid != 0) return;
    for (const os::ProcStat& member : living) {
        const bool leads = member.session == member.key.pid;
        const bool older =
            marks.main_process.pid == 0 || member.key.start_ticks < marks.main_process.start_ticks;
        if (leads && older) marks.main_process = member.key;
    }
    marks.session = marks.main_process.pid;
}

/// What is done by when the spec of a running task can't be read: its end is waited for, nothing is
/// decided.
store::TaskSpec unreadable_spec(store::TaskId id)
{
    store::TaskSpec spec;
    spec.id = id;
    spec.policy.leftover = core::Leftover::wait;
    return spec;
}

/// The life of a supervisor that takes over.
int supervise_adopted(store::Root root, store::TaskDir task, store::TaskSpec spec,
                      os::TreeMarks marks, Fd report)
{
    // A verb inside another task that takes over must not be found as a member of that task by its
    // environment.
    os::hide_variable(os::cookie_variable);
    os::lift_limits();
    os::allow_descriptors(std::numeric_limits<std::size_t>::max()); // one a member
    Result<SupervisorResources> resources =
        open_resources(std::move(root), std::move(task), std::move(spec), {});
    const Result<void> spare =
        resources ? os::check_spare_descriptors() : Result<void>(resources.error());
    if (!spare) {
        send_report(report.get(), {false, spare.error()});
        return 1;
    }
    if (auto kept = store::read_environment(resources->task.fd()); kept && *kept)
        resources->env = environment_of(*resources, **std::move(kept));
    static_cast<void>(watch_files(*resources)); // where that can't be, the events say so
    store::Status& status = resources->recorder.status();
    status.main_process = marks.main_process;
    if (status.lifecycle == core::Lifecycle::starting) status.lifecycle = core::Lifecycle::running;
    if (!status.started) status.started = os::wall_now();
    if (!status.started_at) status.started_at = os::now();
    status.adopted = true;
    status.supervisor = os::own_key();
    resources->recorder.save();
    // Only the supervisor before this one knew another level.
    resources->recorder.publish(resources->root.fd(), resources->task.id(), resources->spec.name,
                                core::EventLevel::info);
    resources->recorder.event("adopted");
    for (const store::EventField& stream : lost_output(resources->task))
        resources->recorder.event("output-lost", {stream, at_most()});
    send_report(report.get(), {true, {}});
    report.reset();
    std::optional<Removal> removal =
        Supervisor(std::move(*resources), Supervisor::Adopt{}, std::move(marks)).run();
    remove_folder(
        std::move(removal)); // not in the same expression: the supervisor would still be there
    return 0;
}

Result<void> adopt(store::Root& root, store::TaskDir task, store::TaskSpec spec,
                   os::TreeMarks marks)
{
    Result<Pipe> pipe = make_pipe("a pipe to the supervisor");
    if (!pipe) return pipe.error();
    Fd reader = std::move(pipe->reader), report = std::move(pipe->writer);
    Result<store::Root> own = store::Root::open(root.path(), store::Root::IfMissing::empty);
    if (!own) return own.error();
    const std::string title = fmt::format("bgt:{}", task.id().value);
    const std::vector<int> keep{own->fd(), task.fd(), task.lock_fd(), report.get()};
    const Result<pid_t> pid = os::fork_supervisor(keep, title, [&] {
        return supervise_adopted(std::move(*own), std::move(task), std::move(spec),
                                 std::move(marks), std::move(report));
    });
    if (!pid) return pid.error();
    report.reset();
    task = store::TaskDir{};
    const std::optional<StartReport> answer = receive_report(reader.get());
    if (!answer) return Error::failed("the supervisor that took over was killed");
    if (answer->started) return {};
    os::reap(*pid); // it ends now, and only then lets go of the lock
    return answer->error;
}

/// Another process holds the lock: it has taken over, or is about to say that all is lost.
Result<store::Status> after_other(const store::TaskDir& task)
{
    const Instant deadline = os::now() + recovery_timeout;
    while (true) {
        Result<store::Status> status = store::read_status(task.fd());
        if (!status || store::is_final(*status) || os::now() > deadline) return status;
        const bool supervised = status->supervisor.pid > 0 && os::is_alive(status->supervisor);
        if (supervised || status->lifecycle == core::Lifecycle::starting) return status;
        os::pause_for(std::chrono::milliseconds(1));
    }
}

} // namespace

Result<os::TreeMarks> marks_of(const store::TaskDir& task, const store::TaskSpec& spec,
                               const store::Status& status)
{
    const auto cant_look = [&] {
        return Error::failed(
            fmt::format("can't look at {}: {}", task.path(), std::strerror(errno)));
    };
    os::TreeMarks marks;
    marks.main_process = status.main_process;
    marks.session = status.main_process.pid;
    struct stat info {};
    if (fstatat(task.fd(), store::file::out_fifo, &info, AT_SYMLINK_NOFOLLOW) == 0) {
        if (S_ISFIFO(info.st_mode)) marks.fifo = {info.st_dev, info.st_ino};
    } else if (errno != ENOENT) {
        return cant_look();
    }
    if (status.secret != store::Secret{}) {
        const Result<store::TaskMarks> made = store::make_marks(status.secret, task);
        if (!made) return made.error();
        marks.cookie = made->cookie;
        marks.mark_bits = made->mark_bits;
        return marks;
    }
    marks.cookie = spec.cookie;
    marks.mark_bits = spec.mark;
    if (fstat(task.fd(), &info) != 0) return cant_look();
    marks.folder = os::FileId{info.st_dev, info.st_ino};
    return marks;
}

bool is_linked_copy(const store::TaskDir& task, const store::Status& status)
{
    struct stat info {};
    // A lock has two names: in the folder of its task and in active/.
    if (fstatat(task.fd(), store::file::lock, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
        info.st_nlink <= 2)
        return false;
    const Result<store::TaskSpec> spec = store::read_spec(task.fd());
    if (!spec) return false;
    const Result<os::TreeMarks> marks = marks_of(task, *spec, status);
    return marks && is_copy(*spec, status, *marks);
}

core::TaskFacts facts_of(const store::Status& status)
{
    core::TaskFacts facts;
    facts.lifecycle = status.lifecycle;
    facts.tree_lives = status.tree_lives;
    facts.was_started = store::was_started(status);
    facts.start_is_exact = status.secret != store::Secret{}; // both came with the same bgt
    const BootId& boot = os::boot_id();
    // Where it can't be read now, nobody knows of a restart: whoever lives is found all the same. A
    // record without one is of no boot that could be this: its pids may be strangers by now.
    facts.rebooted = boot != BootId{} && status.boot != boot;
    return facts;
}

namespace {

/// What lives of the tree. Who is told to be lost is so for good: one look may miss who forks just
/// then, or meet a passing error.
core::TreeState look_at_tree(os::TreeMarks& marks)
{
    for (int look = 0; look < 2; ++look) {
        const std::vector<os::ProcStat> living = os::find_marked(marks, {os::own_pid()});
        if (living.empty()) continue;
        find_main_process(marks, living);
        return core::TreeState::lives;
    }
    return os::can_look() ? core::TreeState::none : core::TreeState::unknown;
}

} // namespace

core::TreeState tree_without_record(const store::TaskDir& task)
{
    const Result<store::TaskSpec> read = store::read_spec(task.fd());
    Result<os::TreeMarks> marks = marks_of(task, read ? *read : unreadable_spec(task.id()), {});
    return marks ? look_at_tree(*marks) : core::TreeState::unknown;
}

Result<store::Status> recover(store::Root& root, store::TaskId id, store::Status status)
{
    Result<store::TaskDir> task = root.open_task(id);
    if (!task) return task.error();
    const Result<bool> locked = task->try_lock();
    if (locked && !*locked && is_linked_copy(*task, status)) {
        status.copied = true; // not recorded: the record may be that of the task itself
        put_end(status, core::OutcomeKind::lost);
        return status;
    }
    if (locked && !*locked) return after_other(*task);
    if (locked) {
        // It may have ended just before the lock was free.
        Result<store::Status> again = store::read_status(task->fd());
        if (!again) return again.error();
        status = std::move(*again);
    }
    const Result<store::TaskSpec> read = store::read_spec(task->fd());
    store::TaskSpec spec = read ? *read : unreadable_spec(id);
    Result<os::TreeMarks> marks = marks_of(*task, spec, status);
    if (!marks)
        return marks
            .error(); // without them a living tree would not be found, and be recorded as lost
    core::TaskFacts facts = facts_of(status);
    facts.lock = core::LockState::free;
    // The one that can't be read may be the newer one, and say that the command was executed.
    if (store::has_damaged_slot(task->fd())) facts.start_is_exact = false;
    core::Recovery recovery = core::recovery_for(facts);
    if (recovery == core::Recovery::look) {
        facts.tree = look_at_tree(*marks);
        recovery = core::recovery_for(facts);
    }
    switch (recovery) {
    case core::Recovery::none: return status;
    case core::Recovery::look:
    case core::Recovery::unknown:
        return Error::failed(
            fmt::format("can't tell whether task {} lives: /proc can't be read", id.value));
    case core::Recovery::record_not_started:
        if (store::is_queued(root, id,
                             os::boot_id())) { // it waits again: the dispatcher takes it back
            status.lifecycle = core::Lifecycle::queued;
            return status;
        }
        [[fallthrough]];
    case core::Recovery::record_end: {
        const bool started = recovery == core::Recovery::record_end;
        status.copied = started && is_copy(spec, status, *marks);
        put_end(status, started ? core::OutcomeKind::lost : core::OutcomeKind::not_started);
        if (locked) static_cast<void>(record_end(root, *task, spec, status, facts.rebooted));
        return status;
    }
    case core::Recovery::adopt: break;
    }
    if (!locked) return status; // it lives; nobody can watch over it from here
    const Result<void> adopted = adopt(root, std::move(*task), std::move(spec), std::move(*marks));
    if (!adopted) return adopted.error();
    return store::read_status_at(root.fd(), id);
}

} // namespace bgt::supervise
