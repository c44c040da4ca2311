#include "answer.hpp"
#include "selection.hpp"
#include <bgt/ops/moment.hpp>

#include <bgt/cli/verb.hpp>
#include <bgt/ops/log_view.hpp>

#include <bgt/base/size.hpp>
#include <bgt/base/text.hpp>
#include <bgt/render/json.hpp>
#include <bgt/store/projects.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::cli {
namespace {

using Given = std::optional<std::string>;

constexpr std::uint64_t max_answer_bytes = 16 * 1024; ///< of each log in JSON, if nothing is said
constexpr std::uint64_t max_lines_bytes = 1 << 20;    ///< with --lines

Result<std::uint64_t> parse_count(const std::string& text, const char* option)
{
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || text.empty() ||
        value > (std::uint64_t{1} << 62))
        return Error::usage(std::string(option) + " needs a whole number of 0 or more, not \"" +
                            printable(text) + "\"");
    return value;
}

/// "web | ", padded to `width` columns and coloured by the task's place among the others.
std::string log_prefix(std::string text, std::size_t width, std::size_t place, bool color)
{
    static constexpr std::array<std::string_view, 6> colors{"36", "33", "32", "35", "34", "31"};
    text.append(width - std::min(width, display_width(text)), ' ');
    text += " | ";
    if (!color) return text;
    return "\x1b[0;" + std::string(colors[place % colors.size()]) + "m" + text + "\x1b[0m";
}

class Logs final : public Verb {
public:
    void declare(Parser& parser) override
    {
        declare_selection(parser, selection_);
        parser.flag("-f,--follow", follow_, "keep printing new output until the tasks end");
        parser.option("-n,--tail,--lines", lines_, "N", Value::number,
                      "only the last N lines (with --grep: the last N that match); also -N");
        parser.dash_word(lines_, [](std::string_view text) {
            return text.find_first_not_of("0123456789") == std::string_view::npos;
        });
        parser.option("--since", since_, "TIME", Value::duration,
                      "only lines written since then: 10m (ago), 14:00, 2026-11-28T14:00");
        parser.flag("-t,--timestamps", options_.timestamps,
                    "print the time at which each line was written");
        parser.flag("--utc", utc_, "print times in UTC, not in the local time zone");
        parser.option("--grep", grep_, "REGEX", Value::regex, "only lines that match (RE2)");
        parser.option("--attempt", attempt_, "N", Value::text,
                      "only the output of attempt N, of the last one, or of all (default)");
        parser.option("--cursor", cursor_, "CURSOR", Value::number,
                      "go on after an earlier answer: its cursor; 0 begins at the beginning");
        parser.option("--before", before_, "CURSOR", Value::number,
                      "with --json: go back before an earlier answer: its cursor `before`");
        parser.option("--wait", wait_, "D", Value::duration,
                      "with --json: if there is nothing to answer yet, wait D for it");
        parser.option("--max-bytes", max_bytes_, "SIZE", Value::size,
                      "read at most SIZE of each log (with --json: the last 16KiB by default, with "
                      "--lines too 1MiB)");
        parser.flag("--stderr", err_, "print the stderr of a task that was started with --split");
        parser.flag("--raw", options_.raw,
                    "print the bytes as they were written, even if stdout is not a terminal");
        parser.flag("--json", json_, "answer the end in JSON, with the cursors for the next calls");
        parser.example("bgt logs -f web db");
        parser.example("bgt logs -n 20 --grep 'error|warning' -");
        parser.example("bgt logs --json --cursor 4096 --wait 30s 7");
    }

    int run(Context& context) override
    {
        if (Result<void> read = read_options(); !read) return context.fail(read.error(), json_);
        Result<store::Root*> root = context.root();
        if (!root) return context.fail(root.error(), json_);
        if (Result<void> found = find_project(context, **root); !found)
            return context.fail(found.error(), json_);
        const Result<void> shown = json_ ? answer(context, **root) : show(context, **root);
        return shown ? code_ : context.fail(shown.error(), json_);
    }

private:
    Result<void> read_options();
    Result<void> read_bounds();
    Result<void> find_project(const Context&, store::Root&);
    std::string label_of(const ops::TaskMonitor&) const;
    Result<void> show(Context&, store::Root&);
    Result<void> print(Context&, store::Root&, const std::vector<store::TaskId>&);
    Result<void> follow(Context&, store::Root&);
    Result<void> begin(Context&, ops::LogView&, std::size_t place, std::size_t width);
    Result<void> answer(Context&, store::Root&);

    ops::LogStyle style(bool to_terminal) const
    {
        ops::LogStyle style;
        style.text = options_.raw || to_terminal ? store::LineText::raw : store::LineText::rendered;
        style.timestamps = options_.timestamps;
        style.local_time = !utc_;
        style.grep = options_.grep ? &*options_.grep : nullptr;
        style.ends_lines = style.grep != nullptr;
        style.live = to_terminal && follow_;
        style.confined = to_terminal && !options_.raw && style.timestamps;
        return style;
    }

    ops::Selection selection_;
    ops::LogOptions options_;
    ops::SharedScreen screen_;
    std::string project_; ///< of the working folder; empty: none
    Given lines_, since_, attempt_, grep_, cursor_, before_, wait_, max_bytes_;
    std::optional<Duration> wait_time_;
    bool follow_ = false, utc_ = false, err_ = false, json_ = false;
    int code_ = code::ok;
};

Result<void> Logs::read_options()
{
    if (err_) options_.stream = store::WhichLog::err;
    if (utc_ && !options_.timestamps) return Error::usage("--utc needs --timestamps");
    if (follow_ && json_)
        return Error::usage("--follow and --json exclude each other: ask again with --cursor");
    if (follow_ && max_bytes_) return Error::usage("--follow and --max-bytes exclude each other");
    if (lines_) {
        Result<std::uint64_t> count = parse_count(*lines_, "--lines");
        if (!count) return count.error();
        options_.lines = *count;
    }
    if (attempt_) {
        Result<ops::Attempt> attempt = ops::parse_attempt(*attempt_);
        if (!attempt) return attempt.error();
        options_.attempt = *attempt;
    }
    BGT_TRY(read_bounds());
    if (since_) {
        Result<WallTime> since = ops::parse_moment(
            *since_, std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()));
        if (!since) return Error::usage("--since: " + since.error().message);
        options_.since = *since;
    }
    if (grep_) {
        Result<core::Pattern> pattern = core::Pattern::compile(*grep_);
        if (!pattern) return Error::usage("--grep: " + pattern.error().message);
        options_.grep.emplace(std::move(*pattern));
    }
    return {};
}

/// Which part of the log is answered, and until when it is waited for.
Result<void> Logs::read_bounds()
{
    if (!json_ && (before_ || wait_)) return Error::usage("--before and --wait need --json");
    if (cursor_ && before_) return Error::usage("--cursor and --before exclude each other");
    if (cursor_) { BGT_TRY_ASSIGN(options_.cursor, parse_count(*cursor_, "--cursor")); }
    if (before_) { BGT_TRY_ASSIGN(options_.before, parse_count(*before_, "--before")); }
    if (wait_) {
        const Result<Duration> limit = parse_duration(*wait_);
        if (!limit) return Error::usage("--wait: " + limit.error().message);
        wait_time_ = *limit;
    }
    if (json_) {
        options_.newest = !cursor_;
        options_.max_bytes = lines_ ? max_lines_bytes : max_answer_bytes;
    }
    if (!max_bytes_) return {};
    const Result<std::uint64_t> size = parse_size(*max_bytes_);
    if (!size) return Error::usage("--max-bytes: " + size.error().message);
    if (*size < 4)
        return Error::usage("--max-bytes must be 4 or more: a character can take as many");
    options_.max_bytes = *size;
    return {};
}

/// In the folder of a project, all of its tasks are meant where none is named.
Result<void> Logs::find_project(const Context& context, store::Root& root)
{
    BGT_TRY_ASSIGN(const auto project, store::find_project(root, context.folder()));
    if (!project) return {};
    project_ = project->name;
    if (!selection_.empty()) return {};
    BGT_TRY_ASSIGN(const auto names, ops::names_of_project(root, *project));
    for (const auto& [name, id] : names) selection_.words.push_back(name);
    return {};
}

std::string Logs::label_of(const ops::TaskMonitor& task) const
{
    return std::string(store::name_said_in(project_, task.short_label()));
}

Result<void> Logs::show(Context& context, store::Root& root)
{
    if (follow_) return follow(context, root);
    const Result<ops::Selected> found =
        ops::select_logs(root, selection_, options_, told_missing(context, code_));
    return found ? print(context, root, found->ids) : found.error();
}

ops::LogSink log_sink(Context& context)
{
    return {[&](std::string_view text) { context.print(text); },
            [&](const std::string& note) { context.complain(note); }};
}

/// `width`: of the longest label; 0: lines have none.
Result<void> Logs::begin(Context& context, ops::LogView& view, std::size_t place, std::size_t width)
{
    ops::LogStyle wanted = style(context.stdout_is_terminal());
    if (width > 0) {
        wanted.prefix = log_prefix(label_of(view.task()), width, place, context.color());
        wanted.ends_lines = true;
        wanted.confined = context.stdout_is_terminal();
    }
    return view.begin(log_sink(context), std::move(wanted), screen_);
}

/// One after the other, with one of them open at a time: there may be more of them than
/// descriptors.
Result<void> Logs::print(Context& context, store::Root& root, const std::vector<store::TaskId>& ids)
{
    std::size_t width = 0;
    for (const store::TaskId id : ids) {
        if (ids.size() == 1 || options_.raw) break;
        if (Result<ops::TaskMonitor> task = ops::TaskMonitor::open(root, id); task)
            width = std::max(width, display_width(label_of(*task)));
    }
    const ops::LogSink sink = log_sink(context);
    for (std::size_t place = 0; place < ids.size(); ++place) {
        Result<ops::LogView> view = ops::LogView::open(root, ids[place], options_);
        if (!view) {
            code_ = context.fail(view.error()); // the others are shown all the same
            continue;
        }
        if (Result<void> begun = begin(context, *view, place, width); !begun) return begun;
        if (Result<void> printed = view->print_all(sink); !printed) return printed;
        view->finish(sink);
        screen_.owner = nullptr; // it goes, and another may get its address
    }
    return {};
}

Result<void> Logs::follow(Context& context, store::Root& root)
{
    auto opened = ops::open_logs(root, selection_, options_, told_missing(context, code_));
    if (!opened) return opened.error();
    std::vector<ops::LogView> views;
    for (auto& one : opened->tasks) {
        if (one.result) views.push_back(*std::move(one.result));
        else code_ = context.fail(one.result.error()); // the others are shown all the same
    }
    std::size_t width = 0;
    for (const ops::LogView& view : views)
        if (views.size() > 1 && !options_.raw)
            width = std::max(width, display_width(label_of(view.task())));
    for (std::size_t place = 0; place < views.size(); ++place)
        if (Result<void> begun = begin(context, views[place], place, width); !begun) return begun;
    // Who reads our output may go away while the tasks are silent: poll(2) tells so of a pipe,
    // unasked.
    struct stat info {};
    const bool to_pipe = ::fstat(STDOUT_FILENO, &info) == 0 && S_ISFIFO(info.st_mode);
    const Result<void> followed =
        ops::follow_logs(root, views, log_sink(context), ops::Cancel{to_pipe ? STDOUT_FILENO : -1});
    if (!followed && ops::is_cancelled(followed.error())) Context::end_without_reader();
    return followed;
}

Result<void> Logs::answer(Context& context, store::Root& root)
{
    if (wait_time_) {
        BGT_TRY_ASSIGN(const ops::LogPiece piece,
                       ops::await_log(root, selection_, std::move(options_), *wait_time_));
        context.print(render::logs_json({piece}));
        return {};
    }
    const auto read = ops::read_log(root, selection_, options_, told_missing(context, code_));
    if (!read) return read.error();
    std::vector<ops::LogPiece> pieces;
    for (const auto& one : read->tasks) {
        if (one.result) pieces.push_back(*one.result);
        else code_ = context.fail(one.result.error(), one.id);
    }
    // The error of one that is alone is the answer.
    if (read->tasks.size() != 1 || !pieces.empty()) context.print(render::logs_json(pieces));
    return {};
}

} // namespace

std::unique_ptr<Verb> make_logs()
{
    return std::make_unique<Logs>();
}

} // namespace bgt::cli
