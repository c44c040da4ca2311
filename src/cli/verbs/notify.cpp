#include <bgt/cli/verb.hpp>

#include <bgt/base/text.hpp>
#include <bgt/ops/notify.hpp>

#include <charconv>
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

    bool ready_ = false, stopping_ = false, beat_ = false;
    std::optional<std::string> status_, progress_, step_, total_, extend_, watchdog_, pid_;
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
    parser.example("bgt notify --ready --status 'listening on 8080'");
    parser.example("bgt notify --progress 40% --step linking --total-steps 5");
    parser.example("while work_on_next; do bgt notify --beat; done");
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
    return out;
}

int Notify::run(Context& context)
{
    const Result<ops::NotifyRequest> wanted = request();
    if (!wanted) return context.fail(wanted.error());
    const Result<void> sent = ops::notify(*wanted);
    return sent ? code::ok : context.fail(sent.error());
}

} // namespace

std::unique_ptr<Verb> make_notify()
{
    return std::make_unique<Notify>();
}

} // namespace bgt::cli
