// spec.json: the mapping between TaskSpec and its JSON, and the file.
#include <bgt/store/spec.hpp>

#include "files.hpp"

#include <boost/json.hpp>
#include <fcntl.h>
#include <unistd.h>
#include <cerrno>
#include <stdexcept>

namespace bgt::store {
namespace {

namespace json = boost::json;

constexpr std::int64_t schema = 1;
constexpr std::size_t largest_spec = 64u << 20; ///< far above what execve(2) takes

/// A field that is not what it must be. Thrown and caught in this file.
struct BadField : std::runtime_error {
    using std::runtime_error::runtime_error;
};

std::string_view to_string(StdinFrom from)
{
    switch (from) {
    case StdinFrom::null: return "null";
    case StdinFrom::pipe: return "pipe";
    case StdinFrom::file: return "file";
    }
    return "null";
}

json::object encode_rules(const core::Spec& rules)
{
    json::array ladder;
    for (const core::StopStep& step : rules.stop_ladder)
        ladder.push_back(json::object{{"signal", step.signal}, {"wait_ns", step.wait.count()}});
    json::object out;
    out["kind"] = core::to_string(rules.kind);
    out["stop_ladder"] = std::move(ladder);
    out["timeout_ns"] = rules.timeout ? json::value(rules.timeout->count()) : json::value(nullptr);
    out["leftover"] = core::to_string(rules.leftover);
    out["leftover_wait_ns"] = rules.leftover_wait.count();
    return out;
}

json::array encode_limits(const std::vector<ResourceLimit>& limits)
{
    json::array out;
    for (const ResourceLimit& limit : limits) out.push_back(json::object{{"name", limit.name}, {"value", limit.value}});
    return out;
}

/// The value of a key, or null where it is missing or null: then the default stays.
const json::value* find(const json::object& from, std::string_view key)
{
    const json::value* value = from.if_contains(key);
    return value && !value->is_null() ? value : nullptr;
}

[[noreturn]] void bad(std::string_view key, std::string_view wanted)
{
    throw BadField("\"" + std::string(key) + "\" is not " + std::string(wanted));
}

const json::object& as_object(const json::value& value, std::string_view key)
{
    if (!value.is_object()) bad(key, "an object");
    return value.get_object();
}

const json::array& as_array(const json::value& value, std::string_view key)
{
    if (!value.is_array()) bad(key, "a list");
    return value.get_array();
}

std::string as_text(const json::value& value, std::string_view key)
{
    if (!value.is_string()) bad(key, "a text");
    return std::string(value.get_string().data(), value.get_string().size());
}

void take(const json::object& from, std::string_view key, std::string& into)
{
    if (const auto* value = find(from, key)) into = as_text(*value, key);
}

void take(const json::object& from, std::string_view key, bool& into)
{
    const auto* value = find(from, key);
    if (!value) return;
    if (!value->is_bool()) bad(key, "true or false");
    into = value->get_bool();
}

template <class Number>
    requires std::is_integral_v<Number>
void take(const json::object& from, std::string_view key, Number& into)
{
    const auto* value = find(from, key);
    if (!value) return;
    boost::system::error_code ec;
    into = value->to_number<Number>(ec); // not exact or out of range: an error
    if (ec || value->is_double()) bad(key, "a whole number of its range");
}

void take(const json::object& from, std::string_view key, Duration& into)
{
    Duration::rep count = into.count();
    take(from, key, count);
    into = Duration(count);
}

core::Kind kind_of(const std::string& text)
{
    for (const auto kind : {core::Kind::job, core::Kind::service})
        if (core::to_string(kind) == text) return kind;
    bad("kind", "job or service");
}

StdinFrom stdin_of(const std::string& text)
{
    for (const auto from : {StdinFrom::null, StdinFrom::pipe, StdinFrom::file})
        if (to_string(from) == text) return from;
    bad("stdin", "null, pipe or file");
}

void decode_rules(const json::object& from, core::Spec& rules)
{
    if (const auto* kind = find(from, "kind")) rules.kind = kind_of(as_text(*kind, "kind"));
    if (const auto* ladder = find(from, "stop_ladder")) {
        rules.stop_ladder.clear();
        for (const json::value& item : as_array(*ladder, "stop_ladder")) {
            core::StopStep step;
            take(as_object(item, "stop_ladder"), "signal", step.signal);
            take(item.get_object(), "wait_ns", step.wait);
            if (step.signal < 1 || step.signal > 64 || step.wait < Duration::zero()) bad("stop_ladder", "a list of signals and times");
            rules.stop_ladder.push_back(step);
        }
    }
    if (find(from, "timeout_ns")) take(from, "timeout_ns", rules.timeout.emplace());
    if (const auto* leftover = find(from, "leftover")) {
        const auto known = core::parse_leftover(as_text(*leftover, "leftover"));
        if (!known) bad("leftover", "kill, wait or keep");
        rules.leftover = *known;
    }
    take(from, "leftover_wait_ns", rules.leftover_wait);
}

void check_schema(const json::object& from)
{
    std::int64_t written_by = 0;
    take(from, "schema", written_by);
    if (written_by < 1) bad("schema", "there");
    std::int64_t readable_by = written_by;
    take(from, "readable_by", readable_by);
    if (readable_by > schema)
        throw BadField("it was written by a newer bgt (schema " + std::to_string(written_by) + ", this one reads " +
                       std::to_string(schema) + "): use that bgt");
}

void decode_lists(const json::object& from, TaskSpec& spec)
{
    if (const auto* command = find(from, "command"))
        for (const json::value& word : as_array(*command, "command")) {
            spec.command.push_back(as_text(word, "command"));
            if (spec.command.back().find('\0') != std::string::npos) bad("command", "free of NUL bytes");
        }
    if (spec.command.empty()) bad("command", "there");
    if (const auto* tags = find(from, "tags"))
        for (const auto& tag : as_object(*tags, "tags")) spec.tags[std::string(tag.key())] = as_text(tag.value(), "tags");
    if (const auto* limits = find(from, "limits"))
        for (const json::value& item : as_array(*limits, "limits")) {
            ResourceLimit& limit = spec.limits.emplace_back();
            take(as_object(item, "limits"), "name", limit.name);
            take(item.get_object(), "value", limit.value);
        }
}

TaskSpec decode_fields(const json::object& from)
{
    check_schema(from);
    TaskSpec spec;
    take(from, "id", spec.id.value);
    if (spec.id.value < 1) bad("id", "a task id");
    decode_lists(from, spec);
    take(from, "name", spec.name);
    take(from, "shell", spec.shell);
    take(from, "cwd", spec.cwd);
    Duration created = spec.created.time_since_epoch();
    take(from, "created_ns", created);
    spec.created = WallTime(created);
    if (const auto* rules = find(from, "rules")) decode_rules(as_object(*rules, "rules"), spec.rules);
    if (const auto* owner = find(from, "owner")) {
        take(as_object(*owner, "owner"), "pid", spec.owner.emplace().pid);
        take(owner->get_object(), "start_ticks", spec.owner->start_ticks);
    }
    if (const auto* from_where = find(from, "stdin")) spec.stdin_from = stdin_of(as_text(*from_where, "stdin"));
    take(from, "stdin_file", spec.stdin_file);
    take(from, "split", spec.split);
    take(from, "log_max", spec.log_max);
    if (find(from, "nice")) take(from, "nice", spec.nice.emplace());
    take(from, "remove_when_ended", spec.remove_when_ended);
    take(from, "cookie", spec.cookie);
    take(from, "mark", spec.mark);
    return spec;
}

} // namespace

std::string encode_spec(const TaskSpec& spec)
{
    json::object out;
    out["schema"] = schema;
    out["readable_by"] = schema;
    out["id"] = spec.id.value;
    out["name"] = spec.name;
    json::object tags;
    for (const auto& [key, value] : spec.tags) tags[key] = value;
    out["tags"] = std::move(tags);
    out["command"] = json::array(spec.command.begin(), spec.command.end());
    out["shell"] = spec.shell;
    out["cwd"] = spec.cwd;
    out["created_ns"] = spec.created.time_since_epoch().count();
    out["rules"] = encode_rules(spec.rules);
    out["owner"] = nullptr;
    if (spec.owner) out["owner"] = json::object{{"pid", spec.owner->pid}, {"start_ticks", spec.owner->start_ticks}};
    out["stdin"] = to_string(spec.stdin_from);
    out["stdin_file"] = spec.stdin_file;
    out["split"] = spec.split;
    out["log_max"] = spec.log_max;
    out["nice"] = spec.nice ? json::value(*spec.nice) : json::value(nullptr);
    out["limits"] = encode_limits(spec.limits);
    out["remove_when_ended"] = spec.remove_when_ended;
    out["cookie"] = spec.cookie;
    out["mark"] = spec.mark;
    return json::serialize(out);
}

Result<TaskSpec> decode_spec(std::string_view text)
{
    try {
        json::parse_options options;
        options.allow_invalid_utf8 = true; // arguments are bytes
        boost::system::error_code ec;
        const json::value whole = json::parse(json::string_view(text.data(), text.size()), ec, {}, options);
        if (ec) return Error::failed("spec.json is damaged: " + ec.message());
        return decode_fields(as_object(whole, "spec.json"));
    } catch (const BadField& problem) {
        return Error::failed(std::string("spec.json can't be read: ") + problem.what());
    } catch (const std::exception& problem) { // of Boost.JSON and of memory
        return Error::failed(std::string("spec.json is damaged: ") + problem.what());
    }
}

Result<void> write_spec(int task_dir_fd, const TaskSpec& spec)
{
    const Fd fd(::openat(task_dir_fd, "spec.json", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) return detail::explain("can't create spec.json", errno);
    if (const int err = detail::write_all(fd.get(), encode_spec(spec))) return detail::explain("can't write spec.json", err);
    return {};
}

Result<TaskSpec> read_spec(int task_dir_fd)
{
    const auto text = detail::read_file(task_dir_fd, "spec.json", largest_spec, "can't read spec.json");
    if (!text) return text.error();
    return decode_spec(*text);
}

} // namespace bgt::store
