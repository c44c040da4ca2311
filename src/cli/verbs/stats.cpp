#include "answer.hpp"

#include <bgt/base/size.hpp>
#include <bgt/base/text.hpp>
#include <bgt/cli/verb.hpp>
#include <bgt/ops/moment.hpp>
#include <bgt/ops/stats.hpp>
#include <bgt/render/stats.hpp>
#include <bgt/render/words.hpp>

namespace bgt::cli {

namespace {

/// Printed at a time.
constexpr std::size_t chunk = 64 * 1024;

class Stats final : public Verb {
public:
    void declare(Parser&) override;
    int run(Context&) override;

private:
    Result<ops::StatsRequest> request() const;
    Result<void> check() const;
    int table(Context&, store::Root&, const ops::StatsRequest&);
    int metrics(Context&, store::Root&);
    int export_runs(Context&, store::Root&, const ops::RunFilter&);
    int tell_damage(Context&, const store::History&) const;
    bool exports() const { return !words_.empty() && words_.front() == "export"; }

    std::vector<std::string> words_;
    std::optional<std::string> by_, since_, trend_;
    bool json_ = false, openmetrics_ = false;
};

void Stats::declare(Parser& parser)
{
    parser.words(words_, "NAME", Value::task_name);
    parser.option("--by", by_, "name|queue|tag:K", Value::text,
                  "a row for each name (default), queue or value of the tag K");
    parser.option("--since", since_, "D", Value::text,
                  "only what ended in the last D, or since that time (14:00, 2026-11-28)");
    parser.option("--trend", trend_, "D", Value::duration,
                  "a row for each span D of time, with a bar for the mean duration");
    parser.flag("--openmetrics", openmetrics_,
                "print counters of all time and the state of the queues for Prometheus");
    parser.flag("--json", json_, "print the answer as JSON");
    parser.example("bgt stats                       # how often, how long, how well");
    parser.example("bgt stats build --trend 1d --since 30d");
    parser.example("bgt stats --by tag:branch --json");
    parser.example("bgt stats export --since 7d > runs.ndjson");
}

/// Which of the options exclude each other.
Result<void> Stats::check() const
{
    if (openmetrics_ && (by_ || since_ || trend_ || json_ || !words_.empty()))
        return Error::usage("--openmetrics prints counters of all time: it takes no other options "
                            "and no names");
    if (exports() && (by_ || trend_ || json_))
        return Error::usage(
            "export prints a line of JSON for each run: it takes --since and names");
    return {};
}

Result<ops::StatsRequest> Stats::request() const
{
    ops::StatsRequest request;
    request.filter.names = words_;
    if (exports()) request.filter.names.erase(request.filter.names.begin());
    if (since_) {
        const auto since = ops::parse_moment(*since_, render::Moment::now().wall);
        if (!since) return Error::usage("--since: " + since.error().message);
        request.filter.since = *since;
    }
    if (by_) {
        auto by = core::parse_grouping(*by_);
        if (!by) return Error::usage("--by: " + by.error().message);
        request.by = *std::move(by);
    }
    if (trend_) {
        const auto width = parse_duration(*trend_);
        if (!width) return Error::usage("--trend: " + width.error().message);
        if (*width < std::chrono::seconds(1))
            return Error::usage("--trend: a second is the shortest span");
        request.trend = *width;
    }
    return request;
}

int Stats::tell_damage(Context& context, const store::History& history) const
{
    if (history.damaged_places > 0)
        context.complain(counted(history.damaged_places, "place", "places") + " of the history (" +
                         counted(history.damaged_bytes, "byte", "bytes") +
                         ") could not be read and did not count");
    if (history.from_newer > 0)
        context.complain(counted(history.from_newer, "record", "records") +
                         " of a newer bgt did not count");
    if (history.unread_bytes > 0)
        context.complain("the oldest " + format_size(history.unread_bytes) +
                         " of the history were not read and did not count");
    if (!history.problem.empty()) context.complain(history.problem);
    return code::ok;
}

int Stats::table(Context& context, store::Root& root, const ops::StatsRequest& request)
{
    const auto answer = ops::stats(root, request);
    if (!answer) return context.fail(answer.error(), json_);
    if (json_) {
        context.print(render::stats_json(*answer, request));
        return tell_damage(context, answer->history);
    }
    if (!answer->now.problem.empty()) context.complain(answer->now.problem);
    if (answer->rows.empty()) {
        const bool is_off = context.settings().history_max == 0;
        context.complain(is_off ? "the history is off (history_max = 0)"
                                : "the history has no ended task that fits");
    } else if (request.trend) {
        context.print(render::trend_table(answer->trend, *request.trend, context.table_width()));
    } else {
        using By = core::RunGrouping::By;
        const std::string title = request.by.by == By::name    ? "NAME"
                                  : request.by.by == By::queue ? "QUEUE"
                                                               : printable(request.by.key);
        context.print(render::stats_table(answer->rows, title, context.table_width()));
    }
    if (words_.empty() && !request.trend)
        context.print("now: " + render::load_words(answer->now) + "\n");
    return tell_damage(context, answer->history);
}

int Stats::metrics(Context& context, store::Root& root)
{
    const auto answer = ops::metrics(root);
    if (!answer) return context.fail(answer.error());
    context.print(render::metrics_text(*answer));
    if (!answer->now.problem.empty()) context.complain(answer->now.problem);
    return tell_damage(context, answer->history);
}

int Stats::export_runs(Context& context, store::Root& root, const ops::RunFilter& filter)
{
    std::string lines;
    const auto done = ops::each_run(root, filter, [&](const core::PastRun& run) {
        lines += render::run_json(run);
        if (lines.size() < chunk) return;
        context.print(lines);
        lines.clear();
    });
    if (!done) return context.fail(done.error());
    context.print(lines);
    return tell_damage(context, *done);
}

int Stats::run(Context& context)
{
    if (const auto good = check(); !good) return context.fail(good.error(), json_);
    const auto wanted = request();
    if (!wanted) return context.fail(wanted.error(), json_);
    auto root = context.root();
    if (!root) return context.fail(root.error(), json_);
    if (openmetrics_) return metrics(context, **root);
    if (exports()) return export_runs(context, **root, wanted->filter);
    return table(context, **root, *wanted);
}

} // namespace

std::unique_ptr<Verb> make_stats()
{
    return std::make_unique<Stats>();
}

} // namespace bgt::cli
