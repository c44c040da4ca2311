#include "answer.hpp"
#include "selection.hpp"

#include <bgt/cli/verb.hpp>
#include <bgt/ops/inspect.hpp>
#include <bgt/render/details.hpp>
#include <bgt/render/hooks.hpp>
#include <bgt/render/json.hpp>
#include <bgt/render/results.hpp>

#include <boost/json.hpp>

namespace bgt::cli {

namespace {

constexpr std::size_t events_for_people = 10;
constexpr std::size_t events_for_json = 100;

class Show : public Verb {
public:
    void declare(Parser& parser) override
    {
        declare_selection(parser, selection_);
        parser.flag("--json", json_,
                    "print JSON, with the earlier attempts, the hooks and the last 100 events of "
                    "each task");
        declare_fields(parser, fields_);
        parser.example("bgt show web");
        parser.example("bgt show --json - | jq '.tasks[0].outcome'");
    }

    int run(Context& context) override
    {
        const auto done = show(context);
        return done ? *done : context.fail(done.error(), json_);
    }

private:
    Result<int> show(Context& context)
    {
        auto root = context.root();
        if (!root) return root.error();
        const ops::InspectRequest request{
            .selection = selection_,
            .fields = {.spec = true, .usage = true, .ports = true, .log_tail = true},
            .processes = !json_,
            .max_events = json_ ? events_for_json : events_for_people,
            .readiness = true};
        int result = code::ok;
        const auto seen = ops::recover_and_inspect(**root, request, told_missing(context, result));
        if (!seen) return seen.error();
        context.print(json_ ? as_json(*seen, context.fields()) : as_text(context, *seen));
        return result;
    }

    static std::string as_text(Context& context, const ops::InspectAnswer& seen)
    {
        render::DetailsStyle style;
        style.color = context.color();
        if (context.stdout_is_terminal()) style.width = static_cast<std::size_t>(context.width());
        const auto now = render::Moment::now();
        std::string out;
        for (const auto& one : seen.tasks) {
            if (!out.empty()) out += '\n';
            out += render::task_details(one, now, style);
        }
        return out;
    }

    static std::string as_json(const ops::InspectAnswer& seen, const render::TaskFields& fields)
    {
        boost::json::array tasks;
        const auto now = render::Moment::now();
        for (const auto& one : seen.tasks) {
            boost::json::array events;
            for (const auto& event : one.events) events.push_back(render::event_json(event));
            boost::json::object object;
            object["attempts"] = render::attempts_json(one.attempts);
            object["results"] = render::results_json(one.results);
            object["hooks"] = render::hooks_json(one.hooks);
            object["events"] = std::move(events);
            object["not_ready"] = render::words_json(one.not_ready);
            tasks.push_back(render::chosen_task_json(one.task, now, fields, std::move(object)));
        }
        return render::answer_json({{"tasks", std::move(tasks)}});
    }

    ops::Selection selection_;
    FieldWords fields_;
    bool json_ = false;
};

} // namespace

std::unique_ptr<Verb> make_show()
{
    return std::make_unique<Show>();
}

} // namespace bgt::cli
