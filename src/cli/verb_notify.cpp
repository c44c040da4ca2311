#include <bgt/cli/verb.hpp>

#include <bgt/base/text.hpp>
#include <bgt/os/control_socket.hpp>
#include <bgt/store/task_dir.hpp>

#include <charconv>
#include <cstdlib>
#include <string_view>

namespace bgt::cli {

namespace {

constexpr Duration send_timeout = std::chrono::seconds(5);

/// The whole text as a number within bounds.
template <class Number>
std::optional<Number> number(std::string_view text, Number least, Number most)
{
    Number value{};
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    if (parsed.ec != std::errc() || parsed.ptr != end || !(value >= least && value <= most)) return std::nullopt;
    return value;
}

/// `0.4` or `40%`, as the fraction that the protocol has.
Result<std::string> read_progress(const std::string& text)
{
    const bool percent = text.ends_with('%');
    const std::string_view digits = std::string_view(text).substr(0, text.size() - (percent ? 1 : 0));
    const std::optional<double> value = number(digits, 0.0, percent ? 100.0 : 1.0);
    if (!value) return Error::usage("--progress is a fraction from 0 to 1 or a percentage (40%), not \"" + printable(text) + "\"");
    return std::to_string(percent ? *value / 100 : *value);
}

Result<std::string> read_microseconds(const char* option, const std::string& text)
{
    const Result<Duration> duration = parse_duration(text);
    if (!duration) return Error::usage(std::string(option) + ": " + duration.error().message);
    return std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(*duration).count());
}

class Notify final : public Verb {
public:
    void declare(Parser&) override;
    int run(Context&) override;

private:
    Result<std::string> message() const;
    Result<void> add_numbers(std::string& message) const;

    bool ready_ = false, stopping_ = false, beat_ = false;
    std::optional<std::string> status_, progress_, step_, total_, extend_, watchdog_, pid_;
};

void Notify::declare(Parser& parser)
{
    parser.flag("--ready", ready_, "the task is ready (with bgt run --ready-notify)");
    parser.flag("--stopping", stopping_, "the task is about to end by itself");
    parser.option("--status", status_, "TEXT", Value::text, "what it is doing now, for bgt show and JSON");
    parser.option("--progress", progress_, "N", Value::number, "how far it is: 0.4 or 40%");
    parser.option("--step", step_, "TEXT", Value::text, "the name of the current step");
    parser.option("--total-steps", total_, "N", Value::number, "how many steps there are");
    parser.flag("--beat", beat_, "a heartbeat: resets --progress-timeout, --idle-timeout and the watchdog");
    parser.option("--extend", extend_, "D", Value::duration, "it needs D more to become ready or to end");
    parser.option("--watchdog", watchdog_, "D", Value::duration, "from now on, no --beat for D means that it hangs; off: no longer");
    parser.option("--pid", pid_, "PID", Value::pid, "the main process of the task");
    parser.example("bgt notify --ready --status 'listening on 8080'");
    parser.example("bgt notify --progress 40% --step linking --total-steps 5");
    parser.example("while work_on_next; do bgt notify --beat; done");
}

Result<void> Notify::add_numbers(std::string& message) const
{
    if (progress_) {
        const Result<std::string> fraction = read_progress(*progress_);
        if (!fraction) return fraction.error();
        message += "X_BGT_PROGRESS=" + *fraction + "\n";
    }
    if (total_) {
        if (!number<std::uint32_t>(*total_, 1, 1'000'000'000)) return Error::usage("--total-steps is a number from 1 on");
        message += "X_BGT_TOTAL=" + *total_ + "\n";
    }
    if (pid_) {
        if (!number<std::int32_t>(*pid_, 1, INT32_MAX)) return Error::usage("--pid is the number of a process");
        message += "MAINPID=" + *pid_ + "\n";
    }
    if (extend_) {
        const Result<std::string> usec = read_microseconds("--extend", *extend_);
        if (!usec) return usec.error();
        message += "EXTEND_TIMEOUT_USEC=" + *usec + "\n";
    }
    if (watchdog_) {
        const Result<std::string> usec = *watchdog_ == "off" ? std::string("0") : read_microseconds("--watchdog", *watchdog_);
        if (!usec) return usec.error();
        message += "WATCHDOG_USEC=" + *usec + "\n";
    }
    return {};
}

/// All of it as one message, a field a line.
Result<std::string> Notify::message() const
{
    std::string message;
    if (status_) message += "STATUS=" + printable(*status_) + "\n"; // with no newline in it
    if (step_) message += "X_BGT_STEP=" + printable(*step_) + "\n";
    if (Result<void> added = add_numbers(message); !added) return added.error();
    if (beat_) message += "WATCHDOG=1\n";
    if (ready_) message += "READY=1\n";
    if (stopping_) message += "STOPPING=1\n";
    if (message.empty()) return Error::usage("what shall be said? --ready, --status TEXT, --progress N, --beat, ...");
    if (message.size() > os::max_datagram) return Error::usage("that is too long for a message");
    return message;
}

/// Where the supervisor listens: NOTIFY_SOCKET, also one of another supervisor; a program may have taken that out of the
/// environment for its children (man 3 sd_notify, unset_environment), then by the task's folder.
std::string address()
{
    if (const char* const socket = std::getenv("NOTIFY_SOCKET"); socket != nullptr && *socket != '\0') return socket;
    if (const char* const folder = std::getenv("BGT_TASK_DIR"); folder != nullptr && *folder == '/')
        return std::string(folder) + "/" + store::file::control;
    return {};
}

int Notify::run(Context& context)
{
    const Result<std::string> text = message();
    if (!text) return context.fail(text.error());
    const std::string to = address();
    if (to.empty())
        return context.fail(Error::usage("this is not inside a task: neither NOTIFY_SOCKET nor BGT_TASK_DIR is set"));
    const Result<void> sent = os::send_notification(to, *text, send_timeout);
    return sent ? code::ok : context.fail(sent.error());
}

} // namespace

std::unique_ptr<Verb> make_notify()
{
    return std::make_unique<Notify>();
}

} // namespace bgt::cli
