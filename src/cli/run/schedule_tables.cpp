#include "schedule_tables.hpp"

#include "schedule_options.hpp"
#include "table_options.hpp"

#include <bgt/base/text.hpp>

#include <algorithm>

namespace bgt::cli {

namespace {

using config::Entry;
using config::TaskTable;

constexpr TableNouns of_schedule{"a schedule of a project",
                                 "`command`, `kind`, the options of `bgt schedule add`,"};

const std::vector<std::string>& own_keys()
{
    static const std::vector<std::string> keys = [] {
        std::vector<std::string> out = queue_keys();
        for (std::string& key : ScheduleOptions::keys()) out.push_back(std::move(key));
        return out;
    }();
    return keys;
}

Result<void> take_word(ScheduleOptions::Word& word, const Entry& entry)
{
    if (const auto* text = std::get_if<std::string>(&entry.value)) word = *text;
    else if (const auto* number = std::get_if<long long>(&entry.value))
        word = std::to_string(*number);
    else
        return error_at(entry.value_at,
                        printable(entry.key) + " must be a string or a whole number");
    return {};
}

struct ScheduleTable {
    ScheduleOptions when;
    TableOptions task;
};

Result<ScheduleTable> options_of(const TaskTable& table, const std::string& folder)
{
    ScheduleTable out;
    for (const Entry& entry : table.entries) {
        if (auto* word = out.when.by_key(entry.key)) BGT_TRY(take_word(*word, entry));
        else BGT_TRY(take_entry(out.task, entry, folder, of_schedule, own_keys()));
    }
    const std::string name = "schedule " + printable(table.name);
    if (out.task.run.command.empty() && !out.task.run.shell)
        return error_at(table.at, name + " has no command");
    if (out.task.run.stdin_from == "-")
        return error_at(table.at, name + ": stdin = \"-\" is for the command line only");
    if (!out.task.queue.after.empty() || out.task.queue.on_dep_failure)
        return error_at(table.at, name + ": after is for tasks: a schedule waits for a time");
    if (!out.task.run.watch.empty())
        return error_at(table.at, name + ": watch is for tasks: a schedule waits for a time");
    return out;
}

Result<ops::ScheduleRequest> request_of(const TaskTable& table, const config::Settings& settings)
{
    BGT_TRY_ASSIGN(ScheduleTable options, options_of(table, settings.project->folder()));
    ops::ScheduleRequest out;
    out.name = table.name;
    BGT_TRY(store::check_schedule_name(out.name));
    BGT_TRY_ASSIGN(auto when, options.when.when());
    if (!when) return Error::usage("it says neither every, cron nor calendar");
    out.when = *std::move(when);
    out.zone = options.when.tz.value_or("");
    BGT_TRY(options.when.apply(out.policy));
    BGT_TRY_ASSIGN(ops::StartRequest start, options.task.run.request(settings));
    out.task = scheduled_task(std::move(start), options.task.run.remove);
    BGT_TRY(options.task.queue.apply(out.task));
    return out;
}

} // namespace

ops::SubmitRequest scheduled_task(ops::StartRequest start, bool remove)
{
    leave_out_watch(start);
    ops::SubmitRequest out = ops::waiting_request(std::move(start));
    out.spec.remove_when_ended = remove;
    // Whoever adds it may end, and the scope around that one with it.
    out.spec.scopes = {};
    return out;
}

Result<std::vector<ops::ScheduleRequest>> read_schedules(const config::Settings& settings)
{
    std::vector<ops::ScheduleRequest> out;
    for (const TaskTable& table : settings.schedules) {
        auto request = request_of(table, settings);
        if (!request) {
            Error error = request.error();
            const std::string folder = table.at.substr(0, table.at.rfind('/') + 1);
            if (!error.message.starts_with(folder))
                error.message.insert(0, table.at + ": schedule " + printable(table.name) + ": ");
            return error;
        }
        out.push_back(*std::move(request));
    }
    return out;
}

} // namespace bgt::cli
