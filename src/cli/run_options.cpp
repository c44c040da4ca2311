#include "run_options.hpp"

#include <bgt/cli/env_file.hpp>
#include <bgt/cli/limits.hpp>

#include <bgt/base/size.hpp>
#include <bgt/base/text.hpp>
#include <bgt/os/clock.hpp>
#include <bgt/os/proc.hpp>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <map>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::cli {

namespace {

/// "--timeout: WHY": the parsers of values do not know whose value they read.
Error of(const char* option, const Error& error)
{
    return {error.kind, std::string(option) + ": " + error.message, error.sys_errno};
}

Result<int> parse_int(const char* option, const std::string& text, int low, int high)
{
    int value = 0;
    const auto [end, err] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || err != std::errc() || end != text.data() + text.size() || value < low || value > high)
        return Error::usage(std::string(option) + ": '" + fit(printable(text), 40) + "' is no number from " +
                            std::to_string(low) + " to " + std::to_string(high));
    return value;
}

/// The physical path (man 3 realpath) of something that exists.
Result<std::string> real_path(const char* option, const std::string& path)
{
    char buffer[PATH_MAX];
    if (::realpath(path.c_str(), buffer) == nullptr) return Error::system(option + (" " + printable(path)), errno);
    return std::string(buffer);
}

Result<std::string> working_folder(const std::optional<std::string>& asked)
{
    auto path = real_path("--cwd", asked.value_or("."));
    if (!path) return asked ? path.error() : Error::system("the working folder is gone", path.error().sys_errno);
    struct stat info = {};
    if (::stat(path->c_str(), &info) != 0) return Error::system("--cwd " + printable(*path), errno);
    if (!S_ISDIR(info.st_mode)) return Error::usage("--cwd " + printable(*path) + ": not a folder");
    if (::access(path->c_str(), X_OK) != 0) return Error::system("--cwd " + printable(*path), errno);
    return path;
}

Result<void> set_stdin(store::TaskSpec& spec, const std::string& from)
{
    if (from == "null") return {};
    if (from == "pipe") {
        spec.stdin_from = store::StdinFrom::pipe;
        return {};
    }
    auto path = real_path("--stdin", from);
    if (!path) return path.error();
    struct stat info = {};
    if (::stat(path->c_str(), &info) == 0 && S_ISDIR(info.st_mode))
        return Error::usage("--stdin " + printable(from) + ": a folder");
    if (::access(path->c_str(), R_OK) != 0) return Error::system("--stdin " + printable(from), errno);
    spec.stdin_from = store::StdinFrom::file;
    spec.stdin_file = *std::move(path);
    return {};
}

Result<void> set_tags(store::TaskSpec& spec, const std::vector<std::string>& tags)
{
    for (const auto& tag : tags) {
        const auto equals = tag.find('=');
        if (equals == std::string::npos || equals == 0)
            return Error::usage("--tag " + fit(printable(tag), 40) + ": expected K=V");
        spec.tags[tag.substr(0, equals)] = tag.substr(equals + 1);
    }
    return {};
}

Result<void> set_limits(store::TaskSpec& spec, const RunOptions& options)
{
    std::map<std::string, std::uint64_t> limits; // each once, the last one wins
    if (options.memory_max) {
        auto size = parse_size(*options.memory_max);
        if (!size) return of("--memory-max", size.error());
        limits["as"] = *size;
    }
    for (const auto& text : options.limits) {
        auto limit = parse_resource_limit(text);
        if (!limit) return limit.error();
        limits[limit->name] = limit->value;
    }
    for (const auto& [name, value] : limits) spec.limits.push_back({name, value});
    return {};
}

Result<void> set_owner(store::TaskSpec& spec, const std::string& text)
{
    auto pid = parse_int("--owner", text, 1, INT_MAX);
    if (!pid) return pid.error();
    spec.owner = os::key_of(*pid);
    if (!spec.owner) return Error::usage("--owner: there is no living process " + text);
    return {};
}

Result<void> set_rules(core::Spec& rules, const RunOptions& options, const config::Settings& settings)
{
    rules.kind = options.service ? core::Kind::service : core::Kind::job;
    rules.timeout = settings.timeout;
    if (options.timeout) {
        auto limit = parse_limit(*options.timeout);
        if (!limit) return of("--timeout", limit.error());
        rules.timeout = *limit;
    }
    Duration grace = settings.grace;
    if (options.grace) {
        auto given = parse_duration(*options.grace);
        if (!given) return of("--grace", given.error());
        grace = *given;
    }
    auto ladder = core::parse_stop_signals(options.stop_signals.value_or(settings.stop_signals), grace);
    if (!ladder) return of("--stop-signals", ladder.error());
    rules.stop_ladder = *std::move(ladder);
    rules.leftover = settings.leftover;
    if (options.leftover) rules.leftover = core::parse_leftover(*options.leftover).value_or(settings.leftover);
    return {};
}

Result<void> add_env(std::vector<std::string>& env, const std::vector<std::string>& given)
{
    for (const auto& text : given) {
        if (!is_variable_name(text.substr(0, text.find('='))))
            return Error::usage("--env " + fit(printable(text), 40) + ": expected K=V");
        if (text.find('=') != std::string::npos) {
            env.push_back(text);
            continue;
        }
        const char* value = std::getenv(text.c_str());
        if (value == nullptr)
            return Error::usage("--env " + printable(text) + ": expected K=V; K alone passes on its value, and it has none");
        env.push_back(text + "=" + value);
    }
    return {};
}

/// Of several assignments to a variable the last one stays, at the first one's place.
std::vector<std::string> without_doubles(const std::vector<std::string>& env)
{
    std::vector<std::string> out;
    std::map<std::string, std::size_t, std::less<>> at;
    for (const auto& assignment : env) {
        const auto [it, is_new] = at.try_emplace(assignment.substr(0, assignment.find('=')), out.size());
        if (is_new)
            out.push_back(assignment);
        else
            out[it->second] = assignment;
    }
    return out;
}

Result<std::vector<std::string>> environment(const RunOptions& options)
{
    std::vector<std::string> env;
    if (!options.clear_env)
        for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) env.emplace_back(*entry);
    for (const auto& path : options.env_files) {
        auto from_file = read_env_file(path);
        if (!from_file) return from_file.error();
        env.insert(env.end(), from_file->begin(), from_file->end());
    }
    if (auto added = add_env(env, options.env); !added) return added.error();
    return without_doubles(env);
}

Result<void> set_command(store::TaskSpec& spec, const RunOptions& options)
{
    spec.command = options.command;
    if (options.shell) {
        spec.shell = true;
        std::vector<std::string> shell{"/bin/sh", "-c", *options.shell};
        if (!spec.command.empty()) shell.emplace_back("sh"); // $0; the words are $1 and on
        spec.command.insert(spec.command.begin(), shell.begin(), shell.end());
    }
    if (spec.command.empty()) return Error::usage("no command given: bgt run [options] [--] COMMAND [ARG...]");
    return {};
}

Result<void> set_name(store::TaskSpec& spec, const RunOptions& options)
{
    if (options.if_absent && options.replace)
        return Error::usage("--if-absent and --replace exclude each other");
    if (!options.name) {
        if (options.if_absent) return Error::usage("--if-absent needs --name NAME");
        if (options.replace) return Error::usage("--replace needs --name NAME");
        return {};
    }
    if (auto valid = store::check_name(*options.name); !valid) return of("--name", valid.error());
    spec.name = *options.name;
    return {};
}

Result<void> set_log_max(store::TaskSpec& spec, const RunOptions& options, const config::Settings& settings)
{
    spec.log_max = settings.log_max;
    if (!options.log_max) return {};
    if (*options.log_max == "off") {
        spec.log_max = 0;
        return {};
    }
    auto size = parse_size(*options.log_max);
    if (!size) return of("--log-max", size.error());
    if (*size == 0) return Error::usage("--log-max: 0 would keep nothing (off: no limit)");
    spec.log_max = *size;
    return {};
}

} // namespace

void RunOptions::declare(Parser& parser)
{
    parser.option("--name", name, "NAME", Value::task_name, "a name for the task, unique among the living");
    parser.flag("--if-absent", if_absent, "if a living task bears the name, start nothing and print its id");
    parser.flag("--replace", replace, "if a living task bears the name, end it first");
    parser.list("--tag", tags, "K=V", Value::text, "a tag to find the task by");
    parser.option("--cwd", cwd, "DIR", Value::folder, "the folder to run in (default: this one)");
    parser.list("--env", env, "K[=V]", Value::text,
                "set a variable of its environment; K alone passes on the value here");
    parser.list("--env-file", env_files, "FILE", Value::file, "set the variables in FILE, one K=V a line");
    parser.flag("--clear-env", clear_env, "begin with an empty environment");
    parser.option("-c,--shell", shell, "TEXT", Value::command,
                  "run TEXT by /bin/sh -c; the words after the options are its $1, $2 and so on");
    parser.option("--stdin", stdin_from, "null|pipe|FILE", Value::file,
                  "its standard input: nothing (default), what bgt send writes, or a file");
    parser.option("--timeout", timeout, "D", Value::duration, "end it after D (30s, 10m, 1h30m; off)");
    parser.option("--grace", grace, "D", Value::duration,
                  "at a stop, the time between the stop signal and SIGKILL (default 5s)");
    parser.option("--stop-signals", stop_signals, "LIST", Value::text,
                  "the signals of a stop, each with its time: QUIT:2s,TERM:5s; SIGKILL follows");
    parser.choice("--leftover", leftover, {"kill", "wait", "keep"},
                  "what of it outlives the command: kill it after 2 s (default), wait for it, or leave it alone");
    parser.option("--owner", owner, "PID", Value::pid, "end the task when process PID ends; --owner $$ in a script");
    parser.option("--log-max", log_max, "SIZE", Value::size,
                  "how much of its newest output is kept (default 256MiB; off: all)");
    parser.flag("--split", split, "keep its stderr in a log of its own");
    parser.option("--nice", nice, "N", Value::number, "its scheduling priority, from -20 to 19 (man 2 setpriority)");
    parser.option("--memory-max", memory_max, "SIZE", Value::size,
                  "the address space of each of its processes (RLIMIT_AS)");
    parser.list("--limit", limits, "NAME=VALUE", Value::limit,
                "a resource limit of each of its processes: as, core, cpu, data, fsize, memlock, nofile, nproc, stack");
    parser.flag("--service", service, "it runs until it is stopped, and may be quiet");
    parser.flag("--wait", wait,
                "stay until it has ended: pass its output on, end with its exit code; INT, TERM and HUP stop it, a second one "
                "kills it; when stdout is closed, its output only goes to the log");
    parser.flag("--rm", remove, "remove the task, with its log, once it has ended");
    parser.flag("--json", json, "print the task as JSON (with --wait: at its end, without its output)");
    parser.command(command);
    parser.example("bgt run --name web --service -- npm run dev");
    parser.example("bgt run --timeout 10m --owner $$ -c 'make -j8 > build.txt'");
    parser.example("bgt run --wait --rm -- make test");
}

Result<supervise::StartRequest> RunOptions::request(const config::Settings& settings) const
{
    supervise::StartRequest out;
    auto& spec = out.spec;
    if (auto done = set_command(spec, *this); !done) return done.error();
    if (auto done = set_name(spec, *this); !done) return done.error();
    if (auto done = set_tags(spec, tags); !done) return done.error();
    if (auto done = set_rules(spec.rules, *this, settings); !done) return done.error();
    if (auto done = set_log_max(spec, *this, settings); !done) return done.error();
    if (auto done = set_limits(spec, *this); !done) return done.error();
    if (auto done = set_stdin(spec, stdin_from.value_or("null")); !done) return done.error();
    if (owner)
        if (auto done = set_owner(spec, *owner); !done) return done.error();
    if (nice) {
        auto value = parse_int("--nice", *nice, -20, 19);
        if (!value) return value.error();
        spec.nice = *value;
    }
    auto folder = working_folder(cwd);
    if (!folder) return folder.error();
    spec.cwd = *std::move(folder);
    auto variables = environment(*this);
    if (!variables) return variables.error();
    out.env = *std::move(variables);
    spec.split = split;
    spec.created = os::wall_now();
    // With --wait it is this process that removes it: it must read the record and the log to their end first.
    spec.remove_when_ended = remove && !wait;
    out.retention = {settings.keep_ended, settings.keep_age};
    return out;
}

supervise::IfNameTaken RunOptions::if_name_taken() const
{
    if (if_absent) return supervise::IfNameTaken::use_it;
    return replace ? supervise::IfNameTaken::replace : supervise::IfNameTaken::fail;
}

} // namespace bgt::cli
