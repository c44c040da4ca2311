#include "run_options.hpp"

#include "environment.hpp"
#include "retention.hpp"
#include "run_table.hpp"

#include <algorithm>
#include <bgt/base/text.hpp>
#include <bgt/core/hook.hpp>
#include <bgt/ops/scope.hpp>
#include <bgt/os/terminal.hpp>
#include <bgt/render/words.hpp>
#include <cstdlib>
#include <unistd.h>

namespace bgt::cli {

namespace {

void declare_one(Parser& parser, RunOptions& options, const RunOption& option)
{
    if (const auto* flag = std::get_if<0>(&option.member)) {
        parser.flag(option.names, options.*(*flag), option.help);
    } else if (const auto* many = std::get_if<2>(&option.member)) {
        parser.list(option.names, options.*(*many), option.metavar, option.value, option.help);
    } else {
        auto& word = *option.word(options);
        if (option.closed) parser.choice(option.names, word, option.metavar, option.help);
        else parser.option(option.names, word, option.metavar, option.value, option.help);
    }
}

RunPlan plan_of(const config::Settings& settings)
{
    RunPlan out;
    out.grace = settings.grace;
    out.stop_signals = settings.stop_signals;
    out.spec.policy.timeout = settings.timeout;
    out.spec.policy.hang.cpu = settings.cpu_limit;
    out.spec.policy.leftover = settings.leftover;
    out.spec.log_max = settings.log_max;
    store::Afterwards& then = out.spec.afterwards;
    then.notify_after = settings.notify_after.value_or(config::default_notify_after);
    if (std::getenv(core::hook_variable) != nullptr) return out;
    then.end_command = settings.on_end;
    then.fail_command = settings.on_fail;
    then.notify_by = store::parse_notify_by(settings.notify).value_or(store::NotifyBy::nothing);
    return out;
}

/// What a hook starts has no hooks but those that its own command line names: it would go round for
/// ever.
void leave_out_hooks(RunOptions& options)
{
    if (std::getenv(core::hook_variable) == nullptr) return;
    for (const auto& [name, hook] :
         {std::pair("--on-end", &RunOptions::on_end), std::pair("--on-fail", &RunOptions::on_fail),
          std::pair("--notify", &RunOptions::notify)})
        if (options.from_rule.erase(name) > 0) (options.*hook).reset();
}

void set_command(store::TaskSpec& spec, const RunOptions& options)
{
    spec.command = options.command;
    if (!options.shell) return;
    spec.shell = true;
    std::vector<std::string> shell{"/bin/sh", "-c", *options.shell};
    if (!spec.command.empty()) shell.emplace_back("sh"); // $0; the words are $1 and on
    spec.command.insert(spec.command.begin(), shell.begin(), shell.end());
}

Result<void> take_values(RunPlan& plan, const RunOptions& options)
{
    for (const RunOption& option : run_options()) {
        if (option.take == nullptr) continue;
        for (const auto& value : option.values(options)) {
            auto taken = option.take(plan, value);
            if (taken) continue;
            auto error = taken.error();
            if (!error.message.starts_with("--"))
                error.message.insert(0, std::string(option.long_name()) + ": ");
            return error;
        }
    }
    return {};
}

/// The first of the conditions of readiness that was set, by a rule or not.
const RunOption* ready_option(const RunOptions& options, bool by_rule)
{
    if (!options.awaits_ready()) return nullptr;
    for (const RunOption& option : run_options())
        if (option.long_name().starts_with("--ready-") && option.long_name() != "--ready-timeout" &&
            option.is_set(options) && options.from_rule.contains(option.long_name()) == by_rule)
            return &option;
    return nullptr;
}

/// A flag for the kind, a flag for readiness, the same of a rule, the built-in list: the first that
/// says something.
void decide_kind(RunPlan& plan, const RunOptions& options)
{
    for (const bool by_rule : {false, true}) {
        const bool said = options.service || options.job;
        const char* flag = options.service ? "--service" : "--job";
        if (said && options.from_rule.contains(flag) == by_rule) {
            plan.kind_option = flag;
            return;
        }
        if (const auto* ready = ready_option(options, by_rule)) {
            plan.spec.policy.kind = core::Kind::service;
            plan.kind_option = ready->names;
            return;
        }
    }
    plan.known = config::find_service(plan.spec.command);
    if (plan.known != nullptr) plan.spec.policy.kind = core::Kind::service;
}

/// A service is to run what is there now; a job is to be done with what it has begun.
void decide_on_change(RunPlan& plan, const RunOptions& options)
{
    auto& watch = plan.spec.watch;
    if (options.watch.empty()) watch.reset(); // a rule left the others
    plan.spec.policy.awaits_changes = watch.has_value();
    if (!watch || options.on_change) return;
    const bool is_service = plan.spec.policy.kind == core::Kind::service;
    watch->on_change = is_service ? core::OnChange::restart : core::OnChange::queue;
}

void decide_kill_mode(RunPlan& plan, const RunOptions& options)
{
    if (options.kill_mode) return;
    plan.forwarder = config::find_forwarder(plan.spec.command);
    if (plan.forwarder != nullptr) plan.spec.policy.kill_mode = core::KillMode::mixed;
}

} // namespace

void RunOptions::declare(Parser& parser, std::span<const std::string_view> without)
{
    declare_options(parser, without);
    parser.command(command);
}

void RunOptions::declare_options(Parser& parser, std::span<const std::string_view> without)
{
    for (const RunOption& option : run_options()) {
        if (option.group != nullptr) parser.group(option.group);
        if (std::ranges::find(without, option.long_name()) == without.end())
            declare_one(parser, *this, option);
    }
}

Result<RunPlan> RunOptions::plan(const config::Settings& settings)
{
    if (command.empty() && !shell)
        return Error::usage("no command given: bgt run [options] [--] COMMAND [ARG...]");
    if (auto fine = check_conflicts(*this); !fine) return fine.error();
    auto rules = apply_rules(*this, settings);
    if (!rules) return rules.error();
    leave_out_hooks(*this);
    if (auto fine = check_needs(*this); !fine) return fine.error();
    RunPlan out = plan_of(settings);
    out.rules = *std::move(rules);
    set_command(out.spec, *this);
    if (auto taken = take_values(out, *this); !taken) return taken.error();
    if (notify && !from_rule.contains("--notify") && !settings.notify_after)
        out.spec.afterwards.notify_after = {}; // who asks for it wants to be told
    decide_kind(out, *this);
    decide_kill_mode(out, *this);
    decide_on_change(out, *this);
    out.spec.policy.awaits_ready = !out.spec.ready.empty();
    auto ladder = core::parse_stop_signals(out.stop_signals, out.grace);
    if (!ladder) return ladder.error();
    out.spec.policy.stop_ladder = *std::move(ladder);
    for (const auto& [limit_name, value] : out.limits)
        out.spec.limits.push_back({limit_name, value});
    return out;
}

Result<ops::StartRequest> RunOptions::request(const config::Settings& settings)
{
    auto made = plan(settings);
    if (!made) return made.error();
    ops::StartRequest out;
    auto& spec = out.spec;
    spec = std::move(made->spec);
    if (auto done = set_stdin(spec, stdin_from.value_or("null")); !done) return done.error();
    if (spec.stdin_from == store::StdinFrom::caller) {
        auto copy = caller_stdin(wait);
        if (!copy) return copy.error();
        out.caller_stdin = *std::move(copy);
    }
    if (owner)
        if (auto done = set_owner(spec, *owner); !done) return done.error();
    auto scopes = ops::scopes_around();
    if (!scopes) return scopes.error();
    spec.scopes = *std::move(scopes);
    auto folder = working_folder(cwd);
    if (!folder) return folder.error();
    spec.cwd = *std::move(folder);
    auto variables = environment(*this);
    if (!variables) return variables.error();
    out.env = *std::move(variables);
    // With --watch, a supervisor that takes over must be able to start the command.
    out.keep_env = clear_env || !env.empty() || !env_files.empty() || spec.watch;
    if (spec.afterwards.notify_by == store::NotifyBy::bell) {
        spec.afterwards.terminal = os::terminal_path(STDERR_FILENO);
        // A setting for all tasks is no fault of one that a script starts.
        if (spec.afterwards.terminal.empty() && (!notify || from_rule.contains("--notify")))
            spec.afterwards.notify_by = store::NotifyBy::nothing;
    }
    spec.independent = independent;
    spec.split = split;
    spec.created = render::Moment::now().wall;
    spec.policy.restart_policy.seed =
        static_cast<std::uint64_t>(spec.created.time_since_epoch().count());
    // With --wait it is this process that removes it: it must read the record and the log to their
    // end first.
    spec.remove_when_ended = remove && !wait;
    out.retention = retention_of(settings);
    spec.keeps_history = settings.history_max > 0;
    return out;
}

void leave_out_watch(ops::StartRequest& start)
{
    start.spec.watch.reset();
    start.spec.policy.awaits_changes = false;
}

ops::IfNameTaken RunOptions::if_name_taken() const
{
    if (if_absent) return anywhere ? ops::IfNameTaken::use_any : ops::IfNameTaken::use_it;
    if (replace) return anywhere ? ops::IfNameTaken::replace_any : ops::IfNameTaken::replace;
    return ops::IfNameTaken::fail;
}

bool RunOptions::has_hang_limit() const
{
    for (std::size_t i = 0; i < core::hang_rules.size(); ++i)
        if (core::hang_rules[i].at_limit == core::AtLimit::on_hang && hang_limits[i]) return true;
    return false;
}

bool RunOptions::awaits_ready() const
{
    return ready_notify || !ready_log.empty() || !ready_port.empty() || !ready_http.empty() ||
           !ready_cmd.empty() || !ready_file.empty();
}

std::string RunOptions::command_line() const
{
    return shell ? *shell : shell_join(command);
}

} // namespace bgt::cli
