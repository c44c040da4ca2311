#include <bgt/cli/verb.hpp>

#include <bgt/base/text.hpp>
#include <bgt/ops/notify.hpp>
#include <bgt/render/json.hpp>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <string_view>

namespace bgt::cli {

namespace {

/// The whole text as a number within bounds.
template <class Number>
std::optional<Number> number(std::string_view text, Number least, Number most)
{
    Number value{};
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    if (parsed.ec != std::errc() || parsed.ptr != end || !(value >= least && value <= most))
        return std::nullopt;
    return value;
}

/// `0.4` or `40%`, as a fraction.
Result<double> read_progress(const std::string& text)
{
    const bool percent = text.ends_with('%');
    const std::string_view digits =
        std::string_view(text).substr(0, text.size() - (percent ? 1 : 0));
    const std::optional<double> value = number(digits, 0.0, percent ? 100.0 : 1.0);
    if (!value)
        return Error::usage("--progress is a fraction from 0 to 1 or a percentage (40%), not \"" +
                            printable(text) + "\"");
    return percent ? *value / 100 : *value;
}

Result<Duration> read_duration(const char* option, const std::string& text)
{
    const Result<Duration> duration = parse_duration(text);
    if (!duration) return Error::usage(std::string(option) + ": " + duration.error().message);
    return duration;
}

class Notify final : public Verb {
public:
    void declare(Parser&) override;
    int run(Context&) override;

private:
    Result<ops::NotifyRequest> request() const;
    Result<void> add_log(ops::NotifyRequest&) const;
    Result<void> add_results(ops::NotifyRequest&) const;

    bool ready_ = false, stopping_ = false, beat_ = false, json_ = false;
    std::optional<std::string> status_, progress_, step_, total_, extend_, watchdog_, pid_;
    std::optional<std::string> log_, data_, summary_;
    std::vector<std::string> artifacts_, metrics_, words_;
};

void Notify::declare(Parser& parser)
{
    parser.flag("--ready", ready_, "the task is ready (with bgt run --ready-notify)");
    parser.flag("--stopping", stopping_, "the task is about to end by itself");
    parser.option("--status", status_, "TEXT", Value::text,
                  "what the task is doing now, for bgt show and JSON");
    parser.option("--progress", progress_, "N", Value::number,
                  "the progress of the task: 0.4 or 40%");
    parser.option("--step", step_, "TEXT", Value::text, "the name of the current step");
    parser.option("--total-steps", total_, "N", Value::number, "the number of steps");
    parser.flag("--beat", beat_,
                "a heartbeat: resets --progress-timeout, --idle-timeout and the watchdog");
    parser.option("--extend", extend_, "D", Value::duration,
                  "the task needs D more to become ready or to end");
    parser.option("--watchdog", watchdog_, "D", Value::duration,
                  "from now on, the task hangs if it sends no --beat for D; off ends this");
    parser.option("--pid", pid_, "PID", Value::pid, "the main process of the task");
    parser.choice("--log", log_, "debug|info|warning|error",
                  "TEXT is a line of this level in the execution log (bgt show)");
    parser.option("--data", data_, "JSON", Value::text, "what belongs to that line, as JSON");
    parser.option("--summary", summary_, "TEXT", Value::text,
                  "the result of the task in a sentence, for bgt result");
    parser.list("--artifact", artifacts_, "PATH", Value::file,
                "a file or folder that the task makes; at its end, bgt looks whether it is there");
    parser.list("--metric", metrics_, "NAME=NUMBER", Value::text, "a number of the result");
    parser.words(words_, "TEXT", Value::text);
    parser.flag("--json", json_, "print the answer as JSON");
    parser.example("bgt notify --log warning 'cache is cold' --data '{\"misses\":12}'");
    parser.example("bgt notify --summary '42 tests passed' --artifact report.html --metric n=42");
    parser.example("bgt notify --ready --status 'listening on 8080'");
    parser.example("bgt notify --progress 40% --step linking --total-steps 5");
    parser.example("while work_on_next; do bgt notify --beat; done");
}

Result<void> Notify::add_log(ops::NotifyRequest& out) const
{
    if (!log_ && (data_ || !words_.empty()))
        return Error::usage("a text and --data belong to --log LEVEL");
    if (!log_) return {};
    std::string text;
    for (const std::string& word : words_) text += (text.empty() ? "" : " ") + word;
    if (text.empty()) return Error::usage("--log LEVEL needs a text after it");
    out.log = core::LogLine{*log_, text};
    if (!data_) return {};
    std::string data = to_valid_utf8(*data_);
    boost::system::error_code error;
    static_cast<void>(boost::json::parse(data, error));
    if (error) return Error::usage("--data is no JSON: " + error.message());
    // Kept as it was said, on one line: in JSON a newline stands between words only.
    std::ranges::replace(data, '\n', ' ');
    out.log_data = std::move(data);
    return {};
}

Result<void> Notify::add_results(ops::NotifyRequest& out) const
{
    out.summary = summary_;
    for (const std::string& path : artifacts_) {
        std::error_code error;
        const std::string absolute = std::filesystem::absolute(path, error).lexically_normal();
        if (path.empty() || error || printable(absolute) != absolute)
            return Error::usage("--artifact " + shell_quote(fit(printable(path), 60)) +
                                ": it must be a path without control characters, in UTF-8");
        out.artifacts.push_back(absolute);
    }
    for (const std::string& text : metrics_) {
        const std::string_view whole = text;
        const std::string_view name = whole.substr(0, whole.find('='));
        const auto value =
            name.size() < whole.size()
                ? number(whole.substr(name.size() + 1), std::numeric_limits<double>::lowest(),
                         std::numeric_limits<double>::max())
                : std::nullopt;
        if (!core::is_metric_name(name) || !value)
            return Error::usage("--metric " + shell_quote(fit(printable(text), 60)) +
                                " is not of the form NAME=NUMBER");
        out.metrics.push_back({std::string(name), *value});
    }
    return {};
}

Result<ops::NotifyRequest> Notify::request() const
{
    ops::NotifyRequest out;
    out.ready = ready_;
    out.stopping = stopping_;
    out.beat = beat_;
    out.status = status_;
    out.step = step_;
    if (progress_) {
        const Result<double> fraction = read_progress(*progress_);
        if (!fraction) return fraction.error();
        out.progress = *fraction;
    }
    if (total_) {
        out.total_steps = number<std::uint32_t>(*total_, 1, 1'000'000'000);
        if (!out.total_steps) return Error::usage("--total-steps is a number from 1 on");
    }
    if (pid_) {
        out.pid = number<std::int32_t>(*pid_, 1, INT32_MAX);
        if (!out.pid) return Error::usage("--pid is the number of a process");
    }
    if (extend_) {
        const Result<Duration> more = read_duration("--extend", *extend_);
        if (!more) return more.error();
        out.extend = *more;
    }
    if (watchdog_) {
        const Result<Duration> limit =
            *watchdog_ == "off" ? Duration::zero() : read_duration("--watchdog", *watchdog_);
        if (!limit) return limit.error();
        out.watchdog = *limit;
    }
    BGT_TRY(add_log(out));
    BGT_TRY(add_results(out));
    return out;
}

int Notify::run(Context& context)
{
    const Result<ops::NotifyRequest> wanted = request();
    if (!wanted) return context.fail(wanted.error(), json_);
    if (const Result<void> sent = ops::notify(*wanted); !sent)
        return context.fail(sent.error(), json_);
    if (!json_) return code::ok;
    const char* const own = std::getenv("BGT_TASK_ID");
    const auto id = store::parse_task_id(own != nullptr ? own : "");
    context.print(render::answer_json(
        {{"id", id ? boost::json::value(id->value) : boost::json::value(nullptr)},
         {"sent", true}}));
    return code::ok;
}

} // namespace

std::unique_ptr<Verb> make_notify()
{
    return std::make_unique<Notify>();
}

} // namespace bgt::cli
