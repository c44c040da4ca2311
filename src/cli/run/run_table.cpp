#include "run_table.hpp"

#include "run_table_end.hpp"
#include "run_table_watch.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace bgt::cli {

namespace {

using O = RunOptions;

/// Reads a limit into one member of the rules.
template <auto Member>
Result<void> take_hang(RunPlan& plan, const std::string& text)
{
    auto limit = parse_limit(text);
    if (!limit) return limit.error();
    plan.spec.policy.hang.*Member = *limit;
    return {};
}

Result<void> take_timeout(RunPlan& plan, const std::string& text)
{
    auto limit = parse_limit(text);
    if (!limit) return limit.error();
    plan.spec.policy.timeout = *limit;
    return {};
}

template <auto Member>
std::string print_notice(const RunPlan& plan)
{
    return print::notice(plan, plan.spec.policy.hang.*Member);
}

using H = core::HangRules;

// Why an option needs trust in a bgt.toml: it has something executed (env, env_file, clear_env,
// cwd: which program a name means, and what it reads; ready_cmd, exec:), has the command executed
// more often than its user asked for (retries, restart), lets it read another file (stdin), makes a
// request or, with an automounter, may make one (ready_http, ready_file), removes (rm), or concerns
// other tasks (name, which is unique among all tasks of the user; if_absent, replace). What is left
// says what kind of command it is, when it hangs, how it ends and how much it may use.
constexpr std::array first_options{
    RunOption{.names = "-n,--name",
              .member = &O::name,
              .metavar = "NAME",
              .value = Value::task_name,
              .help = "a name for the task, unique among running tasks",
              .take = take::name,
              .in_rules = InRules::trusted,
              .group = "The task",
              .of_name = true},
    RunOption{
        .names = "--if-absent",
        .member = &O::if_absent,
        .help = "if a task with this name, command and folder runs, start nothing and print its id",
        .in_rules = InRules::trusted,
        .of_name = true},
    RunOption{.names = "--replace",
              .member = &O::replace,
              .help = "if a task with this name and folder runs, end it first",
              .in_rules = InRules::trusted,
              .of_name = true},
    RunOption{.names = "--anywhere",
              .member = &O::anywhere,
              .help = "with --if-absent or --replace: accept the task with this name whatever its "
                      "command and folder",
              .in_rules = InRules::no},
    RunOption{.names = "--tag",
              .member = &O::tags,
              .metavar = "K=V",
              .help = "a tag to find the task by",
              .take = take::tag,
              .in_rules = InRules::yes},
    RunOption{.names = "-C,--cwd",
              .member = &O::cwd,
              .metavar = "DIR",
              .value = Value::folder,
              .help = "the working folder of the task (default: the current one)",
              .in_rules = InRules::trusted_path},
    RunOption{.names = "-e,--env",
              .member = &O::env,
              .metavar = "K[=V]",
              .help = "set a variable of its environment; K alone passes on the current value",
              .in_rules = InRules::trusted},
    RunOption{.names = "--env-file",
              .member = &O::env_files,
              .metavar = "FILE",
              .value = Value::file,
              .help = "set the variables in FILE, one K=V per line",
              .in_rules = InRules::trusted_path},
    RunOption{.names = "--clear-env",
              .member = &O::clear_env,
              .help = "start with an empty environment",
              .in_rules = InRules::trusted},
    RunOption{.names = "-c,--shell",
              .member = &O::shell,
              .metavar = "TEXT",
              .value = Value::command,
              .help =
                  "run TEXT with /bin/sh -c; the words after the options are its $1, $2 and so on",
              .in_rules = InRules::no},
    RunOption{.names = "--stdin",
              .member = &O::stdin_from,
              .metavar = "null|pipe|-|FILE",
              .value = Value::file,
              .help = "its standard input: nothing (default), what bgt send writes, that of bgt "
                      "run, or a file",
              .in_rules = InRules::trusted_path},
    RunOption{.names = "--service",
              .member = &O::service,
              .help = "it runs until it is stopped, and may be quiet",
              .take = take::kind_service,
              .in_rules = InRules::yes},
    RunOption{.names = "--job",
              .member = &O::job,
              .help = "it must finish, whatever a rule or the built-in list says",
              .take = take::kind_job,
              .in_rules = InRules::yes},
    RunOption{.names = "--timeout",
              .member = &O::timeout,
              .metavar = "D",
              .value = Value::duration,
              .help = "end it after D, such as 30s, 10m or 1h30m (default off)",
              .take = take_timeout,
              .print = [](const RunPlan& p) { return print::limit(p.spec.policy.timeout); },
              .in_rules = InRules::yes,
              .group = "Limits and hangs"},
};

constexpr std::array hang_and_ready_options{
    RunOption{.names = "--on-hang",
              .member = &O::on_hang,
              .metavar = "kill|restart|report|exec:CMD",
              .help = "what to do when it hangs by one of these limits: end it (default), start it "
                      "again, only report, or "
                      "report and run CMD",
              .take = take::on_hang,
              .print = print::on_hang,
              .in_rules = InRules::trusted_runs},
    RunOption{.names = "--quiet-after",
              .member = &O::quiet_after,
              .metavar = "D",
              .value = Value::duration,
              .help = "report a job as quiet after D without output (default 60s; off: never)",
              .take = take_hang<&H::quiet_after>,
              .print = print_notice<&H::quiet_after>,
              .in_rules = InRules::yes},
    RunOption{.names = "--stalled-after",
              .member = &O::stalled_after,
              .metavar = "D",
              .value = Value::duration,
              .help = "report a job as stalled, and write a report, after D without progress "
                      "(default 5m; off: never)",
              .take = take_hang<&H::stalled_after>,
              .print = print_notice<&H::stalled_after>,
              .in_rules = InRules::yes},
    RunOption{
        .names = "--dump",
        .member = &O::dump,
        .metavar = "none|auto",
        .closed = true,
        .help =
            "whether a report asks runtimes for their stacks if that is harmless (default auto)",
        .take = take::dump,
        .in_rules = InRules::yes},
    RunOption{
        .names = "--progress-pattern",
        .member = &O::progress_pattern,
        .metavar = "REGEX",
        .value = Value::regex,
        .help =
            "how its output reports progress: one group is a percentage, two are done and total",
        .take = take::progress_pattern,
        .in_rules = InRules::yes},
    RunOption{.names = "--ready-log",
              .member = &O::ready_log,
              .metavar = "REGEX",
              .value = Value::regex,
              .help = "it is ready when a line of its output matches",
              .take = take::ready_log,
              .in_rules = InRules::yes,
              .group = "Readiness"},
    RunOption{.names = "--ready-port",
              .member = &O::ready_port,
              .metavar = "N|any",
              .value = Value::number,
              .help = "it is ready when it listens on port N, or on any",
              .take = take::ready_port,
              .in_rules = InRules::yes},
    RunOption{.names = "--ready-http",
              .member = &O::ready_http,
              .metavar = "URL[=STATUS]",
              .help = "it is ready when a GET is answered with 2xx or 3xx, or with STATUS",
              .take = take::ready_http,
              .in_rules = InRules::trusted},
    RunOption{.names = "--ready-cmd",
              .member = &O::ready_cmd,
              .metavar = "TEXT",
              .value = Value::command,
              .help = "it is ready when /bin/sh -c TEXT exits with 0",
              .take = take::ready_cmd,
              .in_rules = InRules::trusted},
    RunOption{.names = "--ready-file",
              .member = &O::ready_file,
              .metavar = "PATH",
              .value = Value::file,
              .help = "it is ready when PATH exists",
              .take = take::ready_file,
              .in_rules = InRules::trusted},
    RunOption{.names = "--ready-notify",
              .member = &O::ready_notify,
              .help = "it is ready when it reports so (sd_notify, bgt notify --ready)",
              .take = take::ready_notify,
              .in_rules = InRules::yes},
    RunOption{.names = "--wait-ready",
              .member = &O::wait_ready,
              .help = "wait until it is ready: exit with 0, or with 121 if it ends before that, "
                      "120 if it hangs, 123 if its "
                      "--timeout or --cpu-limit passes",
              .in_rules = InRules::no},
};

constexpr std::array last_options{
    RunOption{.names = "--owner",
              .member = &O::owner,
              .metavar = "PID",
              .value = Value::pid,
              .help = "end the task when process PID ends; --owner $$ in a script",
              .in_rules = InRules::no},
    RunOption{.names = "--independent",
              .member = &O::independent,
              .help = "inside of a task: start it as one that outlives that task; an error where "
                      "this can't be had",
              .in_rules = InRules::no},
    RunOption{.names = "--log-max",
              .member = &O::log_max,
              .metavar = "SIZE",
              .value = Value::size,
              .help = "how much of its newest output is kept (default 256MiB; off: all of it)",
              .take = take::log_max,
              .print = print::log_max,
              .in_rules = InRules::yes,
              .group = "Output and resources"},
    RunOption{.names = "--split",
              .member = &O::split,
              .help = "keep stderr in a separate log",
              .in_rules = InRules::yes},
    RunOption{.names = "--nice",
              .member = &O::nice,
              .metavar = "N",
              .value = Value::number,
              .help = "its nice value, from -20 to 19 (man 2 setpriority)",
              .take = take::nice,
              .in_rules = InRules::yes},
    RunOption{.names = "--memory-max",
              .member = &O::memory_max,
              .metavar = "SIZE",
              .value = Value::size,
              .help = "a limit on the address space of each of its processes (RLIMIT_AS)",
              .take = take::memory_max,
              .in_rules = InRules::yes},
    RunOption{.names = "--limit",
              .member = &O::limits,
              .metavar = "NAME=VALUE",
              .value = Value::limit,
              .help = "a resource limit of each of its processes: as, core, cpu, data, fsize, "
                      "memlock, nofile, nproc, stack",
              .take = take::limit,
              .in_rules = InRules::yes},
    RunOption{
        .names = "--wait",
        .member = &O::wait,
        .help =
            "wait until it has ended, print its output, exit with its code; SIGINT, SIGTERM and "
            "SIGHUP "
            "stop it, a second one kills it; if stdout is closed, its output goes only to the log",
        .in_rules = InRules::no,
        .group = "This call"},
    RunOption{.names = "--max-wait",
              .member = &O::max_wait,
              .metavar = "D",
              .value = Value::duration,
              .help = "with --wait: after D leave it in the background, print its id on stderr, "
                      "and exit with 124",
              .in_rules = InRules::no},
    RunOption{.names = "--rm",
              .member = &O::remove,
              .help = "remove the task, with its log, once it has ended",
              .in_rules = InRules::trusted},
    RunOption{.names = "--explain",
              .member = &O::explain,
              .help = "start nothing; print the kind and the limits that would apply, and where "
                      "each comes from",
              .in_rules = InRules::no},
    RunOption{.names = "--json",
              .member = &O::json,
              .help = "print the task as JSON (with --wait: at its end, with the last lines of its "
                      "output)",
              .in_rules = InRules::no},
    RunOption{.names = "--fields",
              .member = &O::fields,
              .metavar = "FIELD,...",
              .help = "with --json: only these fields of the task (a wrong one lists all)",
              .in_rules = InRules::no},
    RunOption{.names = "--brief",
              .member = &O::brief,
              .help = "with --json: leave out what is null, empty or as always; without --fields, "
                      "the task in about 120 bytes",
              .in_rules = InRules::no},
};

template <std::size_t Row>
constexpr RunOption hang_option()
{
    return {
        .names = core::hang_rules[Row].option,
        .member = RunOption::HangLimit{Row},
        .metavar = "D",
        .value = Value::duration,
        .help = core::hang_rules[Row].help,
        .take = take_hang<core::hang_rules[Row].limit>,
        .print = [](const RunPlan& plan) { return print::hang_limit(plan, core::hang_rules[Row]); },
        .in_rules = InRules::yes};
}

template <std::size_t... Rows>
constexpr auto with_hang_options(std::index_sequence<Rows...>)
{
    std::array<RunOption, first_options.size() + sizeof...(Rows) + hang_and_ready_options.size() +
                              end_options.size() + watch_options.size() + last_options.size()>
        all{};
    auto to = std::copy(first_options.begin(), first_options.end(), all.begin());
    ((*to++ = hang_option<Rows>()), ...);
    to = std::copy(hang_and_ready_options.begin(), hang_and_ready_options.end(), to);
    to = std::copy(watch_options.begin(), watch_options.end(), to);
    to = std::copy(end_options.begin(), end_options.end(), to);
    std::copy(last_options.begin(), last_options.end(), to);
    return all;
}

constexpr auto table = with_hang_options(std::make_index_sequence<core::hang_rules.size()>{});
static_assert(std::all_of(table.begin(), table.end(),
                          [](const RunOption& row) { return row.in_rules != InRules{}; }));

} // namespace

std::span<const RunOption> run_options()
{
    return table;
}

std::string_view RunOption::long_name() const
{
    const std::string_view all = names;
    return all.substr(all.find("--"));
}

bool RunOption::needs_trust(const std::vector<std::string>& values) const
{
    switch (in_rules) {
    case InRules::no:
    case InRules::yes: return false;
    case InRules::trusted:
    case InRules::trusted_path: return true;
    case InRules::trusted_runs:
        return std::any_of(values.begin(), values.end(), [](const std::string& word) {
            return word == "restart" || word.starts_with("exec:");
        });
    }
    return true;
}

RunOptions::Word* RunOption::word(RunOptions& options) const
{
    if (const auto* limit = std::get_if<HangLimit>(&member))
        return &options.hang_limits[limit->row];
    const auto* one = std::get_if<RunOptions::Word RunOptions::*>(&member);
    return one ? &(options.*(*one)) : nullptr;
}

const RunOptions::Word* RunOption::word(const RunOptions& options) const
{
    return word(const_cast<RunOptions&>(options));
}

bool RunOption::is_set(const RunOptions& options) const
{
    if (const auto* flag = std::get_if<0>(&member)) return options.*(*flag);
    if (const auto* one = word(options)) return one->has_value();
    return !(options.*std::get<2>(member)).empty();
}

std::vector<std::string> RunOption::values(const RunOptions& options) const
{
    if (!is_set(options)) return {};
    if (is_flag()) return {""};
    if (const auto* one = word(options)) return {**one};
    return options.*std::get<2>(member);
}

} // namespace bgt::cli
