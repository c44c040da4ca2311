#pragma once
/// What several verbs answer alike.
#include <bgt/cli/context.hpp>
#include <bgt/cli/parser.hpp>
#include <bgt/ops/answer.hpp>
#include <bgt/ops/snapshot.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace bgt::cli {

/// Tells an error; `result` becomes the exit code of the first one.
inline void tell(Context& context, int& result, const Error& error, store::TaskId task = {})
{
    const int failure = context.fail(error, task);
    if (result == code::ok) result = failure;
}

/// Tells what is no error of bgt and gives the exit code all the same.
inline void tell_failure(Context& context, int& result, const std::string& text, int failure,
                         store::TaskId task)
{
    context.tell_failure(text, failure, task);
    if (result == code::ok) result = failure;
}

/// For the words of a selection that name no task.
inline ops::OnMissing told_missing(Context& context, int& result)
{
    return [&context, &result](const Error& error) { tell(context, result, error); };
}

/// Tells each error as soon as it is known, and shows the rest; the exit code is that of
/// the first error. Both must outlive what is returned.
template <class T, class Show>
ops::Progress<T> told(Context& context, int& result, Show show)
{
    return {told_missing(context, result), [&context, &result, show](const ops::One<T>& one) {
                if (one.result) show(one.id, *one.result);
                else tell(context, result, one.result.error(), one.id);
            }};
}

/// --fields and --brief of a verb that prints tasks as JSON; main() reads them (Context::fields).
struct FieldWords {
    std::optional<std::string> fields;
    bool brief = false;
};
void declare_fields(Parser&, FieldWords&);

/// Tasks as they are now; of one that removed itself, as it was last seen.
std::vector<ops::Snapshot> as_now(store::Root&, std::vector<ops::Snapshot> last_seen);

/// The last lines of a task for a JSON answer: at most 2 KiB. Empty: there are none.
std::string tail_of_task(store::Root&, store::TaskId);

/// {"schema":1,"tasks":[...]} of these tasks, as they are now, on stdout.
void print_tasks_json(Context&, store::Root&, const std::vector<store::TaskId>&);
/// The same of tasks that this call has started; as print_made().
int print_started_json(Context&, store::Root&, const std::vector<store::TaskId>&);
/// Prints how the tasks are to be found that this call has made. Where that can't be printed, the
/// message tells: `made` is "task 7 runs, but its id". The exit code.
int print_made(Context&, std::string_view text, const std::string& made);
void print_snapshots_json(Context&, const std::vector<ops::Snapshot>&);

/// "1 process", "5 processes".
std::string counted(std::size_t n, std::string_view one, std::string_view many);

} // namespace bgt::cli
