#include "answer.hpp"
#include "selection.hpp"

#include <bgt/base/signal_name.hpp>
#include <bgt/cli/verb.hpp>
#include <bgt/ops/signal.hpp>

namespace bgt::cli {

namespace {

class SendSignal final : public Verb {
public:
    void declare(Parser&) override;
    int run(Context&) override;

private:
    ops::Selection selection_; ///< its first word is the signal
    std::optional<std::string> dash_signal_;
    FieldWords fields_;
    bool tree_ = false, json_ = false;
};

void SendSignal::declare(Parser& parser)
{
    declare_selection(parser, selection_, Value::living_task);
    parser.first_word(Value::signal);
    parser.dash_word(dash_signal_,
                     [](std::string_view text) { return static_cast<bool>(parse_signal(text)); });
    parser.flag("--tree", tree_, "send it to every process of the task, not only to the command");
    parser.flag("--json", json_, "print the tasks as JSON");
    declare_fields(parser, fields_);
    parser.example("bgt signal HUP web");
    parser.example("bgt signal --tree USR1 --tag job=e2e");
}

int SendSignal::run(Context& context)
{
    if (!dash_signal_) { // `-9` is how kill(1) has it
        if (selection_.words.empty())
            return context.fail(Error::usage("which signal? bgt signal SIGNAL TASK..."), json_);
        dash_signal_ = selection_.words.front();
        selection_.words.erase(selection_.words.begin());
    }
    const auto signal = parse_signal(*dash_signal_);
    if (!signal) return context.fail(signal.error(), json_);
    auto root = context.root();
    if (!root) return context.fail(root.error(), json_);
    int result = code::ok;
    const auto tell =
        told<ops::Signalled>(context, result, [&](store::TaskId id, const ops::Signalled& sent) {
            if (!json_)
                context.hint(to_string(id) + ": " + signal_name(*signal) + " sent to " +
                             counted(sent.processes, "process", "processes"));
        });
    const auto done = ops::signal(**root, {selection_, *signal, tree_}, tell);
    if (!done) return context.fail(done.error(), json_);
    if (json_) print_tasks_json(context, **root, done->ids());
    return result;
}

} // namespace

std::unique_ptr<Verb> make_signal()
{
    return std::make_unique<SendSignal>();
}

} // namespace bgt::cli
