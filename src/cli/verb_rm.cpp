#include "answer.hpp"

#include <bgt/base/text.hpp>
#include <bgt/cli/select.hpp>
#include <bgt/cli/verb.hpp>
#include <bgt/render/json.hpp>
#include <bgt/store/retention.hpp>
#include <bgt/supervise/control.hpp>
#include <boost/json.hpp>

namespace bgt::cli {

namespace {

class Remove final : public Verb {
public:
    void declare(Parser&) override;
    int run(Context&) override;

private:
    Result<std::uint64_t> remove(store::Root&, store::TaskId) const;
    void answer(Context&, const store::Pruned&) const;

    Selection selection_;
    bool force_ = false, json_ = false;
};

void Remove::declare(Parser& parser)
{
    selection_.declare(parser);
    parser.flag("--force", force_, "if a task runs, kill it (SIGKILL at once), then remove it");
    parser.flag("--json", json_, "print the answer as JSON");
    parser.example("bgt rm 7 8");
    parser.example("bgt rm --tag job=e2e");
}

/// SIGKILL to all of a task that lives. Error (not_found): it was removed meanwhile.
Result<void> end_at_once(store::Root& root, store::TaskId id)
{
    const auto looked = supervise::inspect(root, id, {});
    if (!looked) return looked.error();
    const bool damaged = !looked->problem.empty();
    if (!damaged && is_gone(looked->status)) return {};
    supervise::StopOptions stop;
    stop.now = true;
    const auto asked = supervise::request_stop(root, id, stop);
    if (damaged && !asked) return {}; // whether it can be removed all the same, its lock will tell
    const auto ended = supervise::await_status(root, id, std::nullopt, [](const store::Status& now) {
        return is_gone(now) || has_survivors(now);
    });
    if (!ended) return asked || ended.error().kind == ErrorKind::not_found ? ended.error() : asked.error();
    if (*ended && has_survivors(**ended))
        return Error::failed("task " + to_string(id) + ": " + counted((*ended)->survivors.size(), "process", "processes") +
                             " can't be ended (bgt kill " + to_string(id) + " names them)");
    return {};
}

/// The disk space given back, in bytes.
Result<std::uint64_t> Remove::remove(store::Root& root, store::TaskId id) const
{
    if (!force_) return remove_ended(root, id);
    const auto ended = end_at_once(root, id);
    auto removed = ended ? remove_ended(root, id) : Result<std::uint64_t>(ended.error());
    if (!removed && removed.error().kind == ErrorKind::not_found) return std::uint64_t{0}; // its own `--rm` was faster
    return removed;
}

void Remove::answer(Context& context, const store::Pruned& pruned) const
{
    if (!json_) return;
    boost::json::array ids;
    for (const auto id : pruned.ids) ids.emplace_back(id.value);
    boost::json::array problems;
    for (const auto& problem : pruned.problems) problems.emplace_back(printable(problem));
    context.print(render::answer_json({{"removed", std::move(ids)}, {"bytes", pruned.bytes}, {"problems", std::move(problems)}}));
}

int Remove::run(Context& context)
{
    auto root = context.root();
    if (!root) return context.fail(root.error(), json_);
    const auto found = select_there(context, **root, selection_, Scope::any);
    if (!found) return context.fail(found.error(), json_);
    // A filter means what can be removed: the living that fit it are left out, and only those named are complained of.
    store::Pruned done;
    int result = found->code;
    for (std::size_t i = 0; i < found->ids.size(); ++i) {
        const store::TaskId id = found->ids[i];
        const auto removed = remove(**root, id);
        if (removed) {
            done.ids.push_back(id);
            done.bytes += *removed;
            continue;
        }
        if (i >= found->named && removed.error().kind == ErrorKind::usage) continue;
        done.problems.push_back(removed.error().message);
        const int failure = context.fail(removed.error());
        if (result == code::ok) result = failure;
    }
    answer(context, done);
    return result;
}

} // namespace

std::unique_ptr<Verb> make_rm()
{
    return std::make_unique<Remove>();
}

} // namespace bgt::cli
