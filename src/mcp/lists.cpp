#include "lists.hpp"

#include <bgt/api/operation.hpp>
#include <bgt/api/schema.hpp>
#include <bgt/base/text.hpp>

#include <algorithm>
#include <boost/json.hpp>
#include <fmt/format.h>

namespace bgt::mcp {

namespace json = boost::json;

const std::string_view instructions =
    "bgt runs commands as background tasks. run starts one and waits a while; wait and read block "
    "until there is something new, so never sleep or poll. why explains a task that hangs or "
    "failed. Tasks of this server end with it, unless run had keep: true. Numbers named _s are "
    "seconds.";

namespace {

json::object tool_of(const api::Operation& operation)
{
    return {{"name", operation.name},
            {"title", operation.title},
            {"description", operation.doc},
            {"inputSchema", api::schema_of(operation.request, api::Closed::yes)},
            {"outputSchema", api::schema_of(operation.answer, api::Closed::no)},
            {"annotations", json::object{{"readOnlyHint", operation.access == api::Access::read},
                                         {"destructiveHint", operation.destructive},
                                         {"idempotentHint", operation.idempotent},
                                         {"openWorldHint", operation.access == api::Access::run}}}};
}

struct ResourceRow {
    std::string_view uri, name, title, type;
};
constexpr ResourceRow resource_row{"bgt://tasks", "tasks", "The tasks of this server",
                                   "application/json"};
constexpr ResourceRow template_rows[] = {
    {"bgt://task/{id}", "task", "All that is known of a task", "application/json"},
    {"bgt://task/{id}/log", "log", "The end of the output of a task", "text/plain"},
    {"bgt://task/{id}/report", "report", "Why a task hangs, or how it ended", "text/plain"},
};

struct PromptRow {
    std::string_view name, title, doc, argument, argument_doc, text;
};
constexpr PromptRow prompt_rows[] = {
    {"diagnose", "Find out why a task hangs or failed",
     "Looks at a task, explains what it does or how it ended, and proposes what to do.", "id",
     "id or name of the task",
     "Find out what is the matter with the bgt task {}. Call why for it first; read its output "
     "only "
     "as far as that leaves questions (read with grep before reading much). Say in two sentences "
     "what it does or why it ended, with the evidence, and propose one next step. Restart or stop "
     "it only if I ask for it."},
    {"start-dev-server", "Start a development server and wait until it answers",
     "Starts a server so that it is ready when you go on, and ends with this session.", "command",
     "the command, \"npm run dev\"",
     "Start this development server as a bgt task: {}\nCall run with `ready` (a port, a line of "
     "its "
     "log, or a URL, whatever the project tells) and a name, with if_exists \"reuse\". If it does "
     "not become ready, call why and mend what it says. Then tell me the URL and the task's name. "
     "Use read with the cursor to see what it says after a change."},
};

} // namespace

json::array tools()
{
    json::array out;
    for (const api::Operation& operation : api::operations()) out.push_back(tool_of(operation));
    return out;
}

json::array resources()
{
    return {json::object{{"uri", resource_row.uri},
                         {"name", resource_row.name},
                         {"title", resource_row.title},
                         {"mimeType", resource_row.type}}};
}

json::array resource_templates()
{
    json::array out;
    for (const ResourceRow& row : template_rows)
        out.push_back(json::object{{"uriTemplate", row.uri},
                                   {"name", row.name},
                                   {"title", row.title},
                                   {"mimeType", row.type}});
    return out;
}

json::array prompts()
{
    json::array out;
    for (const PromptRow& row : prompt_rows)
        out.push_back(
            json::object{{"name", row.name},
                         {"title", row.title},
                         {"description", row.doc},
                         {"arguments", json::array{json::object{{"name", row.argument},
                                                                {"description", row.argument_doc},
                                                                {"required", true}}}}});
    return out;
}

Result<json::object> prompt_of(const json::object& params)
{
    const json::value* name = params.if_contains("name");
    if (!name || !name->is_string()) return Error::usage("params: name is missing");
    const auto* const row =
        std::ranges::find(prompt_rows, std::string_view(name->get_string()), &PromptRow::name);
    if (row == std::end(prompt_rows))
        return Error::usage("there is no prompt " + fit(printable(name->get_string()), 60));
    const json::value* arguments = params.if_contains("arguments");
    const json::value* given = arguments && arguments->is_object()
                                   ? arguments->get_object().if_contains(row->argument)
                                   : nullptr;
    if (!given || !given->is_string() || given->get_string().empty())
        return Error::usage(fmt::format("the argument {} is missing", row->argument));
    std::string text(row->text);
    text.replace(text.find("{}"), 2, std::string_view(given->get_string()));
    return json::object{
        {"description", row->doc},
        {"messages", json::array{json::object{
                         {"role", "user"},
                         {"content", json::object{{"type", "text"}, {"text", std::move(text)}}}}}}};
}

std::optional<ResourceUri> parse_uri(std::string_view uri)
{
    using Kind = ResourceUri::Kind;
    if (uri == resource_row.uri) return ResourceUri{Kind::tasks, {}};
    constexpr std::string_view prefix = "bgt://task/";
    if (!uri.starts_with(prefix)) return std::nullopt;
    std::string_view rest = uri.substr(prefix.size());
    Kind kind = Kind::task;
    if (rest.ends_with("/log")) kind = Kind::log;
    else if (rest.ends_with("/report")) kind = Kind::report;
    if (kind != Kind::task) rest = rest.substr(0, rest.rfind('/'));
    // Names of tasks need no escapes (store/names): what does is none.
    const bool is_word = !rest.empty() && rest.size() <= 128 &&
                         rest.find_first_of("/%?#\\ ") == rest.npos && printable(rest) == rest;
    if (!is_word || rest == "-") return std::nullopt;
    return ResourceUri{kind, std::string(rest)};
}

json::object missing_tasks_capability()
{
    return {{"requiredCapabilities",
             json::object{{"extensions", json::object{{tasks_extension, json::object()}}}}}};
}

} // namespace bgt::mcp
