#include <bgt/ops/why.hpp>

#include "leave_queue.hpp"
#include "readiness.hpp"
#include <bgt/base/text.hpp>
#include <bgt/core/condition.hpp>
#include <bgt/core/end_words.hpp>
#include <bgt/core/port_in_use.hpp>
#include <bgt/ops/snapshot.hpp>
#include <bgt/os/ports.hpp>
#include <bgt/os/proc.hpp>
#include <bgt/store/report.hpp>
#include <bgt/supervise/control.hpp>
#include <bgt/supervise/task_evidence.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <string_view>

namespace bgt::ops {
namespace {

constexpr std::size_t lines_told = 20;
constexpr std::size_t events_read = 64; ///< the end is among the last ones

template <class T>
std::optional<T> field(const store::TaskEvent& event, std::string_view key)
{
    const auto at = std::ranges::find(event.fields, key,
                                      [](const auto& one) { return std::string_view(one.first); });
    const auto* value = at == event.fields.end() ? nullptr : std::get_if<T>(&at->second);
    return value ? std::optional(*value) : std::nullopt;
}

void read_end(EndAccount& into, const store::TaskEvent& event)
{
    if (const auto kills = field<std::int64_t>(event, "oom_kills")) into.oom_kills = *kills;
    into.oom_of_machine = field<std::string>(event, "oom_scope") == "machine";
}

void read_events(EndAccount& into, const store::TaskDir& task)
{
    const Result<store::EventsRead> read = store::read_events(task.fd(), events_read);
    if (!read) return;
    for (const store::TaskEvent& event : read->events) {
        if (event.event == "start-failed")
            into.detail = field<std::string>(event, "error").value_or("");
        if (event.event == "lost" || event.event == "not-started")
            into.detail = field<std::string>(event, "why").value_or("");
        if (event.event == "restart-limit") into.given_up = true;
        if (event.event == "ended" || event.event == "attempt-ended") read_end(into, event);
        if (event.event == "attempt-ended") into.attempt_ended = event.at;
    }
}

EndAccount account_of(store::Root& root, const store::TaskDir& task, Snapshot seen)
{
    EndAccount account;
    account.task = std::move(seen);
    read_events(account, task);
    account.not_ready = why_not_ready(root, account.task);
    account.output = supervise::last_lines(task, lines_told);
    return account;
}

/// Of the task whose tree has this port.
std::optional<store::TaskId> task_on_port(store::Root& root, std::uint16_t port)
{
    const auto active = root.active_ids();
    if (!active) return std::nullopt;
    SnapshotFields want;
    want.ports = true;
    for (const Snapshot& task : recover_and_inspect_all(root, *active, want))
        if (std::ranges::find(task.ports, port) != task.ports.end()) return task.id;
    return std::nullopt;
}

/// A number of the command that may be a port, and on which somebody listens: of "8000",
/// "--port=8000", "127.0.0.1:8000". 0: there is none.
std::uint16_t taken_port_in(const std::vector<std::string>& command)
{
    for (const std::string& word : command)
        for (std::size_t at = 0; at < word.size(); ++at) {
            const bool begins =
                at == 0 || std::string_view(" :=").find(word[at - 1]) != std::string_view::npos;
            if (!begins) continue;
            std::uint16_t port = 0;
            const char* const last = word.data() + word.size();
            const auto [end, error] = std::from_chars(word.data() + at, last, port);
            const bool is_whole = end == last || *end == ' ' || *end == '/';
            if (error == std::errc() && is_whole && port != 0 && !os::holders_of(port).pids.empty())
                return port;
        }
    return 0;
}

/// Who holds the port that the output complains about; where it does not say which, the one that
/// the task was to listen on, or one that its command names.
std::optional<PortHolder> holder_of(store::Root& root, const std::vector<std::string>& output,
                                    const store::TaskSpec* spec)
{
    const auto said = core::port_in_use(output);
    if (!said) return std::nullopt;
    PortHolder holder{*said, 0, {}, {}};
    for (std::size_t i = 0; holder.port == 0 && spec && i < spec->ready.size(); ++i)
        if (const auto condition = core::parse_condition(spec->ready[i], spec->cwd))
            holder.port = condition->port != 0                               ? condition->port
                          : condition->kind() == core::Condition::Kind::http ? condition->url.port
                                                                             : 0;
    if (holder.port == 0 && spec) holder.port = taken_port_in(spec->command);
    if (holder.port == 0) return std::nullopt;
    const std::vector<std::int32_t> pids = os::holders_of(holder.port).pids;
    if (pids.empty()) return holder;
    holder.pid = pids.front();
    holder.command = printable(os::command_line(holder.pid));
    holder.task = task_on_port(root, holder.port);
    return holder;
}

bool is_told_of_end(const Snapshot& seen)
{
    return is_over(seen.status) || seen.status.lifecycle == core::Lifecycle::backing_off;
}

Result<WhyAnswer> last_report(const store::TaskDir& task, const Snapshot& seen)
{
    auto newest = store::newest_report(task);
    if (newest) return WhyAnswer{.report = *std::move(newest)};
    if (newest.error().kind != ErrorKind::not_found) return newest.error();
    const std::string name = label(seen.id, seen.status);
    if (!is_over(seen.status))
        return Error::failed(
            fmt::format("task {} has no report yet; without --last one is made now", name));
    return Error::failed(fmt::format(
        "task {} has ended ({}) and left no hang report; bgt why without --last says how it ended",
        name, core::end_words(seen.status.outcome)));
}

/// Reports that supervisors make at the same time, for the next tasks in their order.
class ReportsAhead {
public:
    ReportsAhead(store::Root& root, const std::vector<store::TaskId>& ids) : root_(root), ids_(ids)
    {}

    /// The number of the report of the next task. Error: none was made ahead.
    Result<std::uint32_t> next()
    {
        while (asked_ < ids_.size() && ahead_.size() < max_ahead)
            ahead_.push_back(supervise::ReportAhead::ask(root_, ids_[asked_++]));
        auto first = std::move(ahead_.front());
        ahead_.pop_front();
        return first ? first->number() : Result<std::uint32_t>(first.error());
    }

private:
    static constexpr std::size_t max_ahead =
        32; ///< each forks a process, and holds three descriptors here
    store::Root& root_;
    const std::vector<store::TaskId>& ids_;
    std::size_t asked_ = 0;
    std::deque<Result<supervise::ReportAhead>> ahead_;
};

Result<WhyAnswer> tell(store::Root& root, const store::TaskDir& folder, Snapshot task, bool last,
                       const Result<std::uint32_t>& ahead)
{
    const store::TaskId id = task.id;
    SnapshotFields want;
    want.spec = true;
    Result<Snapshot> seen = std::move(task);
    if (last) return last_report(folder, *seen);
    std::optional<Error> refused;
    if (!is_told_of_end(*seen)) {
        const auto number = ahead ? ahead : supervise::request_report(root, id);
        if (number) {
            auto made = store::read_report(folder, *number);
            if (!made) return made.error();
            WhyAnswer answer;
            answer.port = holder_of(root, made->evidence.output, seen->spec.get());
            answer.report = *std::move(made);
            return answer;
        }
        refused = number.error();
        seen = recover_and_inspect(root, id, want); // it may have ended meanwhile
        if (!seen) return seen.error();
    }
    auto newest = store::newest_report(folder);
    WhyAnswer answer;
    if (newest) answer.report = *std::move(newest);
    if (is_told_of_end(*seen)) answer.end = account_of(root, folder, *std::move(seen));
    if (answer.end) answer.port = holder_of(root, answer.end->output, answer.end->task.spec.get());
    if (!answer.end && !answer.report && refused) return *refused;
    if (!answer.end && refused) answer.refused = refused->message;
    return answer;
}

Result<WhyAnswer> answer_of(store::Root& root, store::TaskId id, bool last,
                            const Result<std::uint32_t>& ahead)
{
    SnapshotFields want;
    want.spec = true;
    auto seen = recover_and_inspect(root, id, want);
    if (!seen) return seen.error();
    if (!seen->problem.empty()) return Error::failed(seen->problem);
    const auto folder = folder_of(root, id);
    if (!folder) return folder.error();
    Result<WhyAnswer> answer = tell(root, *folder, *std::move(seen), last, ahead);
    if (answer) answer->hooks = read_hook_runs(*folder);
    return answer;
}

} // namespace

Result<Each<WhyAnswer>> why(store::Root& root, const WhyRequest& request,
                            const Progress<WhyAnswer>& progress, Cancel cancel)
{
    Result<Selected> found = select_each(
        root, request.selection, request.last ? Scope::any : Scope::living, progress.missing);
    if (!found) return found.error();
    Each<WhyAnswer> answer{std::move(found->missing), {}};
    ReportsAhead reports(root, found->ids);
    const bool several = !request.last && found->ids.size() > 1;
    for (const store::TaskId id : found->ids) {
        Result<std::uint32_t> ahead =
            several && !cancel.requested() ? reports.next() : Result<std::uint32_t>(cancelled());
        answer.tasks.push_back({id, cancel.requested() ? Result<WhyAnswer>(cancelled())
                                                       : answer_of(root, id, request.last, ahead)});
        if (progress.done) progress.done(answer.tasks.back());
    }
    return answer;
}

} // namespace bgt::ops
