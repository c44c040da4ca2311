#include "answer.hpp"
#include "run/task_tables.hpp"
#include "stop_words.hpp"

#include <bgt/cli/verb.hpp>
#include <bgt/ops/up.hpp>

#include <algorithm>

namespace bgt::cli {

namespace {

class Down final : public Verb {
public:
    void declare(Parser& parser) override
    {
        parser.words(names_, "NAME", Value::text);
        parser.flag("--now", now_, "send SIGKILL at once, without a stop signal first");
        parser.option("--timeout", timeout_, "D", Value::duration,
                      "wait no longer than D (exit code 124); the stop continues");
        parser.flag("--json", json_, "print the tasks as JSON when all have ended");
        declare_fields(parser, fields_);
        parser.example("bgt down");
        parser.example("bgt down web worker");
    }
    int run(Context&) override;

private:
    std::vector<std::string> names_;
    FieldWords fields_;
    bool now_ = false, json_ = false;
    std::optional<std::string> timeout_;
};

int Down::run(Context& context)
{
    ops::DownRequest request;
    request.names = names_;
    request.now = now_;
    if (timeout_) {
        const auto limit = parse_limit(*timeout_);
        if (!limit) return context.fail(Error::usage("--timeout: " + limit.error().message), json_);
        request.timeout = *limit;
    }
    auto root = context.root();
    if (!root) return context.fail(root.error(), json_);
    request.folder = project_folder(context, **root);
    if (request.folder.empty())
        return context.fail(Error::not_found("this folder is in no project: bgt up starts one"),
                            json_);
    StopDisplay display(context);
    request.waiting = [&](const ops::StopWait& now) { display.show(now); };
    int result = code::ok;
    auto stopped = ops::down(
        **root, request,
        told<ops::Stopped>(context, result, [&](store::TaskId id, const ops::Stopped& one) {
            display.clear();
            const StopWords words = stop_words(one);
            const std::string text = ops::label(id, one.before) + ": " + words.text;
            if (words.code != code::ok) tell_failure(context, result, text, words.code, id);
            else if (!json_) context.print(text + "\n");
        }));
    if (!stopped) return context.fail(stopped.error(), json_);
    if (json_) print_tasks_json(context, **root, stopped->ids());
    else if (stopped->tasks.empty()) context.hint("nothing of " + request.folder + " runs");
    return result;
}

} // namespace

std::unique_ptr<Verb> make_down()
{
    return std::make_unique<Down>();
}

} // namespace bgt::cli
