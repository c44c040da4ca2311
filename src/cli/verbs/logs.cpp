#include "answer.hpp"
#include "selection.hpp"

#include <bgt/cli/verb.hpp>
#include <bgt/ops/log_view.hpp>

#include <bgt/base/size.hpp>
#include <bgt/base/text.hpp>
#include <bgt/render/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <sys/stat.h>
#include <unistd.h>

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

/// "web | ", padded to `width` columns and coloured by the task's place among the others.
std::string log_prefix(const ops::TaskMonitor& task, std::size_t width, std::size_t place, bool color)
{
    static constexpr std::array<std::string_view, 6> colors{"36", "33", "32", "35", "34", "31"};
    std::string text = task.short_label();
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
        parser.option("-n,--tail,--lines", lines_, "N", Value::number, "only the last N lines (with --grep: that match); also -N");
        parser.dash_word(lines_, [](std::string_view text) { return text.find_first_not_of("0123456789") == std::string_view::npos; });
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
        const Result<void> shown = json_ ? answer(context, **root) : show(context, **root);
        return shown ? code_ : context.fail(shown.error(), json_);
    }

private:
    Result<void> read_options();
    Result<void> show(Context&, store::Root&);
    Result<void> print(Context&, store::Root&, std::vector<ops::LogView>&);
    Result<void> answer(Context&, store::Root&);

    ops::LogStyle style(bool to_terminal) const
    {
        ops::LogStyle style;
        style.text = options_.raw || to_terminal ? store::LineText::raw : store::LineText::rendered;
        style.timestamps = options_.timestamps;
        style.grep = options_.grep ? &*options_.grep : nullptr;
        style.ends_lines = style.grep != nullptr;
        style.confined = to_terminal && !options_.raw && style.timestamps;
        return style;
    }

    ops::Selection selection_;
    ops::LogOptions options_;
    Given lines_, since_, grep_, cursor_, max_bytes_;
    bool follow_ = false, err_ = false, json_ = false;
    int code_ = code::ok;
};

Result<void> Logs::read_options()
{
    if (err_) options_.stream = store::WhichLog::err;
    if (follow_ && json_) return Error::usage("--follow and --json exclude each other: ask again with --cursor");
    if (follow_ && max_bytes_) return Error::usage("--follow and --max-bytes exclude each other");
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
        Result<WallTime> since = parse_since(*since_, std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()));
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

Result<void> Logs::show(Context& context, store::Root& root)
{
    auto opened = ops::open_logs(root, selection_, options_, told_missing(context, code_));
    if (!opened) return opened.error();
    std::vector<ops::LogView> views;
    for (auto& one : opened->tasks) {
        if (one.result) views.push_back(*std::move(one.result));
        else code_ = context.fail(one.result.error()); // the others are shown all the same
    }
    return print(context, root, views);
}

Result<void> Logs::print(Context& context, store::Root& root, std::vector<ops::LogView>& views)
{
    const ops::LogSink sink{[&](std::string_view text) { context.print(text); },
                            [&](const std::string& note) { context.complain(note); }};
    std::size_t width = 0;
    for (const ops::LogView& view : views) width = std::max(width, display_width(view.task().short_label()));
    const bool prefixed = views.size() > 1 && !options_.raw;
    ops::SharedScreen screen;
    for (std::size_t place = 0; place < views.size(); ++place) {
        ops::LogView& view = views[place];
        ops::LogStyle wanted = style(context.stdout_is_terminal());
        if (prefixed) {
            wanted.prefix = log_prefix(view.task(), width, place, context.color());
            wanted.ends_lines = true;
            wanted.confined = context.stdout_is_terminal();
        }
        if (Result<void> begun = view.begin(sink, std::move(wanted), screen); !begun) return begun;
        if (follow_) continue;
        if (Result<void> printed = view.print_all(sink); !printed) return printed;
        view.finish(sink);
    }
    if (!follow_) return {};
    // Who reads our output may go away while the tasks are silent: poll(2) tells so of a pipe, unasked.
    struct stat info{};
    const bool to_pipe = ::fstat(STDOUT_FILENO, &info) == 0 && S_ISFIFO(info.st_mode);
    const Result<void> followed = ops::follow_logs(root, views, sink, ops::Cancel{to_pipe ? STDOUT_FILENO : -1});
    if (!followed && ops::is_cancelled(followed.error())) Context::end_without_reader();
    return followed;
}

Result<void> Logs::answer(Context& context, store::Root& root)
{
    const auto read = ops::read_log(root, selection_, options_, told_missing(context, code_));
    if (!read) return read.error();
    const bool single = read->tasks.size() == 1; // its error is the answer, as there is no other
    std::vector<ops::LogPiece> pieces;
    for (const auto& one : read->tasks) {
        if (one.result) pieces.push_back(*one.result);
        else code_ = context.fail(one.result.error(), single);
    }
    if (!single || !pieces.empty()) context.print(render::logs_json(pieces));
    return {};
}

} // namespace

std::unique_ptr<Verb> make_logs()
{
    return std::make_unique<Logs>();
}

} // namespace bgt::cli
