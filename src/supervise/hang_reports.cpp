#include "user_hook.hpp"

#include "hang_reports.hpp"
#include <bgt/core/hang_rules.hpp>
#include <bgt/os/background.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/evidence.hpp>
#include <bgt/os/wait.hpp>
#include <bgt/store/report.hpp>
#include <bgt/supervise/missing_conditions.hpp>
#include <bgt/supervise/task_evidence.hpp>

#include <algorithm>
#include <fmt/format.h>

namespace bgt::supervise {
namespace {

constexpr auto gather_bound = std::chrono::milliseconds(700);
/// The writer of a report may wait in the kernel, as those that it inspects do.
constexpr auto report_bound = std::chrono::milliseconds(1500);
constexpr auto ready_bound =
    std::chrono::milliseconds(300); ///< for a look at what readiness still needs
constexpr auto pause_without_pidfd = std::chrono::milliseconds(5);
constexpr int report_failed = 125;

core::Ages ages_of(const Observer::Signs& signs, Instant now)
{
    const auto age = [now](const std::optional<Instant>& at) {
        return at ? std::optional<Duration>(std::max(now - *at, Duration::zero())) : std::nullopt;
    };
    core::Ages ages{
        age(signs.byte), age(signs.text), age(signs.cpu), age(signs.io), age(signs.beat), {}, {}};
    if (ages.cpu) ages.cpu_span = signs.cpu_span;
    if (ages.io) ages.io_span = signs.io_span;
    return ages;
}

} // namespace

std::optional<std::uint32_t> HangReports::report(core::Reason rule)
{
    if (core::is_hang(rule)) ++hangs_;
    TaskEvidence of_task(with_.task);
    os::GatherRequest request(of_task);
    request.members = with_.tree.members();
    request.supervisor = os::own_pid();
    request.stdin_fifo = with_.observer.stdin_fifo();
    request.folder = with_.task.path();
    request.cwd = with_.spec.cwd;
    request.before = with_.observer.sample_before(os::now());
    request.dump_stacks = with_.spec.dump_stacks && rule != core::Reason::self;
    request.ask_java = with_.spec.dump_stacks;
    request.bound = gather_bound;
    const Instant now = os::now();
    const Result<pid_t> writer =
        os::fork_helper({with_.task.fd()}, false, [&] { return write(request, rule, now); });
    if (writer) return await(*writer, rule);
    with_.recorder.event("report-failed", {{"why", writer.error().message}});
    return std::nullopt;
}

/// In the process of its own; the exit code.
int HangReports::write(const os::GatherRequest& request, core::Reason rule, Instant now) const
{
    const core::Policy& policy = with_.spec.policy;
    const core::State& state = with_.sink.state();
    core::Report report;
    core::Evidence& evidence = report.evidence;
    evidence = os::gather(request);
    evidence.task_id = with_.task.id().value;
    evidence.task_name = with_.spec.name;
    evidence.kind = policy.kind;
    if (rule != core::Reason::self) evidence.rule = rule;
    if (const core::HangRule* row = core::find_hang_rule(rule))
        evidence.limit = policy.hang.*row->limit;
    evidence.activity = state.hang_state.activity;
    evidence.paused = state.paused;
    evidence.takes_input = static_cast<bool>(with_.stdin_writer);
    evidence.ages = ages_of(with_.observer.signs(), now);
    if (policy.awaits_ready && !state.hang_state.ready && !state.hang_state.never_ready) {
        const auto [out, err] = with_.output.attempt_ranges();
        evidence.not_ready = missing_conditions(with_.task, with_.spec, request.members, out.from,
                                                err ? err->from : 0, ready_bound);
    }
    if (const auto earlier = store::newest_report(with_.task))
        core::recall(evidence, earlier->evidence);
    report.diagnosis = core::diagnose(evidence);
    return store::write_report(with_.task, report) ? 0 : report_failed;
}

/// Output goes on flowing meanwhile.
std::optional<std::uint32_t> HangReports::await(pid_t writer, core::Reason rule)
{
    const Instant deadline = os::now() + report_bound;
    const Duration cpu_before = os::reaped_cpu();
    const std::optional<Fd> pidfd = os::open_pidfd(os::key_of(writer).value_or(ProcessKey{}));
    std::optional<os::ChildEnd> end;
    while (!(end = os::try_reap(writer)) && os::now() < deadline)
        with_.output.take_until(pidfd ? pidfd->get() : -1,
                                pidfd ? deadline
                                      : std::min(deadline, os::now() + pause_without_pidfd));
    with_.observer.leave_out(os::reaped_cpu() - cpu_before);
    if (!end) {
        os::kill_child(writer); // reaped with the others, once the kernel lets go of it
        with_.helpers.insert(writer);
    }
    if (!end || end->exit_code.value_or(report_failed) == report_failed) {
        with_.recorder.event("report-failed", {{"why", std::string(end ? "it could not be written"
                                                                       : "it took too long")}});
        return std::nullopt;
    }
    const Result<std::vector<std::uint64_t>> numbers = store::list_reports(with_.task);
    if (!numbers || numbers->empty()) return std::nullopt;
    last_ = static_cast<std::uint32_t>(numbers->back());
    const Result<core::Report> report = store::read_report(with_.task, numbers->back());
    std::vector<store::EventField> fields{{"number", static_cast<std::int64_t>(numbers->back())}};
    if (rule != core::Reason::self) fields.push_back({"rule", std::string(core::to_string(rule))});
    if (report) fields.push_back({"verdict", report->diagnosis.sentence});
    with_.recorder.event("report", std::move(fields));
    return last_;
}

/// `--on-hang exec:CMD`: whatever becomes of it, the task is unharmed.
void HangReports::run_hook(core::Reason rule)
{
    const Result<pid_t> pid = start_user_hook(
        {with_.task, with_.spec, with_.root, with_.env, with_.recorder},
        {"on-hang",
         with_.spec.hang_command,
         {{"BGT_HANG_RULE", std::string(core::to_string(rule))},
          {"BGT_REPORT",
           last_ ? fmt::format("{}/reports/{}.json", with_.task.path(), *last_) : ""}}});
    if (!pid) return;
    with_.helpers.insert(*pid);
    hooks_.insert(*pid);
}

} // namespace bgt::supervise
