#include "answer.hpp"
#include "selection.hpp"

#include <bgt/base/text.hpp>
#include <bgt/cli/verb.hpp>
#include <bgt/ops/remove.hpp>
#include <bgt/os/terminal.hpp>
#include <bgt/render/json.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <unistd.h>

namespace bgt::cli {

namespace {

class Remove final : public Verb {
public:
    void declare(Parser&) override;
    int run(Context&) override;

private:
    void answer(Context&, const ops::Each<ops::Removed>&) const;

    ops::Selection selection_;
    bool force_ = false, yes_ = false, json_ = false;
};

void Remove::declare(Parser& parser)
{
    declare_selection(parser, selection_);
    parser.flag("--force", force_, "if a task runs, kill it (SIGKILL at once), then remove it");
    parser.flag("-y,--yes", yes_, "do not ask (--all --force asks on a terminal)");
    parser.flag("--json", json_, "print the answer as JSON");
    parser.example("bgt rm 7 8");
    parser.example("bgt rm --tag job=e2e");
}

void Remove::answer(Context& context, const ops::Each<ops::Removed>& removed) const
{
    boost::json::array ids, problems;
    std::uint64_t bytes = 0;
    for (const auto& [id, result] : removed.tasks) {
        if (result) {
            ids.emplace_back(id.value);
            bytes += result->bytes;
        } else {
            problems.emplace_back(printable(result.error().message));
        }
    }
    context.print(render::answer_json(
        {{"removed", std::move(ids)}, {"bytes", bytes}, {"problems", std::move(problems)}}));
}

/// Who types it may have meant less. Nobody is asked where nobody could answer.
bool is_wanted(const Context& context)
{
    if (!os::is_terminal(STDIN_FILENO) || !context.stderr_is_terminal()) return true;
    std::fputs("bgt rm: kill all running tasks, and remove every task? [y/N] ", stderr);
    std::string answer(8, '\0');
    const ssize_t n = ::read(STDIN_FILENO, answer.data(), answer.size());
    return n > 0 && (answer[0] == 'y' || answer[0] == 'Y');
}

int Remove::run(Context& context)
{
    const bool everything = selection_.all && selection_.words.empty() && !selection_.narrows();
    if (everything && force_ && !yes_ && !is_wanted(context))
        return context.fail(Error::failed("nothing was removed"), json_);
    auto root = context.root();
    if (!root) return context.fail(root.error(), json_);
    int result = code::ok;
    const auto done =
        ops::remove(**root, {selection_, force_},
                    told<ops::Removed>(context, result, [](store::TaskId, const ops::Removed&) {}));
    if (!done) return context.fail(done.error(), json_);
    if (json_) answer(context, *done);
    return result;
}

} // namespace

std::unique_ptr<Verb> make_rm()
{
    return std::make_unique<Remove>();
}

} // namespace bgt::cli
