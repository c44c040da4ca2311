// spec.json: the mapping between TaskSpec and its JSON, and the file.
#include <bgt/store/spec.hpp>

#include <bgt/base/descriptor.hpp>
#include <bgt/base/text.hpp>
#include <bgt/store/queue_settings.hpp>

#include "files.hpp"
#include "json_fields.hpp"
#include "spec_policy.hpp"

#include <boost/json.hpp>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace bgt::store {
namespace {

namespace json = boost::json;
using namespace fields;

constexpr std::int64_t schema = 1;
constexpr std::size_t max_spec_size = 64u << 20; ///< far above what execve(2) takes

std::string_view to_string(StdinFrom from)
{
    switch (from) {
    case StdinFrom::null: return "null";
    case StdinFrom::pipe: return "pipe";
    case StdinFrom::file: return "file";
    case StdinFrom::caller: return "caller";
    }
    return "null";
}

json::array encode_limits(const std::vector<ResourceLimit>& limits)
{
    json::array out;
    for (const ResourceLimit& limit : limits)
        out.push_back(json::object{{"name", limit.name}, {"value", limit.value}});
    return out;
}

StdinFrom stdin_of(const std::string& text)
{
    for (const auto from : {StdinFrom::null, StdinFrom::pipe, StdinFrom::file, StdinFrom::caller})
        if (to_string(from) == text) return from;
    bad("stdin", "null, pipe, file or caller");
}

void check_schema(const json::object& from)
{
    std::int64_t written_by = 0;
    take(from, "schema", written_by);
    if (written_by < 1) bad("schema", "there");
    std::int64_t readable_by = written_by;
    take(from, "readable_by", readable_by);
    if (readable_by > schema)
        throw BadField("it was written by a newer bgt (schema " + std::to_string(written_by) +
                       ", this one reads " + std::to_string(schema) + "): use that bgt");
}

void decode_lists(const json::object& from, TaskSpec& spec)
{
    if (const auto* command = find(from, "command"))
        for (const json::value& word : as_array(*command, "command")) {
            spec.command.push_back(as_text(word, "command"));
            if (spec.command.back().find('\0') != std::string::npos)
                bad("command", "free of NUL bytes");
        }
    if (spec.command.empty()) bad("command", "there");
    if (const auto* tags = find(from, "tags"))
        for (const auto& tag : as_object(*tags, "tags"))
            spec.tags[std::string(tag.key())] = as_text(tag.value(), "tags");
    if (const auto* limits = find(from, "limits"))
        for (const json::value& item : as_array(*limits, "limits")) {
            ResourceLimit& limit = spec.limits.emplace_back();
            take(as_object(item, "limits"), "name", limit.name);
            take(item.get_object(), "value", limit.value);
        }
}

json::array encode_after(const std::vector<core::Dependency>& after)
{
    json::array out;
    for (const core::Dependency& dependency : after)
        out.push_back(json::object{{"task", dependency.task}, {"on", to_string(dependency.on)}});
    return out;
}

std::vector<core::Dependency> decode_after(const json::array& from)
{
    std::vector<core::Dependency> after;
    for (const json::value& item : from) {
        core::Dependency& dependency = after.emplace_back();
        take(as_object(item, "after"), "task", dependency.task);
        std::string on = "ok";
        take(item.get_object(), "on", on);
        const auto known = core::parse_depends_on(on);
        if (!known) bad("after", "ok, fail, any, start or ready");
        dependency.on = *known;
    }
    return after;
}

std::string resource_name(std::string_view name)
{
    if (!check_queue_name(name)) bad("queue", "one with names of resources");
    return std::string(name);
}

void decode_queue(const json::object& from, TaskSpec& spec)
{
    take(from, "name", spec.queue);
    if (!spec.queue.empty() && !check_queue_name(spec.queue)) bad("name", "a name of a queue");
    take(from, "priority", spec.priority);
    take(from, "slots", spec.slots);
    take(from, "key", spec.key);
    take(from, "slot", spec.slot);
    if (const auto* units = find(from, "units"))
        for (const auto& resource : as_object(*units, "units"))
            for (const json::value& unit : as_array(resource.value(), "units"))
                spec.units[resource_name(resource.key())].push_back(
                    unit.to_number<std::uint32_t>());
    if (const auto* needs = find(from, "needs")) {
        const json::object& all = as_object(*needs, "needs");
        for (const auto& need : all) take(all, need.key(), spec.needs[resource_name(need.key())]);
    }
}

json::object encode_queue(const TaskSpec& spec)
{
    json::object needs;
    for (const auto& [name, amount] : spec.needs) needs[name] = amount;
    json::object units;
    for (const auto& [name, got] : spec.units) units[name] = json::array(got.begin(), got.end());
    return {{"name", spec.queue},       {"priority", spec.priority}, {"slots", spec.slots},
            {"key", spec.key},          {"needs", std::move(needs)}, {"slot", spec.slot},
            {"units", std::move(units)}};
}

ProjectTask decode_project(const json::object& from)
{
    ProjectTask project;
    take(from, "folder", project.folder);
    take(from, "level", project.level);
    if (const auto* table = find(from, "table"))
        for (const auto& row : as_object(*table, "table")) {
            const std::string key(row.key());
            if (key != printable(key)) bad("table", "one of printable keys");
            project.table[key] = as_text(row.value(), "table");
        }
    return project;
}

json::object encode_project(const ProjectTask& project)
{
    json::object table;
    for (const auto& [key, hash] : project.table) table[key] = hash;
    return {{"folder", project.folder}, {"level", project.level}, {"table", std::move(table)}};
}

json::object encode_afterwards(const Afterwards& then)
{
    json::object out;
    if (!then.end_command.empty()) out["end_command"] = then.end_command;
    if (!then.fail_command.empty()) out["fail_command"] = then.fail_command;
    if (then.notify_by == NotifyBy::nothing) return out;
    out["notify"] = to_string(then.notify_by);
    out["notify_after_ns"] = then.notify_after.count();
    if (!then.terminal.empty()) out["terminal"] = then.terminal;
    return out;
}

Afterwards decode_afterwards(const json::object& from)
{
    Afterwards then;
    take(from, "end_command", then.end_command);
    take(from, "fail_command", then.fail_command);
    take_word(from, "notify", parse_notify_by, then.notify_by);
    take(from, "notify_after_ns", then.notify_after);
    take(from, "terminal", then.terminal);
    return then;
}

json::object encode_watch(const core::WatchSpec& watch)
{
    return {{"globs", json::array(watch.globs.begin(), watch.globs.end())},
            {"ignored", json::array(watch.ignored.begin(), watch.ignored.end())},
            {"debounce_ns", watch.debounce.count()},
            {"on_change", core::format_on_change(watch)}};
}

core::WatchSpec decode_watch(const json::object& from)
{
    core::WatchSpec watch;
    for (const auto& [key, list] :
         {std::pair("globs", &watch.globs), std::pair("ignored", &watch.ignored)})
        if (const auto* words = find(from, key))
            for (const json::value& word : as_array(*words, key))
                list->push_back(as_text(word, key));
    take(from, "debounce_ns", watch.debounce);
    if (const auto* what = find(from, "on_change"))
        if (!core::parse_on_change(as_text(*what, "on_change"), watch))
            bad("on_change", "restart, queue, signal:NAME or ignore-while-busy");
    return watch;
}

TaskSpec decode_fields(const json::object& from)
{
    check_schema(from);
    TaskSpec spec;
    take(from, "id", spec.id.value);
    if (spec.id.value < 1) bad("id", "a task id");
    decode_lists(from, spec);
    take(from, "name", spec.name);
    if (!spec.name.empty() && !check_name(spec.name)) bad("name", "a valid name of a task");
    take(from, "shell", spec.shell);
    if (spec.shell && spec.command.size() < 3) bad("command", "a shell, its -c and a text");
    take(from, "cwd", spec.cwd);
    Duration created = spec.created.time_since_epoch();
    take(from, "created_ns", created);
    spec.created = WallTime(created);
    if (const auto* rules = find(from, "rules"))
        decode_policy(as_object(*rules, "rules"), spec.policy);
    if (const auto* owner = find(from, "owner")) {
        take(as_object(*owner, "owner"), "pid", spec.owner.emplace().pid);
        take(owner->get_object(), "start_ticks", spec.owner->start_ticks);
    }
    take(from, "independent", spec.independent);
    if (const auto* scopes = find(from, "scopes")) {
        auto chain = core::parse_scopes(as_text(*scopes, "scopes"));
        if (!chain) bad("scopes", "scopes as bgt scope names them");
        spec.scopes = *std::move(chain);
    }
    if (const auto* from_where = find(from, "stdin"))
        spec.stdin_from = stdin_of(as_text(*from_where, "stdin"));
    take(from, "stdin_file", spec.stdin_file);
    take(from, "split", spec.split);
    take(from, "log_max", spec.log_max);
    if (find(from, "umask")) take(from, "umask", spec.umask.emplace());
    if (find(from, "nice")) take(from, "nice", spec.nice.emplace());
    take(from, "remove_when_ended", spec.remove_when_ended);
    take(from, "cookie", spec.cookie);
    take(from, "mark", spec.mark);
    if (const auto* ready = find(from, "ready"))
        for (const json::value& condition : as_array(*ready, "ready"))
            spec.ready.push_back(as_text(condition, "ready"));
    take(from, "hang_command", spec.hang_command);
    if (const auto* watch = find(from, "watch"))
        spec.watch = decode_watch(as_object(*watch, "watch"));
    spec.policy.awaits_changes = spec.watch.has_value();
    if (const auto* then = find(from, "afterwards"))
        spec.afterwards = decode_afterwards(as_object(*then, "afterwards"));
    take(from, "progress_pattern", spec.progress_pattern);
    take(from, "dump_stacks", spec.dump_stacks);
    take(from, "keeps_history", spec.keeps_history);
    if (const auto* queue = find(from, "queue")) decode_queue(as_object(*queue, "queue"), spec);
    if (const auto* after = find(from, "after"))
        spec.after = decode_after(as_array(*after, "after"));
    if (const auto* env = find(from, "element_env"))
        for (const json::value& entry : as_array(*env, "element_env"))
            spec.element_env.push_back(as_text(entry, "element_env"));
    take(from, "retry_of", spec.retry_of.value);
    if (const auto* project = find(from, "project"))
        spec.project = decode_project(as_object(*project, "project"));
    return spec;
}

} // namespace

std::string_view to_string(NotifyBy by)
{
    switch (by) {
    case NotifyBy::nothing: return "off";
    case NotifyBy::desktop: return "desktop";
    case NotifyBy::bell: return "bell";
    }
    return "";
}

std::optional<NotifyBy> parse_notify_by(std::string_view word)
{
    for (const NotifyBy by : {NotifyBy::nothing, NotifyBy::desktop, NotifyBy::bell})
        if (to_string(by) == word) return by;
    return std::nullopt;
}

std::string shown_command(const TaskSpec& spec)
{
    return printable(
        shell_join(spec.shell ? std::vector<std::string>{spec.command[2]} : spec.command));
}

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
    out["rules"] = encode_policy(spec.policy);
    out["owner"] = nullptr;
    if (spec.owner)
        out["owner"] =
            json::object{{"pid", spec.owner->pid}, {"start_ticks", spec.owner->start_ticks}};
    if (spec.independent) out["independent"] = true;
    if (!spec.scopes.empty()) out["scopes"] = core::encode_scopes(spec.scopes);
    out["stdin"] = to_string(spec.stdin_from);
    out["stdin_file"] = spec.stdin_file;
    out["split"] = spec.split;
    out["log_max"] = spec.log_max;
    if (spec.umask) out["umask"] = *spec.umask;
    out["nice"] = spec.nice ? json::value(*spec.nice) : json::value(nullptr);
    out["limits"] = encode_limits(spec.limits);
    out["remove_when_ended"] = spec.remove_when_ended;
    out["cookie"] = spec.cookie;
    out["mark"] = spec.mark;
    if (!spec.ready.empty()) out["ready"] = json::array(spec.ready.begin(), spec.ready.end());
    if (!spec.hang_command.empty()) out["hang_command"] = spec.hang_command;
    if (spec.watch) out["watch"] = encode_watch(*spec.watch);
    if (spec.afterwards.follows()) out["afterwards"] = encode_afterwards(spec.afterwards);
    if (!spec.progress_pattern.empty()) out["progress_pattern"] = spec.progress_pattern;
    if (!spec.dump_stacks) out["dump_stacks"] = false;
    if (!spec.keeps_history) out["keeps_history"] = false;
    if (!spec.queue.empty()) out["queue"] = encode_queue(spec);
    if (!spec.after.empty()) out["after"] = encode_after(spec.after);
    if (!spec.element_env.empty())
        out["element_env"] = json::array(spec.element_env.begin(), spec.element_env.end());
    if (spec.retry_of.value != 0) out["retry_of"] = spec.retry_of.value;
    if (spec.project) out["project"] = encode_project(*spec.project);
    return json::serialize(out);
}

std::string with_waiting_fields(std::string_view changes, const TaskSpec& spec)
{
    boost::system::error_code ec;
    json::value all = changes.empty() ? json::value(json::object{}) : parse_bytes(changes, ec);
    if (ec || !all.is_object()) return std::string(changes); // not ours: found out when it is read
    all.get_object()["queue"] = encode_queue(spec);
    all.get_object()["after"] = encode_after(spec.after);
    return json::serialize(all);
}

Result<TaskSpec> decode_spec(std::string_view text)
{
    try {
        boost::system::error_code ec;
        const json::value whole = parse_bytes(text, ec);
        if (ec) return Error::failed("spec.json is damaged: " + ec.message());
        return decode_fields(as_object(whole, "spec.json"));
    } catch (const BadField& problem) {
        return Error::failed(std::string("spec.json can't be read: ") + fields::words_of(problem));
    } catch (const std::exception& problem) { // of Boost.JSON and of memory
        return Error::failed(std::string("spec.json is damaged: ") + fields::words_of(problem));
    }
}

Result<void> write_spec(int task_dir_fd, const TaskSpec& spec)
{
    const Fd fd = open_file(task_dir_fd, "spec.json", O_WRONLY | O_CREAT | O_EXCL);
    if (!fd) return detail::explain("can't create spec.json", errno);
    if (const int err = write_all(fd.get(), encode_spec(spec)))
        return detail::explain("can't write spec.json", err);
    return {};
}

Result<TaskSpec> read_spec(int task_dir_fd)
{
    const auto text =
        detail::read_file(task_dir_fd, "spec.json", max_spec_size, "can't read spec.json");
    if (!text) return text.error();
    return decode_spec(*text);
}

} // namespace bgt::store
