#include "task_tables.hpp"

#include "queue_table.hpp"
#include "run_table.hpp"

#include <bgt/base/siphash.hpp>
#include <bgt/base/text.hpp>
#include <bgt/cli/env_file.hpp>
#include <bgt/ops/settings.hpp>
#include <bgt/store/projects.hpp>

#include <algorithm>
#include <fmt/format.h>

namespace bgt::cli {

namespace {

using config::Entry;
using config::TaskTable;

constexpr const char* takes = "`command`, `kind`, the options of `bgt submit`,";

/// The keys that are no options of `bgt run`.
const std::vector<std::string>& own_keys()
{
    static const std::vector<std::string> keys = [] {
        std::vector<std::string> out{"command"};
        for (const QueueOption& option : queue_options())
            if (option.in_tables) out.push_back(key_name(option.long_name()));
        return out;
    }();
    return keys;
}

/// A [task.NAME] as options.
struct TableOptions {
    RunOptions run;
    QueueOptions queue;
    bool waits = false; ///< an option of `bgt submit` was said
    std::map<std::string, std::string> hashes;
};

Error at(const std::string& place, const std::string& text)
{
    return Error::usage(place + ": " + text);
}

/// Tells whether a value is still the same, without keeping what may be secret.
std::string hash_of(const std::vector<std::string>& words)
{
    std::vector<std::uint8_t> bytes;
    for (const std::string& word : words) {
        bytes.insert(bytes.end(), word.begin(), word.end());
        bytes.push_back(0);
    }
    const KeyedHash hash = siphash(HashKey{'b', 'g', 't', ' ', 'u', 'p'}, bytes);
    std::string text;
    for (std::size_t i = 0; i < 8; ++i) text += fmt::format("{:02x}", hash[i]);
    return text;
}

std::vector<std::string> value_words(const Entry& entry)
{
    if (const auto* text = std::get_if<std::string>(&entry.value)) return {*text};
    if (const auto* number = std::get_if<long long>(&entry.value)) return {std::to_string(*number)};
    if (const auto* flag = std::get_if<bool>(&entry.value)) return {*flag ? "true" : "false"};
    return std::get<std::vector<std::string>>(entry.value);
}

Result<void> take_command(RunOptions& options, const Entry& entry)
{
    if (const auto* text = std::get_if<std::string>(&entry.value)) options.shell = *text;
    else if (const auto* words = std::get_if<std::vector<std::string>>(&entry.value))
        options.command = *words;
    else
        return at(entry.value_at, "command must be a string, which /bin/sh runs, or an array of "
                                  "strings, which is run as it is");
    for (const std::string& word : value_words(entry))
        if (word.find('\0') != word.npos)
            return at(entry.value_at, "command: a NUL can't be passed on");
    const bool is_empty = options.shell ? options.shell->empty() : options.command.empty();
    if (is_empty) return at(entry.value_at, "command is empty");
    return {};
}

const QueueOption* find_queue_option(const Entry& entry)
{
    for (const QueueOption& option : queue_options()) {
        std::string key = key_name(option.long_name());
        if (key == entry.key) return &option;
        std::replace(key.begin(), key.end(), '_', '-');
        if (key == entry.key) return &option;
    }
    return nullptr;
}

Result<void> take_queue_key(QueueOptions& options, const QueueOption& option, const Entry& entry)
{
    if (!option.in_tables)
        return at(entry.key_at, std::string(option.long_name()) +
                                    " is for the command line only, not for a task of a project");
    const bool takes_number = option.value == Value::number || option.value == Value::duration ||
                              option.long_name() == "--expire";
    BGT_TRY_ASSIGN(const std::vector<std::string> words,
                   words_of(entry, option.is_flag(), option.is_list(), takes_number));
    ops::SubmitRequest scratch;
    for (const std::string& word : words) {
        if (option.take(scratch, word)) continue;
        return at(entry.value_at,
                  printable(entry.key) + ": " + option.take(scratch, word).error().message);
    }
    if (words.empty()) return {};
    if (const auto* flag = std::get_if<0>(&option.member)) options.*(*flag) = true;
    else if (const auto* one = std::get_if<1>(&option.member)) options.*(*one) = words.back();
    else options.*std::get<2>(option.member) = words;
    return {};
}

/// Of a file of variables, what it says now: an edit of it is a change of the table.
Result<std::vector<std::string>> hashed_words(const Entry& entry, const RunOptions& options)
{
    std::vector<std::string> words = value_words(entry);
    if (key_name("--" + entry.key) != "env_file") return words;
    for (const std::string& file : options.env_files) {
        BGT_TRY_ASSIGN(const auto variables, read_env_file(file));
        words.insert(words.end(), variables.begin(), variables.end());
    }
    return words;
}

Result<void> take_entry(TableOptions& options, const Entry& entry, const std::string& folder)
{
    if (entry.key == "command") {
        BGT_TRY(take_command(options.run, entry));
    } else if (const QueueOption* queue = find_queue_option(entry)) {
        BGT_TRY(take_queue_key(options.queue, *queue, entry));
        options.waits = options.waits || !queue->values(options.queue).empty();
    } else {
        BGT_TRY_ASSIGN(
            const RunOption* option,
            take_key(options.run, {entry, folder, "a task of a project", takes, own_keys()}));
        if (option && option->of_name)
            return at(entry.key_at, printable(entry.key) +
                                        ": the name of a task of a project is that of its table");
    }
    BGT_TRY_ASSIGN(const auto words, hashed_words(entry, options.run));
    options.hashes[entry.key] = hash_of(words);
    return {};
}

Result<TableOptions> options_of(const TaskTable& table, const std::string& folder)
{
    if (auto valid = store::check_plain_name(table.name); !valid)
        return at(table.at, valid.error().message);
    if (core::parse_depends_on(table.name))
        return at(table.at,
                  "a task can't be called " + table.name + ", which `after` takes for a condition");
    TableOptions out;
    for (const Entry& entry : table.entries) BGT_TRY(take_entry(out, entry, folder));
    if (out.run.command.empty() && !out.run.shell)
        return at(table.at, "task " + table.name + " has no command");
    if (out.run.stdin_from == "-")
        return at(table.at, "task " + table.name + ": stdin = \"-\" is for the command line only");
    return out;
}

std::variant<ops::StartRequest, ops::SubmitRequest> request_of(ops::StartRequest start,
                                                               const TableOptions& options)
{
    if (!options.waits) return start;
    ops::SubmitRequest out;
    out.spec = std::move(start.spec);
    out.spec.remove_when_ended = options.run.remove;
    out.context = ops::own_context();
    out.context.env = std::move(start.env);
    out.context.keep_env = start.keep_env;
    out.context.retention = start.retention;
    static_cast<void>(options.queue.apply(out)); // each was judged with its place
    // What only waits for others takes no slot: it may run for ever.
    if (!options.queue.queue && !options.queue.slots) out.how.slots = 0;
    if (!options.queue.queue) out.how.queue.clear();
    return out;
}

Result<ops::UpTask> up_task_of(const TaskTable& table, const std::string& folder,
                               const config::Settings& settings)
{
    BGT_TRY_ASSIGN(TableOptions options, options_of(table, folder));
    const auto with_place = [&](Error error) {
        if (!error.message.starts_with(table.at.substr(0, table.at.rfind('/') + 1)))
            error.message.insert(0, table.at + ": task " + table.name + ": ");
        return error;
    };
    auto start = options.run.request(settings);
    if (!start) return with_place(start.error());
    ops::UpTask task;
    task.plan.name = table.name;
    task.plan.has_ready = start->spec.policy.awaits_ready;
    task.plan.is_service = start->spec.policy.kind == core::Kind::service;
    task.is_job = options.run.job;
    task.table = std::move(options.hashes);
    task.request = request_of(*std::move(start), options);
    if (const auto* submit = std::get_if<ops::SubmitRequest>(&task.request))
        for (const ops::DependencyWord& word : submit->after)
            task.plan.after.push_back({word.task, word.on});
    return task;
}

/// The nearest Procfile, in the folder or above it, but not above `last`.
Result<std::optional<ProjectTables>> find_procfile(std::string folder, const std::string& last)
{
    while (folder.starts_with('/')) {
        const std::string file = (folder == "/" ? "" : folder) + "/Procfile";
        BGT_TRY_ASSIGN(const config::File read, ops::read_own_file(file));
        if (!read.warning.empty()) return Error::failed(read.warning);
        if (read.there) {
            BGT_TRY_ASSIGN(auto tasks, config::parse_procfile(read.text, file));
            return std::optional(ProjectTables{folder, file, std::move(tasks)});
        }
        if (folder == last || folder == "/") break;
        folder = folder.substr(0, std::max<std::size_t>(folder.rfind('/'), 1));
    }
    return std::optional<ProjectTables>();
}

/// With a bgt.toml one in its folder, or below it on the way to the working folder.
Result<std::optional<ProjectTables>> find_procfile(const Context& context)
{
    const auto& project = context.settings().project;
    if (!project) return find_procfile(context.folder(), "/");
    const std::string last = project->folder();
    const bool is_inside = last == "/" || context.folder().starts_with(last + "/");
    return find_procfile(is_inside ? context.folder() : last, last);
}

} // namespace

Result<ProjectTables> find_tables(const Context& context)
{
    const auto& project = context.settings().project;
    if (project && !context.settings().tasks.empty())
        return ProjectTables{project->folder(), project->file(), context.settings().tasks};
    BGT_TRY_ASSIGN(auto procfile, find_procfile(context));
    if (procfile && !procfile->tasks.empty()) return *std::move(procfile);
    return Error::not_found(
        (procfile  ? printable(procfile->file) + " names no process"
         : project ? printable(project->file()) + " has no [task.NAME], and there is no Procfile"
                   : "there is no bgt.toml and no Procfile in this folder or above it") +
        ": see bgt up --help");
}

std::string project_folder(const Context& context, const store::Root& root)
{
    const auto& project = context.settings().project;
    if (project && !context.settings().tasks.empty()) return project->folder();
    if (const auto procfile = find_procfile(context); procfile && *procfile)
        return (*procfile)->folder;
    const auto known = store::find_project(root, context.folder());
    return known && *known ? (*known)->folder : std::string();
}

Result<std::vector<ops::UpTask>> read_tables(const ProjectTables& tables,
                                             const config::Settings& settings)
{
    std::vector<ops::UpTask> out;
    for (const TaskTable& table : tables.tasks) {
        BGT_TRY_ASSIGN(ops::UpTask task, up_task_of(table, tables.folder, settings));
        out.push_back(std::move(task));
    }
    return out;
}

} // namespace bgt::cli
