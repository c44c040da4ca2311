#include "answer.hpp"

#include <bgt/ops/log_view.hpp>
#include <bgt/ops/only_task.hpp>
#include <bgt/render/brief.hpp>
#include <bgt/render/json.hpp>

#include <algorithm>

namespace bgt::cli {

namespace {

constexpr std::size_t tail_bytes = 2048, tail_line_bytes = 500;

} // namespace

void declare_fields(Parser& parser, FieldWords& target)
{
    parser.option("--fields", target.fields, "FIELD,...", Value::text,
                  "with --json: only these fields of each task (a wrong one lists all)");
    parser.flag("--brief", target.brief,
                "with --json: leave out what is null, empty or as always; without --fields, a task "
                "in about 120 bytes");
}

std::vector<ops::Snapshot> as_now(store::Root& root, std::vector<ops::Snapshot> last_seen)
{
    std::vector<store::TaskId> ids;
    for (const ops::Snapshot& task : last_seen) ids.push_back(task.id);
    for (ops::Snapshot& now : ops::recover_and_inspect_all(root, ids, {true, true, true, true})) {
        const auto seen = std::ranges::find(last_seen, now.id, &ops::Snapshot::id);
        if (seen != last_seen.end()) *seen = std::move(now);
    }
    return last_seen;
}

std::string tail_of_task(store::Root& root, store::TaskId id)
{
    ops::Selection selection;
    selection.words = {to_string(id)};
    ops::LogOptions options;
    options.newest = true;
    options.max_bytes = 2 * tail_bytes;
    auto read = ops::read_log(root, selection, options);
    if (!read) return {};
    const Result<ops::LogPiece> piece = ops::only_task(*std::move(read), id);
    return piece ? render::tail_of(piece->text, tail_bytes, tail_line_bytes) : std::string();
}

void print_snapshots_json(Context& context, const std::vector<ops::Snapshot>& snapshots)
{
    context.print(render::tasks_json(snapshots, render::Moment::now(), context.fields()));
}

void print_tasks_json(Context& context, store::Root& root, const std::vector<store::TaskId>& ids)
{
    print_snapshots_json(context,
                         ops::recover_and_inspect_all(root, ids, {true, true, true, true}));
}

int print_started_json(Context& context, store::Root& root, const std::vector<store::TaskId>& ids)
{
    const auto tasks = ops::recover_and_inspect_all(root, ids, {true, true, true, true});
    std::string made = ids.size() == 1 ? "task" : "tasks";
    for (const store::TaskId id : ids) made += " " + to_string(id);
    made += ids.size() == 1 ? " was started, but its id" : " were started, but their ids";
    return print_made(context, render::tasks_json(tasks, render::Moment::now(), context.fields()),
                      made);
}

int print_made(Context& context, std::string_view text, const std::string& made)
{
    const auto printed = context.try_print(text);
    if (printed) return code::ok;
    context.complain(made + " could not be printed: " + printed.error().message);
    return code::failed;
}

std::string counted(std::size_t n, std::string_view one, std::string_view many)
{
    return std::to_string(n) + " " + std::string(n == 1 ? one : many);
}

} // namespace bgt::cli
