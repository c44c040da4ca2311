#include "hook_command.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bgt::supervise {
namespace {

constexpr std::size_t max_output_kept = 4096;
constexpr auto leftover_wait = std::chrono::seconds(2); ///< as of a task
constexpr auto grace = std::chrono::seconds(5);
constexpr auto grace_when_told = std::chrono::seconds(1); ///< somebody waits: a shutdown, bgt rm

bool is_folder(const std::string& path)
{
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

} // namespace

static_assert(longest_hook == hook_timeout + leftover_wait + grace + std::chrono::seconds(5));

os::BoundedCommand hook_command(const std::string& text, std::vector<std::string> env,
                                const std::string& cwd, mode_t umask)
{
    return {.text = text,
            .env = std::move(env),
            .cwd = is_folder(cwd) ? cwd : "/",
            .umask = umask,
            .timeout = hook_timeout,
            .leftover_wait = leftover_wait,
            .grace = grace,
            .grace_when_told = grace_when_told,
            .max_output = max_output_kept};
}

std::vector<std::string> own_environment()
{
    std::vector<std::string> env;
    for (char** entry = environ; entry && *entry; ++entry) env.emplace_back(*entry);
    return env;
}

std::vector<std::string> with_variables(const std::vector<std::string>& env,
                                        const HookVariables& ours)
{
    std::vector<std::string> out;
    for (const std::string& entry : env) {
        const auto name = std::string_view(entry).substr(0, entry.find('='));
        if (std::ranges::find(ours, name, &HookVariables::value_type::first) == ours.end())
            out.push_back(entry);
    }
    for (const auto& [name, value] : ours)
        if (!value.empty()) out.push_back(name + "=" + value);
    return out;
}

void forget_task(HookVariables& variables)
{
    for (const char* name : {"BGT_DEADLINE", "BGT_GRACE", "BGT_ATTEMPT", "NOTIFY_SOCKET",
                             "WATCHDOG_USEC", "WATCHDOG_PID"})
        variables.emplace_back(name, "");
}

std::string stopped_for_timeout(os::StoppedFor why)
{
    return why == os::StoppedFor::timeout
               ? "it was stopped: it took longer than " + format_duration(hook_timeout)
               : std::string();
}

std::vector<store::EventField> fields_of(const os::BoundedEnd& end, std::string error)
{
    std::vector<store::EventField> fields;
    if (end.code) fields.push_back({"code", std::int64_t{*end.code}});
    if (end.leftovers > 0)
        fields.push_back({"leftovers", static_cast<std::int64_t>(end.leftovers)});
    if (end.survivors > 0)
        error += fmt::format("{}{} {} could not be ended by SIGKILL", error.empty() ? "" : "; ",
                             end.survivors, end.survivors == 1 ? "process" : "processes");
    if (!error.empty()) fields.push_back({"error", std::move(error)});
    if (end.output.empty()) return fields;
    fields.push_back({"output", end.output});
    const std::uint64_t cut = end.output_bytes - end.output.size();
    if (cut > 0) fields.push_back({"output_bytes_cut", static_cast<std::int64_t>(cut)});
    return fields;
}

bool is_fine(const os::BoundedEnd& end)
{
    return end.code == 0 && end.stopped == os::StoppedFor::nothing && end.survivors == 0;
}

} // namespace bgt::supervise
