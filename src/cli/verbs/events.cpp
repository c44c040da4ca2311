#include "answer.hpp"
#include "selection.hpp"

#include <bgt/base/text.hpp>
#include <bgt/cli/verb.hpp>
#include <bgt/ops/events.hpp>
#include <bgt/render/events.hpp>

#include <sys/stat.h>
#include <unistd.h>

namespace bgt::cli {
namespace {

/// Printed at once: of what is there already, one write is not for each event.
constexpr std::size_t at_once = 256;

class Events final : public Verb {
public:
    void declare(Parser&) override;
    int run(Context&) override;

private:
    Result<int> answer(Context&, ops::EventFeed&);
    Result<int> follow(Context&, ops::EventFeed&);
    std::string text_of(const Context&, const std::vector<ops::EventRecord>&) const;
    int tell_unmatched(Context&, const ops::EventFeed&) const;

    ops::EventsRequest request_;
    std::optional<std::string> since_, level_;
    bool follow_ = false, utc_ = false, json_ = false;
};

void Events::declare(Parser& parser)
{
    declare_selection(parser, request_.selection);
    parser.flag("-f,--follow", follow_, "keep printing new events");
    parser.option(
        "--since", since_, "CURSOR|TIME", Value::duration,
        "only events after the cursor of an earlier one, or since a time: 10m (ago), 14:00");
    parser.list("--type", request_.types, "TYPE", Value::text,
                "only events of this type, such as ended or needs-input");
    parser.option("--level", level_, "error|warning|info|debug", Value::text,
                  "only events of this level or of a more severe one (info)");
    parser.flag("--utc", utc_, "print times in UTC, not in the local time zone");
    parser.flag("--json", json_, "answer in JSON; with --follow, an answer for each event");
    parser.example("bgt events -f");
    parser.example("bgt events --since 1h --level warning");
    parser.example("bgt events -f --json --type ended --since e1-1f3a0-77aa12bc");
}

int Events::run(Context& context)
{
    if (since_) {
        if (since_->empty())
            return context.fail(Error::usage("--since needs a cursor or a time"), json_);
        request_.since = *since_;
    }
    if (level_) {
        const auto level = core::parse_event_level(*level_);
        if (!level)
            return context.fail(
                Error::usage("--level is one of error, warning, info and debug, not '" +
                             fit(printable(*level_), 40) + "'"),
                json_);
        request_.level = *level;
    }
    auto root = context.root(follow_); // its events may be the first
    if (!root) return context.fail(root.error(), json_);
    Result<ops::EventFeed> feed = ops::EventFeed::open(**root, request_);
    if (!feed) return context.fail(feed.error(), json_);
    const Result<int> done = follow_ ? follow(context, *feed) : answer(context, *feed);
    return done ? *done : context.fail(done.error(), json_ && !follow_);
}

std::string Events::text_of(const Context& context,
                            const std::vector<ops::EventRecord>& records) const
{
    std::string text;
    const auto clock = [&](WallTime at) { return ops::event_time(at, utc_); };
    for (const ops::EventRecord& record : records)
        text +=
            json_ ? render::event_line_json(record)
                  : render::event_text(record.event, clock, context.color(), context.table_width());
    return text;
}

/// Each word that names neither a task nor what once was one.
int Events::tell_unmatched(Context& context, const ops::EventFeed& feed) const
{
    int code = code::ok;
    for (const Error& error : feed.unmatched()) code = context.fail(error);
    return code;
}

Result<int> Events::answer(Context& context, ops::EventFeed& feed)
{
    std::vector<ops::EventRecord> all;
    while (true) {
        BGT_TRY_ASSIGN(std::vector<ops::EventRecord> records, feed.take(at_once));
        if (records.empty()) break;
        if (!json_) context.print(text_of(context, records));
        else all.insert(all.end(), records.begin(), records.end());
    }
    const int code = tell_unmatched(context, feed);
    if (json_) context.print(render::events_json(all, feed.cursor()));
    return code;
}

Result<int> Events::follow(Context& context, ops::EventFeed& feed)
{
    // Who reads our output may go away while nothing happens: poll(2) tells so of a pipe, unasked.
    struct stat info {};
    const bool to_pipe = ::fstat(STDOUT_FILENO, &info) == 0 && S_ISFIFO(info.st_mode);
    while (true) {
        BGT_TRY_ASSIGN(const std::vector<ops::EventRecord> records, feed.take(at_once));
        if (!records.empty()) {
            context.print(text_of(context, records));
            continue;
        }
        const Result<void> waited = feed.wait(ops::Cancel{to_pipe ? STDOUT_FILENO : -1});
        if (!waited && ops::is_cancelled(waited.error())) Context::end_without_reader();
        BGT_TRY(waited);
    }
}

} // namespace

std::unique_ptr<Verb> make_events()
{
    return std::make_unique<Events>();
}

} // namespace bgt::cli
