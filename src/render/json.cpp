#include <bgt/base/signal_name.hpp>
#include <bgt/base/terminal_text.hpp>
#include <bgt/base/text.hpp>
#include <bgt/render/json.hpp>
#include <bgt/render/json_text.hpp>

#include <boost/json.hpp>

#include <chrono>
#include <cmath>

namespace bgt::render {

namespace {

namespace json = boost::json;
using core::Lifecycle;
using ops::Snapshot;

constexpr std::size_t last_line_columns = 200;

json::value text_or_null(std::string_view text)
{
    if (text.empty()) return nullptr;
    return json::string(to_valid_utf8(text));
}

template <class T>
json::value number_or_null(const std::optional<T>& number)
{
    if (!number) return nullptr;
    return *number;
}

/// JSON has no NaN and no infinity.
json::value fraction_or_null(const std::optional<double>& fraction)
{
    if (!fraction || !std::isfinite(*fraction)) return nullptr;
    return *fraction;
}

json::value time_or_null(const std::optional<WallTime>& time)
{
    if (!time) return nullptr;
    return json::string(format_rfc3339(*time));
}

json::value seconds_or_null(const std::optional<Duration>& d)
{
    if (!d) return nullptr;
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(*d).count();
    return static_cast<double>(ms) / 1000.0;
}

json::value pid_or_null(std::int32_t pid)
{
    if (pid <= 0) return nullptr;
    return pid;
}

template <class T>
json::array array_of(const std::vector<T>& values)
{
    json::array out;
    out.reserve(values.size());
    for (const T& value : values) out.emplace_back(value);
    return out;
}

json::value words_of(const std::vector<std::string>& words)
{
    json::array out;
    out.reserve(words.size());
    for (const auto& word : words) out.emplace_back(to_valid_utf8(word));
    return out;
}

json::value outcome_of(const store::Status& status)
{
    if (status.lifecycle != Lifecycle::ended) return nullptr;
    const core::Outcome& outcome = status.outcome;
    const bool exited = outcome.kind == core::OutcomeKind::exited;
    const bool signaled = outcome.kind == core::OutcomeKind::signaled;
    return json::object{
        {"kind", json::string(core::to_string(outcome.kind))},
        {"code", exited ? json::value(outcome.code) : json::value(nullptr)},
        {"signal", signaled ? json::value(signal_name(outcome.signal)) : json::value(nullptr)},
        {"reason", json::string(core::to_string(outcome.reason))},
        {"leftover_killed", outcome.leftover_killed},
        {"exit_code", ops::exit_code(status)},
    };
}

json::object log_of(const Snapshot& task)
{
    const store::Status& status = task.status;
    const std::uint64_t freed = status.freed_bytes + status.freed_err_bytes;
    const bool split = task.spec && task.spec->split;
    const std::string folder = to_valid_utf8(task.folder);
    return {
        {"path",
         folder.empty() ? json::value(nullptr) : json::value(folder + "/" + store::file::out_log)},
        {"stderr_path",
         split ? json::value(folder + "/" + store::file::err_log) : json::value(nullptr)},
        {"bytes", task.log_bytes},
        {"dropped_bytes", status.dropped_bytes + freed},
        {"freed_bytes", freed},
    };
}

json::array stop_steps_of(const store::Status& status)
{
    json::array out;
    for (const auto& row : status.tally)
        out.push_back(json::object{
            {"signal", signal_name(row.signal)}, {"found", row.found}, {"ended", row.ended}});
    return out;
}

json::object progress_of(const store::Status& status)
{
    return {{"fraction", fraction_or_null(status.progress)},
            {"step", text_or_null(status.step)},
            {"total_steps",
             status.total_steps == 0 ? json::value(nullptr) : json::value(status.total_steps)},
            {"text", text_or_null(status.text)}};
}

json::value activity_of(const store::Status& status)
{
    if (status.activity == core::Activity::unknown) return nullptr;
    return json::string(core::to_string(status.activity));
}

json::value watch_of(const Snapshot& task)
{
    if (!task.spec || !task.spec->watch) return nullptr;
    const core::WatchSpec& watch = *task.spec->watch;
    return json::object{{"globs", words_of(watch.globs)},
                        {"ignored", words_of(watch.ignored)},
                        {"debounce_s", seconds_or_null(watch.debounce)},
                        {"on_change", core::format_on_change(watch)}};
}

json::array notices_of(const store::Status& status)
{
    json::array out;
    if (status.quiet) out.emplace_back("quiet");
    if (status.stalled) out.emplace_back("stalled");
    if (status.activity == core::Activity::waiting_input) out.emplace_back("waiting-input");
    if (status.crash_loop) out.emplace_back("crash-loop");
    if (status.watch_paused) out.emplace_back("watch-paused");
    if (status.watch_polls) out.emplace_back("watch-polling");
    return out;
}

/// Whether the numbers of the tree are known: it was looked at, or is certainly empty.
bool tree_is_known(const Snapshot& task)
{
    return task.rss_bytes || task.cpu || task.processes != 0 || ops::is_final(task.status);
}

void add_identity(json::object& out, const Snapshot& task)
{
    const bool known = task.problem.empty();
    out["id"] = task.id.value;
    out["name"] = known ? text_or_null(task.status.name) : json::value(nullptr);
    out["state"] = state_words(task).text;
    const bool over = known && ops::is_over(task.status);
    out["exit"] = over ? json::value(ops::exit_code(task.status)) : json::value(nullptr);
    out["last_line"] = text_or_null(fit(printable(last_line(task.log_tail)), last_line_columns));
    out["tags"] = nullptr;
    out["command"] = nullptr;
    out["cwd"] = nullptr;
    if (!task.spec) return;
    json::object tags;
    for (const auto& [key, value] : task.spec->tags)
        tags[to_valid_utf8(key)] = to_valid_utf8(value);
    out["tags"] = std::move(tags);
    out["command"] = words_of(task.spec->command);
    out["cwd"] = text_or_null(task.spec->cwd);
}

void add_life(json::object& out, const store::Status& status, std::string_view lifecycle,
              const Moment& now)
{
    out["kind"] = json::string(core::to_string(status.kind));
    out["lifecycle"] = json::string(lifecycle);
    out["activity"] = activity_of(status);
    out["notices"] = notices_of(status);
    out["ready"] = status.ready;
    out["ready_at"] = time_or_null(status.ready_at);
    out["paused"] = status.paused;
    out["adopted"] = status.adopted;
    out["pid"] = pid_or_null(status.main_process.pid);
    out["supervisor"] =
        ops::is_final(status) ? json::value(nullptr) : pid_or_null(status.supervisor.pid);
    out["attempt"] = status.attempt;
    out["attempt_started_at"] = time_or_null(status.attempt_started);
    out["next_attempt_at"] = time_or_null(status.next_attempt);
    out["created_at"] =
        status.created == WallTime{} ? json::value(nullptr) : time_or_null(status.created);
    out["started_at"] = time_or_null(status.started);
    out["ended_at"] = time_or_null(status.ended);
    out["duration_s"] = seconds_or_null(run_time(status, now));
    out["outcome"] = outcome_of(status);
    out["progress"] = progress_of(status);
    out["survivors"] = array_of(status.survivors);
    out["stop_steps"] = stop_steps_of(status);
}

void add_tree(json::object& out, const Snapshot& task)
{
    const bool known = tree_is_known(task);
    out["processes"] = known ? json::value(task.processes) : json::value(nullptr);
    out["cpu"] = fraction_or_null(task.cpu);
    out["rss_bytes"] = number_or_null(task.rss_bytes);
    out["ports"] =
        known || !task.ports.empty() ? json::value(array_of(task.ports)) : json::value(nullptr);
    out["leftover"] = array_of(task.leftover);
    out["watch"] = watch_of(task);
    out["supervisor_stopped"] = known ? json::value(task.supervisor_stopped) : json::value(nullptr);
    out["log"] = log_of(task);
}

/// What was given as JSON (`bgt notify --data`).
json::value json_or_text(const std::string& text)
{
    boost::system::error_code error;
    json::value value = json::parse(to_valid_utf8(text), error);
    if (error) return json::value(to_valid_utf8(text));
    return value;
}

/// The fields of a task whose record can't be read: all there, none of them known.
void add_unknown(json::object& out, const Snapshot& task)
{
    for (const char* key : {"kind",
                            "lifecycle",
                            "activity",
                            "notices",
                            "ready",
                            "ready_at",
                            "paused",
                            "adopted",
                            "pid",
                            "supervisor",
                            "attempt",
                            "attempt_started_at",
                            "next_attempt_at",
                            "created_at",
                            "started_at",
                            "ended_at",
                            "duration_s",
                            "outcome",
                            "progress",
                            "survivors",
                            "stop_steps",
                            "processes",
                            "cpu",
                            "rss_bytes",
                            "ports",
                            "leftover",
                            "watch",
                            "supervisor_stopped",
                            "log"})
        out[key] = nullptr;
    if (task.spec) out["name"] = text_or_null(task.spec->name);
}

} // namespace

json::object task_json(const Snapshot& task, const Moment& now)
{
    json::object out;
    out.reserve(40);
    add_identity(out, task);
    if (task.problem.empty()) {
        add_life(out, task.status, lifecycle_word(task), now);
        add_tree(out, task);
    } else {
        add_unknown(out, task);
    }
    out["folder"] = text_or_null(task.folder);
    out["problem"] = text_or_null(task.problem);
    return out;
}

json::object event_json(const store::TaskEvent& event)
{
    json::object out{{"at", format_rfc3339(event.at)}, {"event", to_valid_utf8(event.event)}};
    for (const auto& [key, value] : event.fields) {
        const std::string name = to_valid_utf8(key);
        if (name == "at" || name == "event") continue;
        if (const auto* number = std::get_if<std::int64_t>(&value)) out[name] = *number;
        else if (name == "data" && event.event == "log")
            out[name] = json_or_text(std::get<std::string>(value));
        else out[name] = to_valid_utf8(std::get<std::string>(value));
    }
    return out;
}

json::array words_json(const std::vector<std::string>& words)
{
    json::array out;
    for (const std::string& word : words) out.emplace_back(to_valid_utf8(word));
    return out;
}

json::array attempts_json(const std::vector<store::TaskEvent>& attempts)
{
    json::array rows;
    for (const auto& ended : attempts) {
        json::object row = event_json(ended);
        row["ended_at"] = std::move(row["at"]);
        row.erase("at");
        row.erase("event");
        rows.push_back(std::move(row));
    }
    return rows;
}

std::string tasks_json(const std::vector<Snapshot>& tasks, const Moment& now,
                       const TaskFields& fields)
{
    json::array rows;
    rows.reserve(tasks.size());
    for (const auto& task : tasks) rows.push_back(chosen_task_json(task, now, fields, {}));
    return answer_json({{"tasks", std::move(rows)}});
}

std::string logs_json(const std::vector<ops::LogPiece>& pieces)
{
    json::array logs;
    for (const ops::LogPiece& piece : pieces) {
        logs.push_back(json::object{{"id", piece.id},
                                    {"text", piece.text},
                                    {"cursor", piece.cursor},
                                    {"before", number_or_null(piece.before)},
                                    {"truncated", piece.truncated},
                                    {"start", piece.start},
                                    {"end_of_log", piece.end_of_log},
                                    {"dropped_bytes", piece.dropped_bytes}});
    }
    return answer_json({{"logs", std::move(logs)}});
}

namespace {

json::object object_of(const AnswerError& error)
{
    json::object out{{"message", to_valid_utf8(error.message)}, {"code", error.code}};
    if (error.task.value > 0) out["task"] = error.task.value;
    return out;
}

json::array errors_of(const std::vector<AnswerError>& errors)
{
    json::array out;
    for (const AnswerError& error : errors) out.push_back(object_of(error));
    return out;
}

} // namespace

std::string error_json(std::string_view message, int code)
{
    return answer_json({{"error", object_of({std::string(message), code, {}})}});
}

std::string error_json(const AnswerError& error, const std::vector<AnswerError>& others)
{
    json::object out{{"error", object_of(error)}};
    if (!others.empty()) out["errors"] = errors_of(others);
    return answer_json(std::move(out));
}

std::string with_errors(std::string answer, const std::vector<AnswerError>& errors)
{
    const std::string member = json_text(json::object{{"errors", errors_of(errors)}});
    const std::size_t end = answer.rfind('}');
    if (end != std::string::npos) answer.insert(end, "," + member.substr(1, member.size() - 2));
    return answer;
}

std::string answer_json(json::object answer)
{
    json::object out{{"schema", 1}};
    for (auto& member : answer) out.emplace(member.key(), std::move(member.value()));
    return json_text(out) + "\n";
}

} // namespace bgt::render
