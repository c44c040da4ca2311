#include "selection.hpp"

#include <climits>
#include <unistd.h>

namespace bgt::cli {

void declare_selection(Parser& parser, ops::Selection& target, Value word)
{
    char folder[PATH_MAX];
    if (::getcwd(folder, sizeof folder) != nullptr) target.folder = folder;
    parser.words(target.words, "TASK", word);
    parser.flag("--all", target.all, "all tasks to which the verb applies");
    parser.list("--name", target.names, "NAME", Value::task_name,
                "tasks with this name; * and ? are wildcards");
    parser.list("--tag", target.tags, "K[=V]", Value::tag,
                "tasks with this tag; several values of one key are alternatives");
    parser.list("--queue", target.queues, "NAME", Value::text,
                "tasks of this queue, waiting or started from it");
}

} // namespace bgt::cli
