#include "answer.hpp"
#include "retention.hpp"

#include <bgt/base/size.hpp>
#include <bgt/base/text.hpp>
#include <bgt/cli/verb.hpp>
#include <bgt/ops/collect.hpp>
#include <bgt/render/json.hpp>
#include <bgt/render/words.hpp>
#include <boost/json.hpp>
#include <charconv>

namespace bgt::cli {

namespace {

class Collect final : public Verb {
public:
    void declare(Parser&) override;
    int run(Context&) override;

private:
    Result<store::Retention> retention(const config::Settings&) const;
    void answer(Context&, const store::Pruned&) const;

    int history(Context&, const store::Retention&);

    std::optional<std::string> keep_, older_;
    bool dry_run_ = false, json_ = false, history_ = false;
};

void Collect::declare(Parser& parser)
{
    parser.option("--keep", keep_, "N", Value::number,
                  "keep the newest N ended tasks (default: the setting keep_ended)");
    parser.option("--older", older_, "D", Value::duration,
                  "remove tasks that ended more than D ago (default: the setting keep_age)");
    parser.flag("--history", history_,
                "remove records of the history and no tasks (default: beyond history_max)");
    parser.flag("--dry-run", dry_run_, "remove nothing; print what would be removed");
    parser.flag("--json", json_, "print the answer as JSON");
    parser.example("bgt gc");
    parser.example("bgt gc --older 7d --dry-run");
    parser.example("bgt gc --keep 0");
    parser.example("bgt gc --history --older 90d");
}

Result<store::Retention> Collect::retention(const config::Settings& settings) const
{
    store::Retention out = retention_of(settings);
    if (keep_) {
        const char* end = keep_->data() + keep_->size();
        const auto [stop, err] = std::from_chars(keep_->data(), end, out.keep_ended);
        if (keep_->empty() || err != std::errc() || stop != end)
            return Error::usage("--keep: expected a number of tasks");
        out.history_max = history_ ? out.keep_ended : out.history_max;
    }
    if (older_) {
        if (*older_ == "off") {
            out.keep_age.reset();
            return out;
        }
        auto age = parse_duration(*older_);
        if (!age) return Error::usage("--older: " + age.error().message);
        out.keep_age = *age;
    }
    return out;
}

void Collect::answer(Context& context, const store::Pruned& pruned) const
{
    if (!json_) {
        std::string ids;
        for (const auto id : pruned.ids) ids += " " + to_string(id);
        context.print((dry_run_ ? "would remove " : "removed ") +
                      counted(pruned.ids.size(), "task", "tasks") + ", " +
                      format_size(pruned.bytes) + (ids.empty() ? "" : ":" + ids) + "\n");
        return;
    }
    boost::json::array ids;
    for (const auto id : pruned.ids) ids.emplace_back(id.value);
    boost::json::array problems;
    for (const auto& problem : pruned.problems) problems.emplace_back(to_valid_utf8(problem));
    context.print(render::answer_json({{"dry_run", dry_run_},
                                       {"removed", std::move(ids)},
                                       {"bytes", pruned.bytes},
                                       {"problems", std::move(problems)}}));
}

/// The totals of bgt stats --openmetrics stay.
int Collect::history(Context& context, const store::Retention& keep)
{
    auto root = context.root();
    if (!root) return context.fail(root.error(), json_);
    store::HistoryKeep stays{keep.history_max, {}};
    if (older_ && keep.keep_age) stays.since = render::Moment::now().wall - *keep.keep_age;
    const auto trimmed = ops::collect_history(**root, stays, dry_run_);
    if (!trimmed) return context.fail(trimmed.error(), json_);
    if (!trimmed->problem.empty()) context.complain(trimmed->problem);
    if (json_) {
        context.print(render::answer_json(
            {{"dry_run", dry_run_},
             {"removed_records", trimmed->removed},
             {"kept_records", trimmed->kept},
             {"problem", trimmed->problem.empty()
                             ? boost::json::value(nullptr)
                             : boost::json::value(to_valid_utf8(trimmed->problem))}}));
        return code::ok;
    }
    context.print((dry_run_ ? "would remove " : "removed ") +
                  counted(trimmed->removed, "record", "records") + " of the history, " +
                  std::to_string(trimmed->kept) + (trimmed->kept == 1 ? " stays\n" : " stay\n"));
    return code::ok;
}

int Collect::run(Context& context)
{
    const auto keep = retention(context.settings());
    if (!keep) return context.fail(keep.error(), json_);
    context.tell_ignored({.retention = !keep_ || !older_});
    if (history_) return history(context, *keep);
    auto root = context.root();
    if (!root) return context.fail(root.error(), json_);
    const auto pruned = ops::collect(**root, {*keep, dry_run_});
    if (!pruned) return context.fail(pruned.error(), json_);
    answer(context, *pruned);
    if (!json_) // there they are in the answer
        for (const auto& problem : pruned->problems) context.complain(problem);
    return pruned->problems.empty() ? code::ok : code::failed;
}

} // namespace

std::unique_ptr<Verb> make_gc()
{
    return std::make_unique<Collect>();
}

} // namespace bgt::cli
