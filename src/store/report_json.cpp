// A report as JSON. The fields of each struct are named once, for both ways.
#include <bgt/store/report.hpp>

#include <bgt/base/text.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <type_traits>

namespace bgt::store {

namespace {

namespace json = boost::json;
using namespace core;

constexpr int schema = 1;
constexpr double max_seconds = 100.0 * 366 * 86400;
constexpr double max_load = 1e6;

/// How many of each list are taken.
template <class T>
constexpr std::size_t bound_of = 64;
template <>
constexpr std::size_t bound_of<ThreadEvidence> = max_threads_shown;
template <>
constexpr std::size_t bound_of<Handle> = max_handles_shown;
template <>
constexpr std::size_t bound_of<PipeEnd> = max_ends_shown;

template <class Io>
void fields(Io& io, Handle& handle)
{
    io("fd", handle.fd);
    io("kind", handle.kind);
    io("text", handle.text);
    io("inode", handle.inode);
    io("task_stdin", handle.task_stdin);
    io("number", handle.number);
    io("raw", handle.raw);
}

template <class Io>
void fields(Io& io, ThreadEvidence& thread)
{
    io("tid", thread.tid);
    io("name", thread.name);
    io("state", thread.state);
    io("wchan", thread.wchan);
    io("call", thread.call);
    io("call_name", thread.call_name);
    io("handles", thread.handles);
    io("writes_wanted", thread.writes_wanted);
    io("futex", thread.futex);
    io("futex_shared", thread.futex_shared);
    io("futex_owner", thread.futex_owner);
    io("timeout_s", thread.timeout);
}

template <class Io>
void fields(Io& io, ProcessEvidence& process)
{
    io("pid", process.pid);
    io("ppid", process.ppid);
    io("comm", process.comm);
    io("command", process.command);
    io("state", process.state);
    io("age_s", process.age);
    io("cpu_s", process.cpu);
    io("recent_cpu_s", process.recent_cpu);
    io("stop_signal", process.stop_signal);
    io("threads", process.threads);
    io("thread_count", process.thread_count);
    io("stdio", process.stdio);
    io("tracer", process.tracer);
    io("tracer_comm", process.tracer_comm);
    io("runtime", process.runtime);
    io("catches", process.catches);
    io("recent_read", process.recent_read);
    io("recent_written", process.recent_written);
    io("recent_wait_s", process.recent_wait);
    io("nice", process.nice);
    io("ended_for_s", process.ended_for);
}

template <class Io>
void fields(Io& io, SocketEvidence& socket)
{
    io("pid", socket.pid);
    io("fd", socket.fd);
    io("inode", socket.inode);
    io("kind", socket.kind);
    io("local", socket.local);
    io("peer", socket.peer);
    io("state", socket.state);
    io("receive_queue", socket.receive_queue);
    io("send_queue", socket.send_queue);
    io("received_ago_s", socket.received_ago);
    io("peer_pid", socket.peer_pid);
    io("peer_comm", socket.peer_comm);
    io("peer_command", socket.peer_command);
    io("peer_share", socket.peer_share);
    io("received", socket.received);
    io("peer_unseen", socket.peer_unseen);
}

template <class Io>
void fields(Io& io, LockEvidence& lock)
{
    io("waiter", lock.waiter);
    io("holder", lock.holder);
    io("holder_command", lock.holder_command);
    io("kind", lock.kind);
    io("path", lock.path);
    io("polled", lock.polled);
}

template <class Io>
void fields(Io& io, PipeEnd& end)
{
    io("pid", end.pid);
    io("comm", end.comm);
    io("inside", end.inside);
}

template <class Io>
void fields(Io& io, PipeEvidence& pipe)
{
    io("inode", pipe.inode);
    io("text", pipe.text);
    io("task_output", pipe.task_output);
    io("readers", pipe.readers);
    io("writers", pipe.writers);
    io("terminal", pipe.terminal);
    io("all_seen", pipe.all_seen);
}

template <class Io>
void fields(Io& io, MachineEvidence& machine)
{
    io("load", machine.load);
    io("cores", machine.cores);
    io("memory_bytes", machine.memory_bytes);
    io("memory_free", machine.memory_free);
    io("disk_free", machine.disk_free);
    io("state_disk_free", machine.state_disk_free);
}

template <class Io>
void fields(Io& io, DumpAsked& dump)
{
    io("pid", dump.pid);
    io("comm", dump.comm);
    io("runtime", dump.runtime);
    io("signal", dump.signal);
    io("deadlock", dump.deadlock);
}

template <class Io>
void fields(Io& io, Ages& ages)
{
    io("byte_s", ages.byte);
    io("text_s", ages.text);
    io("cpu_s", ages.cpu);
    io("io_s", ages.io);
    io("heartbeat_s", ages.heartbeat);
    io("cpu_span_s", ages.cpu_span);
    io("io_span_s", ages.io_span);
}

template <class Io>
void fields(Io& io, Evidence& evidence)
{
    io("processes", evidence.processes);
    io("more_processes", evidence.more_processes);
    io("recent_span_s", evidence.recent_span);
    io("sockets", evidence.sockets);
    io("locks", evidence.locks);
    io("pipes", evidence.pipes);
    io("machine", evidence.machine);
    io("output", evidence.output);
    io("not_ready", evidence.not_ready);
    io("unfinished_line", evidence.unfinished_line);
    io("dumps", evidence.dumps);
    io("complete", evidence.complete);
    io("unseen", evidence.unseen);
    io("paused", evidence.paused);
    io("takes_input", evidence.takes_input);
}

template <class Io>
void fields(Io& io, Report& report)
{
    auto& [evidence, diagnosis] = report;
    io("at", evidence.at);
    io("task", evidence.task_id);
    io("name", evidence.task_name);
    io("kind", evidence.kind);
    io("verdict", diagnosis.verdict);
    io("sentence", diagnosis.sentence);
    io("next", diagnosis.next);
    io("hint", diagnosis.hint);
    io("pid", diagnosis.pid);
    io("certainty", diagnosis.certainty);
    io("doubt", diagnosis.doubt);
    io("chain", diagnosis.chain);
    io("rule", evidence.rule);
    io("limit_s", evidence.limit);
    io("activity", evidence.activity);
    io("ages", evidence.ages);
    io("evidence", evidence);
}

class Encoder {
public:
    json::object take() { return std::move(out_); }

    template <class T>
    void operator()(json::string_view key, T& value)
    {
        out_[key] = of(value);
    }

private:
    template <class T>
    static json::value of(T& value)
    {
        if constexpr (std::is_enum_v<T>) return json::string(to_string(value));
        else if constexpr (std::is_same_v<T, char>) return json::string(to_valid_utf8({&value, 1}));
        else if constexpr (std::is_same_v<T, double>)
            return std::isfinite(value) ? json::value(value) : json::value(nullptr);
        else if constexpr (std::is_arithmetic_v<T>) return value;
        else return object_of(value);
    }
    static json::value of(std::string& value) { return json::string(to_valid_utf8(value)); }
    static json::value of(WallTime& value) { return json::string(format_rfc3339(value)); }
    static json::value of(Duration& value)
    {
        return static_cast<double>(
                   std::chrono::duration_cast<std::chrono::milliseconds>(value).count()) /
               1000.0;
    }
    template <class T>
    static json::value of(std::optional<T>& value)
    {
        return value ? of(*value) : json::value(nullptr);
    }
    template <class T>
    static json::value of(std::vector<T>& values)
    {
        json::array out;
        for (auto& value : values) out.push_back(of(value));
        return out;
    }
    template <class T>
    static json::value object_of(T& value)
    {
        Encoder inside;
        fields(inside, value);
        return inside.take();
    }

    json::object out_;
};

/// Takes what is there; notes the first field that has the wrong type.
class Decoder {
public:
    Decoder(const json::object& in, std::string& problem) : in_(in), problem_(problem) {}

    template <class T>
    void operator()(json::string_view key, T& value)
    {
        const json::value* found = in_.if_contains(key);
        if (found && !take(*found, value)) note(key);
    }

private:
    void note(json::string_view key)
    {
        if (problem_.empty()) problem_.assign(key.data(), key.size());
    }
    template <class E>
    static bool take_word(const json::value& in, E& value)
    {
        if (!in.is_string()) return false;
        const std::string_view word(in.get_string().data(), in.get_string().size());
        const auto find = [&](std::string_view name) {
            for (unsigned raw = 0; raw < 256; ++raw)
                if (to_string(static_cast<E>(raw)) == name) {
                    value = static_cast<E>(raw);
                    return true;
                }
            return false;
        };
        if (!find(word)) find("unknown"); // a word of a newer bgt
        return true;
    }
    template <class T>
    bool take(const json::value& in, T& value)
    {
        if constexpr (std::is_enum_v<T>) {
            return take_word(in, value);
        } else if constexpr (std::is_same_v<T, bool>) {
            if (in.is_bool()) value = in.get_bool();
            return in.is_bool();
        } else if constexpr (std::is_same_v<T, char>) {
            if (in.is_string() && in.get_string().size() == 1)
                value = printable({in.get_string().data(), 1}).front();
            return in.is_string();
        } else if constexpr (std::is_same_v<T, double>) {
            // A load: hundredths, as the kernel tells it. (Boost.JSON does not read the last digits
            // of a number exactly.)
            if (in.is_number())
                value = std::round(std::clamp(in.to_number<double>(), 0.0, max_load) * 100) / 100;
            return in.is_number();
        } else if constexpr (std::is_integral_v<T>) {
            boost::system::error_code error;
            const auto number = in.to_number<T>(error);
            if (!error) value = number;
            return !error;
        } else {
            return take_object(in, value);
        }
    }
    bool take(const json::value& in, std::string& value)
    {
        if (!in.is_string()) return false;
        constexpr std::size_t longest = 4096;
        value = printable(
            std::string_view(in.get_string().data(), in.get_string().size()).substr(0, longest));
        return true;
    }
    bool take(const json::value& in, WallTime& value)
    {
        if (!in.is_string()) return false;
        const auto time = parse_rfc3339({in.get_string().data(), in.get_string().size()});
        if (time) value = *time;
        return static_cast<bool>(time);
    }
    bool take(const json::value& in, Duration& value)
    {
        if (!in.is_number()) return false;
        const double seconds = in.to_number<double>();
        if (!(std::abs(seconds) <= max_seconds)) return false;
        value = std::chrono::milliseconds(std::llround(seconds * 1000));
        return true;
    }
    template <class T>
    bool take(const json::value& in, std::optional<T>& value)
    {
        if (in.is_null()) return true;
        if (take(in, value.emplace())) return true;
        value.reset();
        return false;
    }
    template <class T>
    bool take(const json::value& in, std::vector<T>& values)
    {
        if (!in.is_array()) return false;
        for (const auto& element : in.get_array()) {
            if (values.size() >= bound_of<T>) break;
            if (!take(element, values.emplace_back())) return false;
        }
        return true;
    }
    template <class T>
    bool take_object(const json::value& in, T& value)
    {
        if (!in.is_object()) return false;
        Decoder inside(in.get_object(), problem_);
        fields(inside, value);
        return true;
    }

    const json::object& in_;
    std::string& problem_;
};

Result<Report> decode_object(const json::object& whole)
{
    const json::value* written = whole.if_contains("schema");
    if (!written || !written->is_int64()) return Error::failed("the report is damaged (no schema)");
    if (written->get_int64() > schema)
        return Error::failed("the report was written by a newer bgt: use that bgt");
    Report report;
    std::string problem;
    Decoder decoder(whole, problem);
    fields(decoder, report);
    if (!problem.empty())
        return Error::failed("the report is damaged (" + printable(problem) + ")");
    return report;
}

} // namespace

std::string encode_report(const Report& report)
{
    Encoder encoder;
    Report copy = report; // the fields are named for reading and writing at once
    fields(encoder, copy);
    json::object out{{"schema", schema}};
    for (auto& member : encoder.take()) out.insert(member);
    return json::serialize(out);
}

Result<Report> decode_report(std::string_view text)
{
    try {
        boost::system::error_code error;
        const json::value whole = json::parse(json::string_view(text.data(), text.size()), error);
        if (error || !whole.is_object())
            return Error::failed("the report is damaged (not a JSON object)");
        return decode_object(whole.get_object());
    } catch (const std::exception&) { // a text that is hostile to the parser
        return Error::failed("the report is damaged");
    }
}

} // namespace bgt::store
