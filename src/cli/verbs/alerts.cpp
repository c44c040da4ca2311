#include "answer.hpp"
#include "known_alerts.hpp"

#include <bgt/base/text.hpp>
#include <bgt/cli/verb.hpp>
#include <bgt/ops/alerts.hpp>
#include <bgt/ops/settings.hpp>
#include <bgt/render/alerts.hpp>

#include <charconv>

namespace bgt::cli {

namespace {

class Alerts final : public Verb {
public:
    void declare(Parser&) override;
    int run(Context&) override;

private:
    int test(Context&, store::Root&);

    std::optional<std::string> test_;
    bool json_ = false;
};

void Alerts::declare(Parser& parser)
{
    parser.option("--test", test_, "N", Value::number,
                  "run the hook of alert N as if it began, and show what comes of it");
    parser.flag("--json", json_, "print the answer as JSON");
    parser.example("bgt alerts                     # how they stand");
    parser.example("bgt alerts --test 1            # does its hook work?");
}

int Alerts::test(Context& context, store::Root& root)
{
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(test_->data(), test_->data() + test_->size(), number);
    if (error != std::errc{} || end != test_->data() + test_->size())
        return context.fail(Error::usage("--test: it is the number of an alert (bgt alerts)"),
                            json_);
    const auto tested = ops::test_alert(root, number);
    if (!tested) return context.fail(tested.error(), json_);
    context.print(json_ ? render::alert_test_json(number, *tested)
                        : render::alert_test_text(number, *tested));
    return tested->is_fine ? code::ok : code::failed;
}

int Alerts::run(Context& context)
{
    tell_ignored_alerts(context);
    auto root = context.root(!context.settings().alerts.empty());
    if (!root) return context.fail(root.error(), json_);
    know_alerts(context, **root, ops::user_settings_file());
    if (test_) return test(context, **root);
    const auto answer = ops::alerts(**root);
    if (!answer) return context.fail(answer.error(), json_);
    if (!answer->problem.empty()) context.complain(answer->problem);
    if (json_) context.print(render::alerts_json(*answer));
    else if (answer->rows.empty())
        context.complain("there are no alerts ([[alert]] in bgt.toml, see man bgt-alerts)");
    else context.print(render::alerts_table(*answer, render::Moment::now(), context.table_width()));
    return code::ok;
}

} // namespace

std::unique_ptr<Verb> make_alerts()
{
    return std::make_unique<Alerts>();
}

} // namespace bgt::cli
