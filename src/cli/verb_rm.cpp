#include "answer.hpp"

#include <bgt/cli/select.hpp>
#include <bgt/cli/verb.hpp>
#include <bgt/supervise/control.hpp>

namespace bgt::cli {

namespace {

class Remove final : public Verb {
public:
    void declare(Parser&) override;
    int run(Context&) override;

private:
    Result<void> remove(store::Root&, store::TaskId) const;

    Selection selection_;
    bool force_ = false;
};

void Remove::declare(Parser& parser)
{
    selection_.declare(parser);
    parser.flag("--force", force_, "a task that lives: kill it (SIGKILL at once), then remove it");
    parser.example("bgt rm 7 8");
    parser.example("bgt rm --tag job=e2e");
}

Result<void> Remove::remove(store::Root& root, store::TaskId id) const
{
    if (!force_) return remove_ended(root, id);
    const auto looked = supervise::look(root, id, {});
    if (!looked) return looked.error();
    if (looked->problem.empty() && !is_gone(looked->status)) {
        supervise::StopOptions stop;
        stop.now = true;
        const auto asked = supervise::request_stop(root, id, stop);
        const auto ended = supervise::await_status(root, id, std::nullopt, [](const store::Status& now) {
            return is_gone(now) || has_survivors(now);
        });
        if (!ended && ended.error().kind == ErrorKind::not_found) return {}; // `--rm` was faster
        if (!ended) return asked ? ended.error() : asked.error();
        if (*ended && has_survivors(**ended))
            return Error::failed("task " + to_string(id) + ": " + counted((*ended)->survivors.size(), "process", "processes") +
                                 " can't be ended (bgt kill " + to_string(id) + " names them)");
    }
    auto removed = remove_ended(root, id);
    if (!removed && removed.error().kind == ErrorKind::not_found) return {};
    return removed;
}

int Remove::run(Context& context)
{
    auto root = context.root();
    if (!root) return context.fail(root.error());
    auto ids = select(**root, selection_, Scope::any);
    if (!ids) return context.fail(ids.error());
    // A filter means what can be removed: the living that fit it are left out, and only those named are complained of.
    const std::size_t named = selection_.words.size();
    int result = code::ok;
    for (std::size_t i = 0; i < ids->size(); ++i) {
        const auto removed = remove(**root, (*ids)[i]);
        if (removed || (i >= named && removed.error().kind == ErrorKind::usage)) continue;
        const int failure = context.fail(removed.error());
        if (result == code::ok) result = failure;
    }
    return result;
}

} // namespace

std::unique_ptr<Verb> make_rm()
{
    return std::make_unique<Remove>();
}

} // namespace bgt::cli
