// What a supervisor does about a hang before anybody is ended: the report, and the user's command.
#include <bgt/os/background.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/evidence.hpp>
#include <bgt/os/helper.hpp>
#include <bgt/store/open_file.hpp>
#include <bgt/store/report.hpp>
#include <bgt/supervise/supervisor.hpp>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bgt::supervise {
namespace {

constexpr auto gather_bound = std::chrono::milliseconds(700);
/// The writer of a report may wait in the kernel, as those that it looks at do.
constexpr auto report_bound = std::chrono::milliseconds(1500);
constexpr auto hook_bound = std::chrono::seconds(60);
constexpr auto look_without_pidfd = std::chrono::milliseconds(5);
constexpr int report_failed = 125;

std::optional<Duration> limit_of(core::Reason rule, const core::HangRules& rules)
{
    switch (rule) {
    case core::Reason::output_timeout: return rules.output;
    case core::Reason::progress_timeout: return rules.progress;
    case core::Reason::idle_timeout: return rules.idle;
    case core::Reason::ready_timeout: return rules.ready;
    case core::Reason::self:
    case core::Reason::killed:
    case core::Reason::timeout:
    case core::Reason::owner_gone:
    case core::Reason::shutdown: break;
    }
    return std::nullopt;
}

core::Ages ages_of(const Observer::Signs& signs, Instant now)
{
    const auto age = [now](const std::optional<Instant>& at) {
        return at ? std::optional<Duration>(std::max(now - *at, Duration::zero())) : std::nullopt;
    };
    return {age(signs.byte), age(signs.text), age(signs.cpu), age(signs.io), age(signs.beat)};
}

void set_variable(const char* name, const std::string& value)
{
    setenv(name, value.c_str(), 1);
}

} // namespace

/// In a process of its own with a deadline: what is looked at may hang in the kernel, and so may who looks at it. The
/// number of the report, or nullopt.
std::optional<std::uint32_t> Supervisor::write_report(core::Reason rule)
{
    const core::Policy& rules = resources_.spec.policy;
    os::GatherRequest request;
    request.members = tree_->members();
    request.supervisor = getpid();
    request.stdin_fifo = observer_.stdin_fifo();
    request.folder = resources_.task.path();
    request.cwd = resources_.spec.cwd;
    request.before = observer_.sample_before(os::now());
    request.dump_stacks = resources_.spec.dump_stacks && rule != core::Reason::self;
    request.bound = gather_bound;
    const Instant now = os::now();
    const Result<pid_t> writer = os::fork_helper({resources_.task.fd()}, false, [&] {
        core::Report report;
        core::Evidence& evidence = report.evidence;
        evidence = os::gather(request);
        evidence.task_id = resources_.task.id().value;
        evidence.task_name = resources_.spec.name;
        evidence.kind = rules.kind;
        if (rule != core::Reason::self) evidence.rule = rule;
        evidence.limit = limit_of(rule, rules.hang);
        evidence.activity = state_.hang_state.activity;
        evidence.paused = state_.paused;
        evidence.takes_input = static_cast<bool>(resources_.stdin_writer);
        evidence.ages = ages_of(observer_.signs(), now);
        if (const auto earlier = store::newest_report(resources_.task)) core::recall(evidence, earlier->evidence);
        report.diagnosis = core::diagnose(evidence);
        const Result<std::uint64_t> number = store::write_report(resources_.task, report);
        return number ? 0 : report_failed;
    });
    if (!writer) {
        resources_.recorder.event("report-failed", {{"why", writer.error().message}});
        return std::nullopt;
    }
    return await_report(*writer, rule);
}

/// Output goes on flowing meanwhile.
std::optional<std::uint32_t> Supervisor::await_report(pid_t writer, core::Reason rule)
{
    const Instant deadline = os::now() + report_bound;
    const Duration cpu_before = os::reaped_cpu();
    const std::optional<Fd> pidfd = os::open_pidfd(os::key_of(writer).value_or(store::ProcessKey{}));
    int status = 0;
    pid_t ended = 0;
    while ((ended = waitpid(writer, &status, WNOHANG)) == 0 && os::now() < deadline)
        take_output_until(pidfd ? pidfd->get() : -1, pidfd ? deadline : std::min(deadline, os::now() + look_without_pidfd));
    observer_.leave_out(os::reaped_cpu() - cpu_before);
    if (ended == 0) {
        kill(writer, SIGKILL); // reaped with the others, once the kernel lets go of it
        helpers_.insert(writer);
    }
    const bool written = ended == writer && WIFEXITED(status) && WEXITSTATUS(status) != report_failed;
    if (!written) {
        resources_.recorder.event("report-failed", {{"why", std::string(ended == 0 ? "it took too long" : "it could not be written")}});
        return std::nullopt;
    }
    const Result<std::vector<std::uint64_t>> numbers = store::list_reports(resources_.task);
    if (!numbers || numbers->empty()) return std::nullopt;
    last_report_ = static_cast<std::uint32_t>(numbers->back());
    const Result<core::Report> report = store::read_report(resources_.task, numbers->back());
    std::vector<store::EventField> fields{{"number", static_cast<std::int64_t>(numbers->back())}};
    if (rule != core::Reason::self) fields.push_back({"rule", std::string(core::to_string(rule))});
    if (report) fields.push_back({"verdict", report->diagnosis.sentence});
    resources_.recorder.event("report", std::move(fields));
    return last_report_;
}

/// `--on-hang exec:CMD`: bounded, and no part of the tree; whatever becomes of it, the task is unharmed.
void Supervisor::run_hook(core::Reason rule)
{
    const std::string command = resources_.spec.hang_command;
    const std::string report = last_report_ ? fmt::format("{}/reports/{}.json", resources_.task.path(), *last_report_) : "";
    const Result<pid_t> pid = os::fork_helper({resources_.task.fd()}, true, [&] {
        set_variable("BGT_TASK_ID", to_string(resources_.task.id()));
        set_variable("BGT_TASK_DIR", resources_.task.path());
        set_variable("BGT_ROOT", resources_.root.path());
        set_variable("BGT_HANG_RULE", std::string(core::to_string(rule)));
        set_variable("BGT_REPORT", report);
        const Result<os::HelperEnd> end = os::run_helper("/bin/sh", {"-c", command}, false, hook_bound);
        // This process tells: the supervisor may be gone by then.
        const Fd events = store::open_file(resources_.task.fd(), store::file::events, O_RDWR | O_APPEND);
        const std::string what = !end ? end.error().message : end->code ? "" : "killed: it took longer than a minute";
        static_cast<void>(store::append_event(events.get(), os::wall_now(), "hook-ended",
                                              {{"code", std::int64_t{end && end->code ? *end->code : -1}}, {"error", what}}));
        return 0;
    });
    if (!pid) return resources_.recorder.event("hook-failed", {{"why", pid.error().message}});
    helpers_.insert(*pid);
    resources_.recorder.event("hook", {{"pid", std::int64_t{*pid}}, {"command", command}});
}

} // namespace bgt::supervise
