#include "answer.hpp"
#include "run/run_table.hpp"
#include "selection.hpp"

#include <bgt/cli/verb.hpp>
#include <bgt/ops/queues.hpp>

#include <climits>

namespace bgt::cli {

namespace {

class Move final : public Verb {
public:
    void declare(Parser& parser) override
    {
        declare_selection(parser, selection_);
        parser.flag("--first", first_, "before all others of its priority");
        parser.flag("--last", last_, "behind all others of its priority");
        parser.option("--before", before_, "TASK", Value::task,
                      "right before another waiting task, with its priority");
        parser.option("--priority", priority_, "N", Value::number, "give it this priority");
        parser.flag("--json", json_, "print the tasks as JSON");
        declare_fields(parser, fields_);
        parser.example("bgt move --first 7");
        parser.example("bgt move --before 5 9");
    }
    int run(Context&) override;

private:
    Result<ops::MoveRequest> request() const;

    ops::Selection selection_;
    FieldWords fields_;
    bool first_ = false, last_ = false, json_ = false;
    std::optional<std::string> before_, priority_;
};

Result<ops::MoveRequest> Move::request() const
{
    if (int(first_) + int(last_) + int(before_.has_value()) + int(priority_.has_value()) != 1)
        return Error::usage("where to? one of --first, --last, --before TASK and --priority N");
    ops::MoveRequest out;
    out.selection = selection_;
    if (last_) out.to = ops::MoveRequest::To::last;
    if (before_) {
        out.to = ops::MoveRequest::To::before;
        out.before = *before_;
    }
    if (!priority_) return out;
    out.to = ops::MoveRequest::To::priority;
    const auto priority = parse_int(*priority_, INT_MIN, INT_MAX);
    if (!priority) return Error::usage("--priority: " + priority.error().message);
    out.priority = *priority;
    return out;
}

int Move::run(Context& context)
{
    const auto wanted = request();
    if (!wanted) return context.fail(wanted.error(), json_);
    auto root = context.root();
    if (!root) return context.fail(root.error(), json_);
    int result = code::ok;
    const auto done =
        ops::move(**root, *wanted,
                  told<ops::Changed>(context, result, [](store::TaskId, const ops::Changed&) {}));
    if (!done) return context.fail(done.error(), json_);
    if (json_) print_tasks_json(context, **root, done->ids());
    return result;
}

} // namespace

std::unique_ptr<Verb> make_move()
{
    return std::make_unique<Move>();
}

} // namespace bgt::cli
