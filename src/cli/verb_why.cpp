#include "answer.hpp"

#include <bgt/cli/select.hpp>
#include <bgt/cli/verb.hpp>
#include <bgt/os/terminal.hpp>
#include <bgt/render/json.hpp>
#include <bgt/render/report.hpp>
#include <bgt/store/report.hpp>
#include <bgt/supervise/control.hpp>

#include <algorithm>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <unistd.h>

namespace bgt::cli {

namespace {

constexpr std::size_t lines_elsewhere = 40; ///< where no terminal says how many fit

class Why final : public Verb {
public:
    void declare(Parser& parser) override
    {
        selection_.declare(parser);
        parser.flag("--last", last_, "the newest report that was written, also for a running task; make no new one");
        parser.flag("--json", json_, "print the reports as JSON");
        parser.example("bgt why web");
        parser.example("bgt why --last --json 7 | jq -r '.reports[0].verdict'");
    }
    int run(Context&) override;

private:
    Result<core::Report> report_of(store::Root&, store::TaskId) const;
    std::string text_of(const Context&, const core::Report&) const;

    Selection selection_;
    bool last_ = false, json_ = false;
};

/// A living task is looked at now; of one whose supervisor does not answer there may still be an older report.
Result<core::Report> Why::report_of(store::Root& root, store::TaskId id) const
{
    const auto seen = supervise::inspect(root, id, {});
    if (!seen) return seen.error();
    const auto task = root.open_task(id);
    if (!task) return task.error();
    const bool lives = seen->problem.empty() && !supervise::is_over(seen->status);
    if (lives && seen->status.next_attempt && !last_)
        return Error::failed(fmt::format("task {} waits for its next attempt, at {}; the last one: {}", label(id, seen->status),
                                         format_rfc3339(*seen->status.next_attempt), end_in_words(seen->status)));
    if (lives && !last_) {
        const auto number = supervise::request_report(root, id);
        if (number) return store::read_report(*task, *number);
        auto newest = store::newest_report(*task);
        return newest ? newest : Result<core::Report>(number.error());
    }
    auto newest = store::newest_report(*task);
    if (newest || newest.error().kind != ErrorKind::not_found) return newest;
    const std::string name = label(id, seen->status);
    if (lives) return Error::failed(fmt::format("task {} has no report yet; without --last one is made now", name));
    return Error::failed(fmt::format("task {} has ended ({}) and left no hang report; bgt show {} tells its story", name,
                                     end_in_words(seen->status), id.value));
}

std::string Why::text_of(const Context& context, const core::Report& report) const
{
    render::ReportStyle style;
    style.color = context.color();
    style.width = static_cast<std::size_t>(std::max(context.width(), 1));
    style.lines = context.stdout_is_terminal() ? static_cast<std::size_t>(std::max(os::terminal_height(STDOUT_FILENO) - 1, 1))
                                               : lines_elsewhere;
    return render::report_text(report, style);
}

int Why::run(Context& context)
{
    auto root = context.root();
    if (!root) return context.fail(root.error(), json_);
    const auto found = select_there(context, **root, selection_, last_ ? Scope::any : Scope::living);
    if (!found) return context.fail(found.error(), json_);
    boost::json::array reports;
    bool is_first = true;
    const int result = for_each_task(context, *found, [&](store::TaskId id) -> Result<void> {
        const auto report = report_of(**root, id);
        if (!report) return report.error();
        if (json_) reports.push_back(boost::json::parse(render::report_json(*report)));
        else context.print((std::exchange(is_first, false) ? "" : "\n") + text_of(context, *report));
        return {};
    });
    if (json_) context.print(render::answer_json({{"reports", std::move(reports)}}));
    return result;
}

} // namespace

std::unique_ptr<Verb> make_why()
{
    return std::make_unique<Why>();
}

} // namespace bgt::cli
