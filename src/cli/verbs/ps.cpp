#include "answer.hpp"
#include "ps_watch.hpp"
#include "selection.hpp"

#include <bgt/cli/verb.hpp>
#include <bgt/ops/cpu_since_last.hpp>
#include <bgt/ops/list.hpp>
#include <bgt/render/json.hpp>
#include <bgt/render/table.hpp>
#include <bgt/render/template.hpp>
#include <bgt/store/projects.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <unistd.h>

namespace bgt::cli {

namespace {

using ops::Snapshot;

constexpr Duration min_interval = std::chrono::milliseconds(100);

class Ps : public Verb {
public:
    void declare(Parser& parser) override
    {
        static const std::string states_help = "only tasks in this state: " + ops::known_states();
        static const std::string format_help =
            "print one line per task with these {fields}: " + render::template_fields();
        declare_selection(parser, request_.selection);
        parser.flag("-a", request_.everything, "list all ended tasks too, not only the newest ten");
        parser.list("-s,--state", request_.states, "STATE", Value::state, states_help.c_str());
        parser.flag("--here", here_,
                    "only tasks whose working folder is the current folder or one below it");
        parser.flag("--leftover", request_.leftover,
                    "only ended tasks whose processes were kept alive");
        parser.flag("-q,--quiet", quiet_, "print only the ids");
        parser.flag("-w,--watch", watch_, "redraw the table until q or Ctrl-C");
        parser.option("--interval", interval_, "DURATION", Value::duration,
                      "time between two updates of --watch (1s)");
        parser.flag("--json", json_, "print JSON");
        declare_fields(parser, fields_);
        parser.option("--format", format_, "TEMPLATE", Value::text, format_help.c_str());
        parser.flag("--no-header", no_header_, "leave out the column titles");
        parser.example("bgt ps --state running --tag job=e2e");
        parser.example("bgt ps -a --format '{id}\\t{exit}\\t{command}'");
    }

    int run(Context& context) override
    {
        auto done = list(context);
        return done ? *done : context.fail(done.error(), json_);
    }

private:
    Result<int> list(Context& context)
    {
        if (auto checked = check(context); !checked) return checked.error();
        auto root = context.root();
        if (!root) return root.error();
        if (const auto project = store::find_project(**root, context.folder()); project && *project)
            project_ = (*project)->name;
        if (!watch_) {
            auto request = request_for(width(context));
            std::optional<Error> unread;
            request.unread = [&](const Error& error) { unread = error; };
            auto tasks = ops::list(**root, request);
            if (!tasks) return tasks.error();
            if (unread)
                context.tell_failure("what waits is not listed: " + unread->message, code::failed);
            context.print(show(context, *tasks, width(context)));
            if (tasks->empty() && !quiet_ && !json_ && !format_)
                context.hint("no tasks; bgt run -- COMMAND starts one");
            return code::ok;
        }
        ops::CpuSinceLast cpu;
        return watch_screen(context, interval_time_, [&](int columns) -> Result<std::string> {
            const auto screen = static_cast<std::size_t>(std::max(columns, 1));
            auto again = context.root(); // it may have been made meanwhile
            if (!again) return again.error();
            auto tasks = ops::list(**again, request_for(screen));
            if (!tasks) return tasks.error();
            cpu.update(*tasks, render::Moment::now().mono);
            return show(context, *tasks, screen);
        });
    }

    /// What the options say, before anything is looked at.
    Result<void> check(Context& context)
    {
        if (static_cast<int>(quiet_) + static_cast<int>(json_) +
                static_cast<int>(format_.has_value()) >
            1)
            return Error::usage("--quiet, --json and --format: choose one");
        for (const auto& state : request_.states)
            if (auto known = ops::check_state(state); !known) return known.error();
        if (format_) {
            auto parsed = render::Template::parse(*format_);
            if (!parsed) return parsed.error();
            template_ = *std::move(parsed);
        }
        if (interval_) {
            const auto parsed = parse_duration(*interval_);
            if (!parsed) return Error::usage("--interval: " + parsed.error().message);
            interval_time_ = std::max(*parsed, min_interval);
        }
        if (here_) {
            const std::unique_ptr<char, void (*)(void*)> folder(::getcwd(nullptr, 0), std::free);
            if (!folder) return Error::system("--here: this folder", errno);
            request_.here = folder.get();
        }
        if (!watch_) return {};
        if (json_) return Error::usage("--watch and --json: choose one");
        if (!context.stdout_is_terminal())
            return Error::usage("--watch needs a terminal on stdout");
        return {};
    }

    /// nullopt: for a program. With stderr on a terminal somebody reads it, by `| head` for
    /// instance.
    static std::optional<std::size_t> width(const Context& context)
    {
        if (!context.stdout_is_terminal() && !context.stderr_is_terminal()) return std::nullopt;
        return static_cast<std::size_t>(std::max(context.width(), 1));
    }

    /// Only what the output needs is looked at.
    ops::ListRequest request_for(std::optional<std::size_t> columns) const
    {
        ops::ListRequest request = request_;
        request.everything = request_.everything || request_.selection.all;
        // `--all` alone is `-a`: it selects nothing, so the living still come first without reading
        // every record twice.
        if (request.selection.words.empty() && request.selection.names.empty() &&
            request.selection.tags.empty())
            request.selection.all = false;
        if (quiet_) return request;
        if (json_) {
            request.fields = {.spec = true,
                              .usage = true,
                              .ports = true,
                              .log_tail = true}; // it may tell progress
        } else if (format_) {
            request.fields = template_.needs();
        } else {
            request.fields = {.spec = render::has_room_for_folder(columns),
                              .usage = true,
                              .ports = true,
                              .log_tail = render::has_room_for_last(columns)};
            request.tail_of_few = true;
        }
        return request;
    }

    std::string show(const Context& context, const std::vector<Snapshot>& tasks,
                     std::optional<std::size_t> columns) const
    {
        const auto now = render::Moment::now();
        if (json_) return render::tasks_json(tasks, now, context.fields());
        std::string out;
        if (!quiet_ && !format_) {
            const render::TableStyle style{.width = columns,
                                           .color = context.color(),
                                           .header = !no_header_,
                                           .last = tasks.size() <= ops::few,
                                           .project = project_};
            return render::task_table(tasks, now, style);
        }
        for (const auto& task : tasks) {
            out += quiet_ ? store::to_string(task.id) : template_.apply(task, now);
            out += '\n';
        }
        return out;
    }

    ops::ListRequest request_;
    FieldWords fields_;
    std::string project_; ///< of the working folder; empty: none
    bool here_ = false;
    bool quiet_ = false;
    bool watch_ = false;
    bool json_ = false;
    bool no_header_ = false;
    std::optional<std::string> interval_;
    std::optional<std::string> format_;
    render::Template template_;
    Duration interval_time_ = std::chrono::seconds(1);
};

} // namespace

std::unique_ptr<Verb> make_ps()
{
    return std::make_unique<Ps>();
}

} // namespace bgt::cli
