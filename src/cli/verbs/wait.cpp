#include "answer.hpp"
#include "live_line.hpp"
#include "run/attach.hpp"
#include "selection.hpp"
#include "wait_words.hpp"

#include <bgt/cli/verb.hpp>

#include <bgt/os/terminal.hpp>
#include <bgt/render/json.hpp>
#include <bgt/render/wait_json.hpp>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <set>
#include <string_view>
#include <unistd.h>

namespace bgt::cli {
namespace {

std::string working_folder()
{
    char path[PATH_MAX];
    return getcwd(path, sizeof path) != nullptr ? path : "/";
}

class Wait final : public Verb {
public:
    void declare(Parser& parser) override
    {
        declare_selection(parser, selection_);
        static const std::string what =
            "what to wait for; all must be met (default exit): " + core::condition_forms() +
            "; exit code 121 when one can no longer be met";
        parser.list("--for", for_, "COND", Value::condition, what.c_str());
        parser.flag("--any", any_, "one condition of one task is enough");
        parser.flag("--or-stuck", or_stuck_,
                    "give up with exit code 121 when a task is stalled, waits for input, or ends "
                    "again and again");
        parser.option("--timeout", timeout_, "D", Value::duration,
                      "give up after D with exit code 124; the tasks keep running");
        parser.option(
            "--attempt", attempt_, "N", Value::text,
            "the attempt whose output counts for log: and log-fail:; also last (default), all");
        parser.flag("--json", json_, "print at the end the tasks, and how the wait ended, as JSON");
        declare_fields(parser, fields_);
        parser.example("bgt wait 7");
        parser.example("bgt wait --timeout 30 --for port web");
        parser.example("bgt wait --for 'log:ready in [0-9]+ ms' --for http:localhost:5173 web");
    }

    int run(Context& context) override
    {
        ops::WaitRequest request;
        if (Result<void> read = read_request(request); !read)
            return context.fail(read.error(), json_);
        Result<store::Root*> root = context.root();
        if (!root) return context.fail(root.error(), json_);
        Result<std::vector<store::TaskId>> ids = select_tasks(**root);
        if (!ids) return context.fail(ids.error(), json_);
        if (ids->empty()) { // --all, and no task is running
            if (json_) context.print(render::tasks_json({}, {}, context.fields()));
            return code::ok;
        }
        request.tasks = std::move(*ids);
        request.note = [&](const std::string& text) { context.complain(text); };
        const Result<ops::WaitAnswer> answer = wait(context, **root, request);
        if (!answer) return context.fail(answer.error(), json_);
        if (json_) {
            print_tasks(context, **root, request, *answer);
            return wait_code(request, *answer);
        }
        const std::string message = wait_message(request, *answer);
        if (!message.empty()) context.complain(message);
        else if (answer->end == ops::WaitAnswer::End::met)
            context.hint(wait_summary(request, *answer));
        return wait_code(request, *answer);
    }

private:
    /// --name and --tag find ended tasks too: a task that was quick must not be missed. Of several
    /// with one name, an ended one does not count beside a newer one. Error (not_found): no task
    /// fits them.
    Result<std::vector<store::TaskId>> select_tasks(store::Root& root) const
    {
        ops::Selection selection = selection_;
        selection.removed = true; // by --rm
        const bool by_filter = !selection_.names.empty() || !selection_.tags.empty();
        Result<std::vector<store::TaskId>> ids =
            ops::select(root, selection, by_filter ? ops::Scope::any : ops::Scope::living);
        if (!ids || !by_filter) return ids;
        if (ids->empty())
            return Error::not_found("no task has this name or tag (bgt ps -a lists all)");
        if (!selection_.words.empty()) return ids; // what is named is meant
        std::set<std::string> newer;
        std::set<store::TaskId> replaced;
        std::vector<store::TaskId> newest_first = *ids;
        std::ranges::sort(newest_first, std::ranges::greater{});
        for (const store::TaskId id : newest_first) {
            const Result<store::Status> status = store::read_status_at(root.fd(), id);
            if (!status || status->name.empty() || newer.insert(status->name).second) continue;
            if (ops::is_over(*status)) replaced.insert(id);
        }
        std::erase_if(*ids, [&](store::TaskId id) { return replaced.contains(id); });
        return ids;
    }

    Result<void> read_request(ops::WaitRequest& request) const
    {
        const std::string cwd = working_folder();
        for (const std::string& text : for_) {
            Result<core::Condition> condition = core::parse_condition(text, cwd);
            if (!condition) return Error::usage("--for: " + condition.error().message);
            request.conditions.push_back(std::move(*condition));
        }
        if (std::ranges::all_of(request.conditions, &core::Condition::is_guard))
            request.conditions.emplace_back();
        request.rules = {any_, or_stuck_};
        if (attempt_) {
            Result<ops::Attempt> attempt = ops::parse_attempt(*attempt_);
            if (!attempt) return attempt.error();
            request.attempt = *attempt;
        }
        if (!timeout_ || *timeout_ == "off") return {};
        Result<Duration> timeout = parse_duration(*timeout_);
        if (!timeout) return Error::usage("--timeout: " + timeout.error().message);
        request.timeout = *timeout;
        return {};
    }

    static Result<ops::WaitAnswer> wait(const Context& context, store::Root& root,
                                        const ops::WaitRequest& request)
    {
        // A signal ends the processes that ask the probes first, then this program.
        std::optional<HeldSignals> signals;
        if (std::ranges::any_of(request.conditions,
                                [](const auto& c) { return c.observes(core::Observation::probe); }))
            signals.emplace(std::initializer_list<int>{SIGINT, SIGTERM, SIGHUP});
        const int cancel = signals ? signals->fd() : -1;
        if (!shows_live_line(context)) return ops::wait(root, request, {}, cancel);
        LiveLine line;
        return ops::wait(
            root, request, [&](const auto& now) { line.draw(live_text(now, LiveLine::columns())); },
            cancel);
    }

    static void print_tasks(Context& context, store::Root& root, const ops::WaitRequest& request,
                            const ops::WaitAnswer& answer)
    {
        const render::WaitTold told{wait_code(request, answer), wait_reason(request, answer), {}};
        context.print(
            render::wait_json(as_now(root, answer.tasks), request, answer, told, context.fields()));
    }

    ops::Selection selection_;
    FieldWords fields_;
    std::vector<std::string> for_;
    std::optional<std::string> timeout_, attempt_;
    bool any_ = false, or_stuck_ = false, json_ = false;
};

} // namespace

std::unique_ptr<Verb> make_wait()
{
    return std::make_unique<Wait>();
}

} // namespace bgt::cli
