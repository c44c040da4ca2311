#include "answer.hpp"
#include "selection.hpp"

#include <bgt/cli/log_view.hpp>
#include <bgt/cli/verb.hpp>

#include <bgt/base/size.hpp>
#include <bgt/base/text.hpp>
#include <bgt/os/clock.hpp>

#include <algorithm>
#include <charconv>

namespace bgt::cli {
namespace {

using Given = std::optional<std::string>;

Result<std::uint64_t> parse_count(const std::string& text, const char* option)
{
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || text.empty() || value > (std::uint64_t{1} << 62))
        return Error::usage(std::string(option) + " needs a whole number of 0 or more, not \"" + printable(text) + "\"");
    return value;
}

/// A point in time, or how long ago.
Result<WallTime> parse_since(const std::string& text, WallTime now)
{
    if (text.find('-', 1) != std::string::npos) return parse_rfc3339(text);
    Result<Duration> ago = parse_duration(text);
    if (!ago) return ago.error();
    return *ago < now.time_since_epoch() ? now - *ago : WallTime{};
}

class Logs final : public Verb {
public:
    void declare(Parser& parser) override
    {
        declare_selection(parser, selection_);
        parser.flag("-f,--follow", options_.follow, "keep printing new output until the tasks end");
        parser.option("-n,--lines", lines_, "N", Value::number, "only the last N lines (with --grep: that match)");
        parser.option("--since", since_, "TIME", Value::duration, "only lines written since then: 10m (ago), or RFC 3339");
        parser.flag("--timestamps", options_.timestamps, "print the time at which each line was written");
        parser.option("--grep", grep_, "REGEX", Value::regex, "only lines that match (RE2)");
        parser.option("--cursor", cursor_, "BYTE", Value::number, "begin at this byte: the cursor of an earlier answer");
        parser.option("--max-bytes", max_bytes_, "SIZE", Value::size,
                      "read at most SIZE of each log (with --json: 1MiB by default)");
        parser.flag("--stderr", err_, "the stderr of a task started with --split");
        parser.flag("--raw", options_.raw, "the bytes as they were written, even if stdout is not a terminal");
        parser.flag("--json", json_, "answer in JSON, with the cursor for the next call");
        parser.example("bgt logs -f web db");
        parser.example("bgt logs -n 20 --grep 'error|warning' -");
        parser.example("bgt logs --json --cursor 4096 --max-bytes 16K 7");
    }

    int run(Context& context) override
    {
        if (Result<void> read = read_options(); !read) return context.fail(read.error(), json_);
        Result<store::Root*> root = context.root();
        if (!root) return context.fail(root.error(), json_);
        const auto found = ops::select_each(**root, selection_, ops::Scope::any, told_missing(context, code_));
        if (!found) return context.fail(found.error(), json_);
        const auto& ids = found->ids;
        if (options_.cursor.value_or(0) > 0 && ids.size() > 1)
            return context.fail(Error::usage("--cursor is a place in the log of one task: name one"), json_);
        ops::make_room_for(ids.size());

        std::vector<LogView> views;
        for (const store::TaskId id : ids) {
            Result<LogView> view = LogView::open(**root, id, options_);
            if (view)
                views.push_back(std::move(*view));
            else
                code_ = fail(context, view.error(), ids.size()); // the others are shown all the same
        }
        const Result<void> shown = json_ ? answer(context, views) : show(context, **root, views);
        return shown ? code_ : context.fail(shown.error(), json_);
    }

private:
    Result<void> read_options();
    Result<void> show(Context&, store::Root&, std::vector<LogView>&);
    Result<void> answer(Context&, std::vector<LogView>&);
    /// Tells the error of one of `of`; as JSON too where there is no other that could be answered.
    int fail(Context& context, const Error& error, std::size_t of)
    {
        answered_ = json_ && of == 1;
        return context.fail(error, answered_);
    }

    LogStyle style(bool to_terminal) const
    {
        LogStyle style;
        style.text = options_.raw || to_terminal ? store::LineText::raw : store::LineText::rendered;
        style.timestamps = options_.timestamps;
        style.grep = options_.grep ? &*options_.grep : nullptr;
        style.ends_lines = style.grep != nullptr;
        style.confined = to_terminal && !options_.raw && style.timestamps;
        return style;
    }

    ops::Selection selection_;
    LogOptions options_;
    Given lines_, since_, grep_, cursor_, max_bytes_;
    bool err_ = false, json_ = false;
    bool answered_ = false; ///< in JSON, by an error
    int code_ = code::ok;
};

Result<void> Logs::read_options()
{
    if (err_) options_.stream = store::WhichLog::err;
    if (options_.follow && json_) return Error::usage("--follow and --json exclude each other: ask again with --cursor");
    if (options_.follow && max_bytes_) return Error::usage("--follow and --max-bytes exclude each other");
    if (lines_) {
        Result<std::uint64_t> count = parse_count(*lines_, "--lines");
        if (!count) return count.error();
        options_.lines = *count;
    }
    if (cursor_) {
        Result<std::uint64_t> offset = parse_count(*cursor_, "--cursor");
        if (!offset) return offset.error();
        options_.cursor = *offset;
    }
    if (max_bytes_) {
        Result<std::uint64_t> size = parse_size(*max_bytes_);
        if (!size) return Error::usage("--max-bytes: " + size.error().message);
        if (*size < 4) return Error::usage("--max-bytes must be 4 or more: a character can take as many");
        options_.max_bytes = *size;
    }
    if (since_) {
        Result<WallTime> since = parse_since(*since_, os::wall_now());
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

Result<void> Logs::show(Context& context, store::Root& root, std::vector<LogView>& views)
{
    std::size_t width = 0;
    for (const LogView& view : views) width = std::max(width, display_width(view.task().short_label()));
    const bool prefixed = views.size() > 1 && !options_.raw;
    SharedScreen screen;
    for (std::size_t place = 0; place < views.size(); ++place) {
        LogView& view = views[place];
        LogStyle wanted = style(context.stdout_is_terminal());
        if (prefixed) {
            wanted.prefix = log_prefix(view.task(), width, place, context.color());
            wanted.ends_lines = true;
            wanted.confined = context.stdout_is_terminal();
        }
        if (Result<void> begun = view.begin(context, std::move(wanted), screen); !begun) return begun;
        if (options_.follow) continue;
        if (Result<void> printed = view.print_all(context); !printed) return printed;
        view.finish(context);
    }
    return options_.follow ? follow_logs(context, root, views) : Result<void>{};
}

Result<void> Logs::answer(Context& context, std::vector<LogView>& views)
{
    std::vector<LogPiece> pieces;
    for (LogView& view : views) {
        Result<LogPiece> piece = view.piece(style(false));
        if (piece)
            pieces.push_back(std::move(*piece));
        else
            code_ = fail(context, piece.error(), views.size());
    }
    if (!answered_) context.print(to_json(pieces));
    return {};
}

} // namespace

std::unique_ptr<Verb> make_logs()
{
    return std::make_unique<Logs>();
}

} // namespace bgt::cli
