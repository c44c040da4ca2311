#include "answer.hpp"
#include "selection.hpp"

#include <bgt/base/text.hpp>
#include <bgt/cli/verb.hpp>
#include <bgt/ops/queues.hpp>
#include <bgt/ops/why.hpp>
#include <bgt/os/terminal.hpp>
#include <bgt/render/end_account.hpp>
#include <bgt/render/hooks.hpp>
#include <bgt/render/report.hpp>
#include <bgt/render/why_json.hpp>

#include <algorithm>
#include <boost/json.hpp>
#include <unistd.h>

namespace bgt::cli {

namespace {

constexpr std::size_t lines_elsewhere = 40; ///< where no terminal says how many fit

class Why final : public Verb {
public:
    void declare(Parser& parser) override
    {
        declare_selection(parser, selection_);
        parser.flag(
            "--last", last_,
            "print the newest report that exists, even for a running task; write no new one");
        parser.flag("--json", json_, "print the reports and ends as JSON, in at most 4 KiB");
        parser.flag("--full", full_, "with --json: as long as it is, with all the evidence");
        parser.example("bgt why web");
        parser.example("bgt why --last --json 7 | jq -r '.reports[0].verdict'");
    }
    int run(Context&) override;

private:
    std::string text_of(const Context&, const ops::WhyAnswer&) const;
    Result<boost::json::array> tell_waiting(Context&, store::Root&);

    ops::Selection selection_;
    bool last_ = false, json_ = false, full_ = false;
};

std::string hook_lines(const std::vector<ops::HookRun>& hooks, std::size_t width)
{
    std::string text;
    for (const ops::HookRun& hook : hooks) {
        text += fit("hook      " + render::hook_words(hook), width) + "\n";
        for (const std::string& line : render::hook_output(hook))
            text += fit("  " + line, width) + "\n";
    }
    return text;
}

std::string Why::text_of(const Context& context, const ops::WhyAnswer& answer) const
{
    render::ReportStyle style;
    style.color = context.color();
    style.width = static_cast<std::size_t>(std::max(context.width(), 1));
    style.lines =
        context.stdout_is_terminal()
            ? static_cast<std::size_t>(std::max(os::terminal_height(STDOUT_FILENO) - 1, 1))
            : lines_elsewhere;
    const std::string port =
        answer.port
            ? fit(printable("port      " + render::port_words(*answer.port)), style.width) + "\n"
            : "";
    const std::string aside = port + hook_lines(answer.hooks, style.width);
    if (!answer.end) return render::report_text(*answer.report, style) + aside;
    std::string text = render::end_text(*answer.end, render::Moment::now(), style) + aside;
    if (!answer.report) return text;
    if (render::hung(*answer.end))
        return text + "when it hung\n" + render::report_text(*answer.report, style);
    return text + "report    one was written while it ran: bgt why --last " +
           to_string(answer.end->task.id) + "\n";
}

/// What waits in a queue has no report, but reasons. The rest of the selection is left.
Result<boost::json::array> Why::tell_waiting(Context& context, store::Root& root)
{
    boost::json::array told;
    if (last_ || !ops::has_queue(root) || selection_.empty()) return told;
    BGT_TRY_ASSIGN(const std::vector<ops::WaitingAccount> accounts,
                   ops::why_waiting(root, selection_));
    ops::Selection rest;
    for (const auto& [id, reasons] : accounts) {
        if (reasons.empty()) rest.words.push_back(to_string(id));
        boost::json::array texts;
        for (const std::string& reason : reasons) texts.emplace_back(to_valid_utf8(reason));
        if (!reasons.empty()) told.push_back({{"id", id.value}, {"reasons", std::move(texts)}});
        for (const std::string& reason : reasons)
            if (!json_)
                context.print((&reason == &reasons.front() ? to_string(id) + ": " : "   ") +
                              printable(reason) + "\n");
    }
    if (!told.empty()) selection_ = rest;
    return told;
}

int Why::run(Context& context)
{
    if (full_ && !json_) return context.fail(Error::usage("--full needs --json"), json_);
    auto root = context.root();
    if (!root) return context.fail(root.error(), json_);
    auto waiting = tell_waiting(context, **root);
    if (!waiting) return context.fail(waiting.error(), json_);
    if (!waiting->empty() && selection_.empty()) {
        if (json_) context.print(render::why_json({}, *waiting, full_));
        return code::ok;
    }
    bool is_first = true;
    int result = code::ok;
    const auto tell =
        told<ops::WhyAnswer>(context, result, [&](store::TaskId, const ops::WhyAnswer& answer) {
            if (!answer.refused.empty())
                context.complain(answer.refused + " (this is the newest report that was written)");
            if (!json_)
                context.print((std::exchange(is_first, false) ? "" : "\n") +
                              text_of(context, answer));
        });
    const auto done = ops::why(**root, {selection_, last_}, tell);
    if (!done) return context.fail(done.error(), json_);
    if (json_) context.print(render::why_json(*done, *waiting, full_));
    return result;
}

} // namespace

std::unique_ptr<Verb> make_why()
{
    return std::make_unique<Why>();
}

} // namespace bgt::cli
