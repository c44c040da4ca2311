#include "answer.hpp"
#include "known_alerts.hpp"
#include "run/queue_table.hpp"
#include "run/run_table.hpp"
#include "run/schedule_options.hpp"
#include "run/schedule_tables.hpp"
#include "run/tell_ignored.hpp"
#include "schedule_explain.hpp"

#include <bgt/base/text.hpp>
#include <bgt/cli/verb.hpp>
#include <bgt/ops/moment.hpp>
#include <bgt/ops/reboot_entry.hpp>
#include <bgt/ops/schedules.hpp>
#include <bgt/render/json.hpp>
#include <bgt/render/schedules.hpp>

#include <boost/json.hpp>
#include <cerrno>
#include <unistd.h>

namespace bgt::cli {

namespace {

constexpr int max_times = 10'000;

/// They are about one task that is started or submitted now, or about many.
constexpr std::string_view of_run_alone[] = {
    "--fields",      "--brief",      "--name",         "--replace",  "--if-absent", "--anywhere",
    "--explain",     "--wait-ready", "--max-wait",     "--wait",     "--owner",     "--json",
    "--independent", "--watch",      "--watch-ignore", "--debounce", "--on-change"};
constexpr std::string_view of_submit_alone[] = {
    "--in",    "--at",    "--tz",      "--array",   "--each",           "--null",
    "--batch", "--after", "--if-full", "--on-busy", "--on-dep-failure", "--dry-run"};

bool is_any_task_option_set(const QueueOptions& queue, const RunOptions& options)
{
    return std::ranges::any_of(
               queue_options(),
               [&](const QueueOption& option) { return !option.values(queue).empty(); }) ||
           std::ranges::any_of(run_options(), [&](const RunOption& option) {
               return option.long_name() != "--json" && option.is_set(options);
           });
}

class Schedule final : public Verb {
public:
    void declare(Parser&) override;
    int run(Context&) override;

private:
    /// What stands first.
    struct Act {
        std::string_view word;
        bool changes;
        int (Schedule::*act)(Context&, store::Root&);
    };
    int explain(Context&);
    int add(Context&, store::Root&);
    int edit(Context&, store::Root&);
    int list(Context&, store::Root&);
    int next(Context&, store::Root&);
    int run_now(Context&, store::Root&);
    int pause(Context&, store::Root&);
    int resume(Context&, store::Root&);
    int remove(Context&, store::Root&);
    int history(Context&, store::Root&);
    int apply(Context&, store::Root&);
    int install(Context&, store::Root&);
    int uninstall(Context&, store::Root&);
    int print_entries(Context&, const std::vector<ops::RebootEntry>&, const char* what) const;
    int all_changed(Context&, store::Root&, const Result<void>& done);
    int one_changed(Context&, const Result<ops::ScheduleInfo>& done);
    static const std::vector<Act>& acts();

    Result<ops::SubmitRequest> task_request(Context&);
    Result<ops::ScheduleRequest> add_request(Context&);
    Result<ops::ScheduleChange> change_request(Context&);
    Result<void> check_options(std::string_view word) const;
    Result<std::string> only_name() const;
    bool says_command() const { return words_.size() > 2 || options_.shell.has_value(); }

    std::vector<std::string> words_;
    RunOptions options_;
    QueueOptions queue_;
    ScheduleOptions when_;
    std::optional<std::string> count_, from_;
};

void Schedule::declare(Parser& parser)
{
    when_.declare(parser);
    parser.option(
        "--tz", when_.tz, "ZONE", Value::text,
        "the time zone of the expression and of --until, such as Europe/Berlin (the caller's)");
    parser.option("-n,--count", count_, "N", Value::number,
                  "next, explain: how many times to show (10, 5)");
    parser.option("--from", from_, "TIME", Value::text,
                  "explain: what comes after this time (now)");
    parser.flag("--json", options_.json, "print the answer as JSON");
    queue_.declare(parser, of_submit_alone);
    options_.declare_options(parser, of_run_alone);
    parser.words(words_, "WORD", Value::text);
    parser.example("bgt schedule add backup --cron '0 2 * * *' -- ./backup.sh");
    parser.example("bgt schedule add poll --every 5m --overlap queue -- ./poll");
    parser.example("bgt schedule ls");
    parser.example("bgt schedule next backup -n 5; bgt schedule history backup");
    parser.example(
        "bgt schedule run backup; bgt schedule pause backup; bgt schedule resume backup");
    parser.example("bgt schedule edit backup --cron '0 3 * * *'; bgt schedule rm backup");
    parser.example("bgt schedule explain '30 2 * * 1-5' --tz Europe/Berlin");
    parser.example("bgt schedule apply; bgt schedule install; bgt schedule uninstall");
}

const std::vector<Schedule::Act>& Schedule::acts()
{
    static const std::vector<Act> all{
        {"add", true, &Schedule::add},          {"edit", true, &Schedule::edit},
        {"ls", false, &Schedule::list},         {"next", false, &Schedule::next},
        {"run", true, &Schedule::run_now},      {"pause", true, &Schedule::pause},
        {"resume", true, &Schedule::resume},    {"rm", true, &Schedule::remove},
        {"history", false, &Schedule::history}, {"apply", true, &Schedule::apply},
        {"install", true, &Schedule::install},  {"uninstall", true, &Schedule::uninstall}};
    return all;
}

int Schedule::run(Context& context)
{
    if (words_.empty()) words_.emplace_back("ls");
    if (words_.front() == "explain") return explain(context);
    if (from_) return context.fail(Error::usage("--from: only explain knows it"), options_.json);
    for (const Act& act : acts()) {
        if (act.word != words_.front()) continue;
        if (const auto fine = check_options(act.word); !fine)
            return context.fail(fine.error(), options_.json);
        auto root = context.root(act.changes);
        if (!root) return context.fail(root.error(), options_.json);
        if (act.changes) know_alerts(context, **root);
        return (this->*act.act)(context, **root);
    }
    std::string all = "explain";
    for (const Act& act : acts()) all += ", " + std::string(act.word);
    return context.fail(
        Error::usage("'" + fit(printable(words_.front()), 40) + "' is none of " + all),
        options_.json);
}

/// Those that would be passed over.
Result<void> Schedule::check_options(std::string_view word) const
{
    if (word == "add" || word == "edit") return {};
    if (when_.tz)
        return Error::usage("--tz: only add, edit and explain know it; times are shown in your own "
                            "time zone (TZ=Europe/Berlin bgt schedule ...)");
    if (when_.is_any_set() || is_any_task_option_set(queue_, options_))
        return Error::usage(std::string(word) + " takes none of the options of add and edit");
    if (count_ && word != "next") return Error::usage("--count: only next and explain know it");
    return {};
}

Result<std::string> Schedule::only_name() const
{
    if (words_.size() == 2) return words_[1];
    return Error::usage("which schedule? bgt schedule " + words_[0] + " NAME");
}

/// The options of submit and the command.
Result<ops::SubmitRequest> Schedule::task_request(Context& context)
{
    if (!says_command())
        return Error::usage("no command given: bgt schedule " + words_[0] +
                            " NAME [options] -- COMMAND [ARG...]");
    options_.command.assign(words_.begin() + 2, words_.end());
    BGT_TRY_ASSIGN(ops::StartRequest start, options_.request(context.settings()));
    tell_ignored(context, options_);
    if (start.caller_stdin)
        return Error::usage("--stdin -: a scheduled task starts without this stdin; use a file, or "
                            "--stdin pipe");
    ops::SubmitRequest out = scheduled_task(std::move(start), options_.remove);
    BGT_TRY(queue_.apply(out));
    return out;
}

Result<ops::ScheduleRequest> Schedule::add_request(Context& context)
{
    if (words_.size() < 2)
        return Error::usage("bgt schedule add NAME --every D|--cron EXPR|--calendar EXPR [options] "
                            "-- COMMAND [ARG...]");
    ops::ScheduleRequest out;
    out.name = words_[1];
    BGT_TRY(store::check_schedule_name(out.name));
    BGT_TRY_ASSIGN(auto when, when_.when());
    if (!when)
        return Error::usage("when? --every 1h, --cron '0 2 * * *' or --calendar 'Mon..Fri 02:00'");
    out.when = *std::move(when);
    out.zone = when_.tz.value_or("");
    BGT_TRY(when_.apply(out.policy));
    BGT_TRY_ASSIGN(out.task, task_request(context));
    return out;
}

Result<ops::ScheduleChange> Schedule::change_request(Context& context)
{
    ops::ScheduleChange out;
    BGT_TRY_ASSIGN(out.when, when_.when());
    out.zone = when_.tz;
    core::SchedulePolicy scratch;
    BGT_TRY(when_.apply(scratch)); // a mistake is told before anything is changed
    out.policy = [this](core::SchedulePolicy& policy) { static_cast<void>(when_.apply(policy)); };
    if (says_command()) {
        BGT_TRY_ASSIGN(out.task, task_request(context));
    } else if (is_any_task_option_set(queue_, options_)) {
        return Error::usage("these options replace all options of the command: give the "
                            "command, too (-- COMMAND [ARG...])");
    } else if (!when_.is_any_set()) {
        return Error::usage("nothing to change: say options, or -- COMMAND [ARG...]");
    }
    return out;
}

int Schedule::one_changed(Context& context, const Result<ops::ScheduleInfo>& done)
{
    if (!done) return context.fail(done.error(), options_.json);
    if (options_.json) context.print(render::schedules_json({*done}));
    else if (done->next)
        context.hint("schedule " + done->name + " fires " + done->words + ", next on " +
                     ops::time_words(*done->next, render::Moment::now().wall));
    return code::ok;
}

int Schedule::explain(Context& context)
{
    return explain_schedule(
        context, {{words_.begin() + 1, words_.end()}, when_.tz, from_, count_, options_.json});
}

int Schedule::add(Context& context, store::Root& root)
{
    auto request = add_request(context);
    if (!request) return context.fail(request.error(), options_.json);
    const int code = one_changed(context, ops::add_schedule(root, *std::move(request)));
    if (code == code::ok && context.stderr_is_terminal() && !ops::find_reboot_entry(root))
        context.hint("after a restart of the machine it goes on at the next call of bgt; bgt "
                     "schedule install makes that call");
    return code;
}

int Schedule::edit(Context& context, store::Root& root)
{
    if (words_.size() < 2)
        return context.fail(Error::usage("which schedule? bgt schedule edit NAME [options] [-- "
                                         "COMMAND [ARG...]]"),
                            options_.json);
    auto change = change_request(context);
    if (!change) return context.fail(change.error(), options_.json);
    return one_changed(context, ops::edit_schedule(root, words_[1], *std::move(change)));
}

int Schedule::list(Context& context, store::Root& root)
{
    if (words_.size() > 1) return context.fail(Error::usage("ls takes no names"), options_.json);
    const auto all = ops::list_schedules(root);
    if (!all) return context.fail(all.error(), options_.json);
    if (options_.json) context.print(render::schedules_json(*all));
    else context.print(render::schedules_table(*all, render::Moment::now(), context.table_width()));
    return code::ok;
}

int Schedule::next(Context& context, store::Root& root)
{
    const auto name = only_name();
    if (!name) return context.fail(name.error(), options_.json);
    const auto count = parse_int(count_.value_or("10"), 1, max_times);
    if (!count)
        return context.fail(Error::usage("--count: " + count.error().message), options_.json);
    const auto times = ops::next_times(root, *name, static_cast<std::size_t>(*count));
    if (!times) return context.fail(times.error(), options_.json);
    boost::json::array fires;
    std::string lines;
    const WallTime now = render::Moment::now().wall;
    for (const WallTime time : *times) {
        fires.emplace_back(format_rfc3339(time));
        lines += ops::time_words(time, now) + "\n";
    }
    if (options_.json)
        context.print(render::answer_json({{"schedule", *name}, {"fires", std::move(fires)}}));
    else context.print(lines);
    return code::ok;
}

int Schedule::run_now(Context& context, store::Root& root)
{
    const auto name = only_name();
    if (!name) return context.fail(name.error(), options_.json);
    const auto id = ops::run_schedule(root, *name);
    if (!id) return context.fail(id.error(), options_.json);
    if (options_.json)
        context.print(render::answer_json({{"schedule", *name}, {"task", id->value}}));
    else context.print(store::to_string(*id) + "\n");
    return code::ok;
}

int Schedule::all_changed(Context& context, store::Root& root, const Result<void>& done)
{
    if (!done) return context.fail(done.error(), options_.json);
    if (!options_.json) return code::ok;
    words_.resize(1);
    return list(context, root);
}

int Schedule::pause(Context& context, store::Root& root)
{
    return all_changed(context, root,
                       ops::pause_schedules(root, {words_.begin() + 1, words_.end()}));
}

int Schedule::resume(Context& context, store::Root& root)
{
    return all_changed(context, root,
                       ops::resume_schedules(root, {words_.begin() + 1, words_.end()}));
}

int Schedule::remove(Context& context, store::Root& root)
{
    return all_changed(context, root,
                       ops::remove_schedules(root, {words_.begin() + 1, words_.end()}));
}

int Schedule::history(Context& context, store::Root& root)
{
    const auto name = only_name();
    if (!name) return context.fail(name.error(), options_.json);
    const auto rows = ops::schedule_history(root, *name);
    if (!rows) return context.fail(rows.error(), options_.json);
    if (options_.json) context.print(render::history_json(*name, *rows));
    else context.print(render::history_table(*rows, render::Moment::now(), context.table_width()));
    return code::ok;
}

int Schedule::print_entries(Context& context, const std::vector<ops::RebootEntry>& entries,
                            const char* what) const
{
    boost::json::array rows;
    for (const ops::RebootEntry& entry : entries) {
        const bool is_unit = entry.kind == ops::RebootEntry::Kind::systemd;
        rows.push_back(boost::json::object{{"kind", is_unit ? "systemd" : "crontab"},
                                           {"where", to_valid_utf8(entry.where)}});
        if (!options_.json)
            context.print(std::string(what) +
                          (is_unit ? " the systemd user unit " : " the crontab line ") +
                          printable(entry.where) + "\n");
    }
    if (options_.json) context.print(render::answer_json({{what, std::move(rows)}}));
    return code::ok;
}

int Schedule::install(Context& context, store::Root& root)
{
    if (words_.size() > 1)
        return context.fail(Error::usage("install takes no names"), options_.json);
    const auto done = ops::install_reboot_entry(root);
    if (!done) return context.fail(done.error(), options_.json);
    if (done->kind == ops::RebootEntry::Kind::systemd)
        context.hint(
            "the unit runs when you log in; after loginctl enable-linger also at the start "
            "of the machine");
    return print_entries(context, {*done}, "installed");
}

int Schedule::uninstall(Context& context, store::Root& root)
{
    if (words_.size() > 1)
        return context.fail(Error::usage("uninstall takes no names"), options_.json);
    const auto done = ops::remove_reboot_entry(root);
    if (!done) return context.fail(done.error(), options_.json);
    if (done->empty() && !options_.json) context.print("nothing is installed\n");
    return print_entries(context, *done, "removed");
}

/// Those of the bgt.toml. It is a file of commands that run without anybody calling bgt in its
/// folder: so it has to be trusted.
int Schedule::apply(Context& context, store::Root& root)
{
    const auto& project = context.settings().project;
    if (words_.size() > 1) return context.fail(Error::usage("apply takes no names"), options_.json);
    if (!project)
        return context.fail(Error::not_found("there is no bgt.toml in this folder or above it"),
                            options_.json);
    if (!project->is_trusted())
        return context.fail(
            Error::failed(project->why_not() + ": its schedules run only once it is (bgt trust)"),
            options_.json);
    if (::chdir(project->folder().c_str()) != 0)
        return context.fail(Error::system(printable(project->folder()), errno), options_.json);
    auto requests = read_schedules(context.settings());
    if (!requests) return context.fail(requests.error(), options_.json);
    const auto done = ops::apply_schedules(root, *std::move(requests), project->file());
    if (!done) return context.fail(done.error(), options_.json);
    if (options_.json) {
        words_.resize(1);
        return list(context, root);
    }
    for (const ops::AppliedSchedule& one : *done)
        context.print(one.name + ": " + std::string(ops::to_string(one.act)) + "\n");
    return code::ok;
}

} // namespace

std::unique_ptr<Verb> make_schedule()
{
    return std::make_unique<Schedule>();
}

} // namespace bgt::cli
