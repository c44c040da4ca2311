#include <bgt/base/signal_name.hpp>
#include <bgt/base/size.hpp>
#include <bgt/base/text.hpp>
#include <bgt/core/hang_rules.hpp>
#include <bgt/render/details.hpp>
#include <bgt/render/hooks.hpp>
#include <bgt/render/progress_bar.hpp>
#include <bgt/render/results.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <variant>

namespace bgt::render {

namespace {

using core::Lifecycle;

constexpr std::size_t label_columns = 11;

/// Collects lines; the style decides about cutting and colour.
class Lines {
public:
    explicit Lines(const DetailsStyle& style) : style_(style) {}

    void heading(std::string_view text, const StateWords& state)
    {
        out_ += fmt::format("{}: {}\n", text,
                            style_.color ? colored(state.text, state.tone) : state.text);
    }
    /// "  label      value"; an empty value is left out.
    void field(std::string_view label, std::string_view value)
    {
        if (value.empty()) return;
        out_ += fmt::format("  {:<{}}{}\n", label, label_columns, printable(value));
    }
    void title(std::string_view text) { out_ += fmt::format("  {}\n", text); }
    void item(std::size_t depth, std::string_view text)
    {
        const std::size_t indent = 4 + 2 * std::min<std::size_t>(depth, 20);
        std::string line = printable(text);
        if (style_.width) line = fit(line, *style_.width > indent ? *style_.width - indent : 1);
        out_.append(indent, ' ');
        out_ += line + "\n";
    }
    std::string take() { return std::move(out_); }

private:
    const DetailsStyle& style_;
    std::string out_;
};

std::string life_words(const store::Status& status, const Moment& now)
{
    std::string words(core::to_string(status.lifecycle));
    if (const auto d = run_time(status, now); d && status.lifecycle != Lifecycle::ended)
        words += " for " + format_age(*d);
    if (status.lifecycle == Lifecycle::stopping) {
        words += fmt::format(" ({})", core::to_string(status.outcome.reason));
        if (status.kill_by && *status.kill_by > now.mono)
            words += ", SIGKILL in " + format_age(*status.kill_by - now.mono);
    }
    if (status.lifecycle == Lifecycle::backing_off && !status.next_attempt)
        words += " (watching: the next attempt waits for a change)";
    words += fmt::format(", {}", core::to_string(status.kind));
    if (status.ready) words += ", ready";
    if (status.attempt > 1) words += fmt::format(", attempt {}", status.attempt);
    if (status.activity != core::Activity::unknown)
        words += fmt::format(", {}", core::to_string(status.activity));
    if (status.quiet) words += ", quiet";
    if (status.stalled) words += ", stalled (bgt why says more)";
    if (status.crash_loop) words += ", crash loop (bgt why says more)";
    if (status.paused) words += ", paused";
    if (status.adopted) words += ", adopted (another supervisor started it)";
    return words;
}

std::string progress_words(const store::Status& status)
{
    std::string words = status.progress ? progress_bar(*status.progress, 32) : std::string();
    if (!status.step.empty()) words += (words.empty() ? "" : "  ") + status.step;
    if (status.total_steps != 0)
        words += fmt::format("{}of {} steps", words.empty() ? "" : ", ", status.total_steps);
    return words;
}

void add_life(Lines& lines, const store::Status& status, const Moment& now)
{
    lines.field("lifecycle", life_words(status, now));
    if (status.lifecycle == Lifecycle::ended)
        lines.field("outcome", fmt::format("{} (bgt wait gives {})", outcome_words(status),
                                           ops::exit_code(status)));
    lines.field("status", status.text);
    lines.field("progress", progress_words(status));
    if (status.next_attempt) lines.field("next start", format_rfc3339(*status.next_attempt));
}

void add_request(Lines& lines, const ops::Snapshot& task)
{
    lines.field("command", task.spec ? shell_join(task.spec->command) : task.status.command);
    if (!task.spec) return;
    lines.field("cwd", task.spec->cwd);
    std::string tags;
    for (const auto& [key, value] : task.spec->tags)
        tags += (tags.empty() ? "" : " ") + key + "=" + shell_quote(value);
    lines.field("tags", tags);
    switch (task.spec->stdin_from) {
    case store::StdinFrom::null: break;
    case store::StdinFrom::pipe:
        lines.field("stdin", task.status.stdin_closed ? "pipe, closed" : "pipe");
        break;
    case store::StdinFrom::caller: lines.field("stdin", "of bgt run"); break;
    case store::StdinFrom::file: lines.field("stdin", task.spec->stdin_file); break;
    }
}

void add_times(Lines& lines, const store::Status& status, const Moment& now)
{
    if (status.created != WallTime{}) lines.field("created", format_rfc3339(status.created));
    if (status.started) lines.field("started", format_rfc3339(*status.started));
    if (!status.ended) return;
    const auto took = run_time(status, now);
    lines.field("ended",
                format_rfc3339(*status.ended) + (took ? " after " + format_age(*took) : ""));
}

void add_log(Lines& lines, const ops::Snapshot& task)
{
    const store::Status& status = task.status;
    const std::uint64_t freed = status.freed_bytes + status.freed_err_bytes;
    std::string words =
        fmt::format("{}/{} ({}", task.folder, store::file::out_log, format_size(task.log_bytes));
    if (freed != 0) words += fmt::format(", the first {} freed", format_size(freed));
    if (status.dropped_bytes != 0)
        words += fmt::format(", {} dropped", format_size(status.dropped_bytes));
    lines.field("log", words + ")");
    if (task.spec && task.spec->split)
        lines.field("stderr log", task.folder + "/" + store::file::err_log);
}

void add_watch(Lines& lines, const ops::Snapshot& task)
{
    if (!task.spec->watch) return;
    const core::WatchSpec& watch = *task.spec->watch;
    lines.field("watch",
                fmt::format("{}, then {} after {}", shell_join(watch.globs),
                            core::format_on_change(watch), format_duration(watch.debounce)));
    if (!watch.ignored.empty()) lines.field("", "ignored: " + shell_join(watch.ignored));
    if (task.status.watch_paused) lines.field("", "paused (bgt resume)");
    if (task.status.watch_polls)
        lines.field("", "looks once a second: inotify can't tell of all (the events say why)");
}

void add_hang_rules(Lines& lines, const core::Policy& rules)
{
    std::string words;
    for (const core::HangRule& rule : core::hang_rules) {
        const std::optional<Duration>& limit = rules.hang.*rule.limit;
        if (!limit) continue;
        if (rule.at_limit == core::AtLimit::end)
            lines.field(core::to_string(rule.reason), format_duration(*limit));
        else
            words += fmt::format("{}{} {}", words.empty() ? "" : ", ", core::to_string(rule.reason),
                                 format_duration(*limit));
    }
    if (!words.empty()) words += fmt::format(", then {}", core::to_string(rules.hang.on_hang));
    lines.field("hang limit", words);
    const core::RestartPolicy& again = rules.restart_policy;
    if (again.retries != 0) lines.field("retries", std::to_string(again.retries));
    if (again.restart != core::Restart::no) lines.field("restart", core::to_string(again.restart));
}

void add_rules(Lines& lines, const ops::Snapshot& task, const std::vector<std::string>& not_ready)
{
    if (!task.spec) return;
    const core::Policy& rules = task.spec->policy;
    if (rules.timeout) lines.field("timeout", format_duration(*rules.timeout));
    add_hang_rules(lines, rules);
    add_watch(lines, task);
    for (const std::string& condition : task.spec->ready) lines.field("ready when", condition);
    for (const std::string& missing : not_ready) lines.field("not ready", missing);
    const std::string ladder = core::format_stop_signals(rules.stop_ladder);
    const char* whom = rules.kill_mode == core::KillMode::mixed ? " to the main process" : "";
    lines.field("stop", ladder.empty() ? "KILL" : ladder + whom + ", then KILL");
    lines.field("leftover", core::to_string(rules.leftover));
    if (task.spec->owner) lines.field("owner", fmt::format("process {}", task.spec->owner->pid));
    for (const ProcessKey& scope : task.spec->scopes.processes)
        lines.field("scope", fmt::format("process {}", scope.pid));
    std::string limits;
    for (const auto& limit : task.spec->limits)
        limits += fmt::format("{}{}={}", limits.empty() ? "" : " ", limit.name, limit.value);
    if (task.spec->nice)
        limits += fmt::format("{}nice={}", limits.empty() ? "" : " ", *task.spec->nice);
    lines.field("limits", limits);
    lines.field("log-max", task.spec->log_max == 0 ? "off" : format_size_exact(task.spec->log_max));
}

std::string pid_list(const std::vector<std::int32_t>& pids)
{
    return fmt::format("{}", fmt::join(pids, " "));
}

void add_tree(Lines& lines, const ops::Snapshot& task)
{
    if (!ops::is_final(task.status)) {
        std::string usage =
            fmt::format("{} {}", task.processes, task.processes == 1 ? "process" : "processes");
        if (task.cpu) usage += fmt::format(", {} CPU", cpu_words(*task.cpu));
        if (task.rss_bytes) usage += fmt::format(", {} memory", format_size(*task.rss_bytes));
        lines.field("usage", usage);
        const std::int32_t supervisor = task.status.supervisor.pid;
        lines.field(
            "supervisor",
            task.supervisor_stopped
                ? fmt::format("{0}, stopped: it answers nobody (kill -CONT {0})", supervisor)
                : std::to_string(supervisor));
    }
    lines.field("ports", port_words(task.ports, std::string::npos));
    std::string steps;
    for (const auto& row : task.status.tally)
        steps += fmt::format("{}{} ended {} of {}", steps.empty() ? "" : ", ",
                             signal_name(row.signal), row.ended, row.found);
    lines.field("stopped by", steps);
    lines.field("survivors", pid_list(task.status.survivors));
    lines.field("left alone", pid_list(task.leftover));
}

void add_process(Lines& lines, const ops::Process& process, std::size_t depth)
{
    lines.item(depth, fmt::format("{} {} {:>6} {}", process.pid, process.state,
                                  process.age ? format_age(*process.age) : "", process.command));
}

/// Each process under its parent, those whose parent is not among them at the left.
void add_processes(Lines& lines, const std::vector<ops::Process>& processes)
{
    if (processes.empty()) return;
    lines.title("processes");
    std::set<std::int32_t> known;
    for (const auto& process : processes) known.insert(process.pid);
    std::multimap<std::int32_t, const ops::Process*> children;
    std::vector<std::pair<const ops::Process*, std::size_t>> todo; // a stack: the tree can be deep
    for (auto it = processes.rbegin(); it != processes.rend(); ++it) {
        if (it->ppid != it->pid && known.contains(it->ppid)) children.emplace(it->ppid, &*it);
        else todo.emplace_back(&*it, 0);
    }
    while (!todo.empty()) {
        const auto [process, depth] = todo.back();
        todo.pop_back();
        add_process(lines, *process, depth);
        const auto [begin, end] = children.equal_range(process->pid);
        for (auto it = begin; it != end; ++it) todo.emplace_back(it->second, depth + 1);
        children.erase(begin, end); // so that a table torn by pid reuse can't make a circle
    }
}

using EventFields = std::map<std::string, std::variant<std::int64_t, std::string>>;

std::int64_t number_in(const EventFields& fields, const char* key)
{
    const auto at = fields.find(key);
    const auto* value = at == fields.end() ? nullptr : std::get_if<std::int64_t>(&at->second);
    return value ? *value : 0;
}

std::string text_in(const EventFields& fields, const char* key)
{
    const auto at = fields.find(key);
    const auto* value = at == fields.end() ? nullptr : std::get_if<std::string>(&at->second);
    return value ? *value : "";
}

/// "exit 75", "SIGTERM, timeout": as the state of an ended task is told elsewhere, with the reason
/// where bgt ended it.
std::string attempt_end(const EventFields& fields)
{
    const std::string outcome = text_in(fields, "outcome"), reason = text_in(fields, "reason");
    std::string words = outcome == "exited" ? fmt::format("exit {}", number_in(fields, "code"))
                        : outcome == "signaled"
                            ? signal_name(static_cast<int>(number_in(fields, "signal")))
                            : shell_quote(outcome);
    if (!reason.empty() && reason != "self") words += ", " + shell_quote(reason);
    return words;
}

void add_results(Lines& lines, const store::TaskResults& results)
{
    lines.field("summary", results.summary);
    std::string metrics;
    for (const auto& [name, value] : results.metrics)
        metrics += (metrics.empty() ? "" : " ") + name + "=" + metric_words(value);
    lines.field("metrics", metrics);
    for (const store::Artifact& artifact : results.artifacts)
        lines.field("artifact", artifact_words(artifact));
    for (const std::string& missing : missing_results(results)) lines.field("missing", missing);
}

/// Those before the one that the lines above are about.
void add_attempts(Lines& lines, const std::vector<store::TaskEvent>& attempts)
{
    if (attempts.empty()) return;
    lines.title("attempts");
    for (const auto& ended : attempts) {
        const EventFields fields(ended.fields.begin(), ended.fields.end());
        const auto number = [&](const char* key) { return number_in(fields, key); };
        const std::string lived = format_age(std::chrono::milliseconds(number("lived_ms")));
        lines.item(0, fmt::format("{}  {} after {}, ended {}, log from byte {} to {}",
                                  number("attempt"), attempt_end(fields), lived,
                                  format_rfc3339(ended.at), number("log_from"), number("log_to")));
    }
}

void add_hooks(Lines& lines, const std::vector<ops::HookRun>& hooks)
{
    if (hooks.empty()) return;
    lines.title("hooks");
    for (const ops::HookRun& hook : hooks) {
        lines.item(0, hook_words(hook));
        for (const std::string& line : hook_output(hook)) lines.item(1, line);
    }
}

void add_events(Lines& lines, const std::vector<store::TaskEvent>& events)
{
    if (events.empty()) return;
    lines.title("events");
    for (const auto& event : events) {
        std::string line = format_rfc3339(event.at) + " " + event.event;
        for (const auto& [key, value] : event.fields) {
            const auto* number = std::get_if<std::int64_t>(&value);
            line += " " + key + "=" +
                    (number ? std::to_string(*number) : shell_quote(std::get<std::string>(value)));
        }
        lines.item(0, line);
    }
}

} // namespace

std::string task_details(const ops::Inspected& input, const Moment& now, const DetailsStyle& style)
{
    const ops::Snapshot& task = input.task;
    Lines lines(style);
    std::string heading = "task " + store::to_string(task.id);
    const std::string name =
        !task.problem.empty() ? (task.spec ? task.spec->name : "") : task.status.name;
    if (!name.empty()) heading += " (" + printable(name) + ")";
    lines.heading(heading, state_words(task));
    lines.field("problem", task.problem);
    if (task.problem.empty()) add_life(lines, task.status, now);
    add_results(lines, input.results);
    add_request(lines, task);
    if (task.problem.empty()) {
        add_times(lines, task.status, now);
        add_tree(lines, task);
        add_log(lines, task);
    } else {
        lines.field("record", task.folder);
    }
    add_rules(lines, task, input.not_ready);
    add_processes(lines, input.processes);
    add_attempts(lines, input.attempts);
    add_hooks(lines, input.hooks);
    add_events(lines, input.events);
    return lines.take();
}

} // namespace bgt::render
