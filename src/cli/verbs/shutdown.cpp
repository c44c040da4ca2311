#include "answer.hpp"
#include "end_words.hpp"
#include "selection.hpp"

#include <bgt/cli/verb.hpp>
#include <bgt/ops/shutdown.hpp>
#include <bgt/render/json.hpp>

#include <boost/json.hpp>

namespace bgt::cli {

namespace {

class Shutdown final : public Verb {
public:
    void declare(Parser&) override;
    int run(Context&) override;

private:
    ops::Selection selection_;
    std::optional<std::string> timeout_;
    bool json_ = false;
};

void Shutdown::declare(Parser& parser)
{
    declare_selection(parser, selection_, Value::living_task);
    parser.option("--timeout", timeout_, "D", Value::duration,
                  "send SIGKILL to what is left after D (default: the setting shutdown_timeout)");
    parser.flag("--json", json_, "print how many tasks were ended as JSON");
    parser.example("bgt shutdown                   # every task, and nothing is started meanwhile");
    parser.example("bgt shutdown --timeout 5s --tag job=e2e");
}

int Shutdown::run(Context& context)
{
    ops::ShutdownRequest request{selection_, context.settings().shutdown_timeout};
    if (timeout_) {
        request.timeout.reset();
        if (*timeout_ != "off") {
            const auto timeout = parse_duration(*timeout_);
            if (!timeout)
                return context.fail(Error::usage("--timeout: " + timeout.error().message), json_);
            request.timeout = *timeout;
        }
    }
    auto root = context.root();
    if (!root) return context.fail(root.error(), json_);
    const auto done = ops::shutdown(**root, request);
    if (!done) return context.fail(done.error(), json_);
    if (!json_) // there they are in the answer
        for (const ops::Remaining& task : done->tasks.remaining)
            context.complain(task.label + ": " + task.why);
    if (json_) {
        boost::json::object out{{"status", ops::to_string(done->status)}};
        add_end(out, done->tasks);
        context.print(render::answer_json(std::move(out)));
    } else {
        context.print(end_words(done->tasks) + "\n");
    }
    return done->status == ops::ShutdownStatus::timeout ? code::wait_timeout : code::ok;
}

} // namespace

std::unique_ptr<Verb> make_shutdown()
{
    return std::make_unique<Shutdown>();
}

} // namespace bgt::cli
