#include <bgt/serve/openapi.hpp>

#include <bgt/api/operation.hpp>
#include <bgt/api/schema.hpp>
#include <bgt/serve/gate.hpp>

#include <boost/json.hpp>
#include <fmt/format.h>

namespace bgt::serve {

namespace {

namespace json = boost::json;

json::object content(std::string_view type, json::object schema)
{
    return {{type, json::object{{"schema", std::move(schema)}}}};
}

json::object ref(std::string_view name)
{
    return {{"$ref", fmt::format("#/components/schemas/{}", name)}};
}

json::object responses(std::string_view type, json::object schema)
{
    return {{"200", json::object{{"description", "its answer"},
                                 {"content", content(type, std::move(schema))}}},
            {"default",
             json::object{{"description", "what is wrong (RFC 9457)"},
                          {"content", content("application/problem+json", ref("Problem"))}}}};
}

json::object of_operation(const api::Operation& one)
{
    const std::string_view scope = scope_word(one.access);
    return {
        {"operationId", one.name},
        {"summary", one.title},
        {"description", fmt::format("{} Needs the scope {}.", one.doc, scope)},
        {"x-scope", scope},
        {"x-destructive", one.destructive},
        {"x-idempotent", one.idempotent},
        {"requestBody",
         json::object{{"required", true},
                      {"content", content("application/json",
                                          api::schema_of(one.request, api::Closed::yes))}}},
        {"responses", responses("application/json", api::schema_of(one.answer, api::Closed::no))}};
}

struct Parameter {
    std::string_view name, in, doc;
    std::string_view type = "string";
};

struct Reading {
    std::string_view path, id, title, doc;
    std::string_view type = "application/json";
    std::vector<Parameter> parameters = {};
};

json::object of_reading(const Reading& one)
{
    json::array parameters;
    for (const Parameter& parameter : one.parameters)
        parameters.push_back(json::object{{"name", parameter.name},
                                          {"in", parameter.in},
                                          {"required", parameter.in == "path"},
                                          {"description", parameter.doc},
                                          {"schema", json::object{{"type", parameter.type}}}});
    json::object out{
        {"operationId", one.id},
        {"summary", one.title},
        {"description", one.doc},
        {"x-scope", "read"},
        {"responses",
         responses(one.type,
                   json::object{{"type", one.type == "application/json" ? "object" : "string"}})}};
    if (!parameters.empty()) out["parameters"] = std::move(parameters);
    return out;
}

std::vector<Reading> readings()
{
    const Parameter id{"id", "path", "of the task", "integer"};
    const Parameter resume{"Last-Event-ID", "header", "the id of the last event that came"};
    return {
        {"/v1/tasks",
         "tasks",
         "Tasks",
         "The tasks as bgt ps --json lists them.",
         "application/json",
         {{"state", "query", "only tasks in this state"},
          {"all", "query", "1: all ended tasks too, not only the newest ten"}}},
        {"/v1/tasks/{id}",
         "task",
         "One task",
         "With its events and its earlier attempts.",
         "application/json",
         {id}},
        {"/v1/tasks/{id}/log",
         "log",
         "Its output, live",
         "Events \"output\" with {start, text, skipped}, each with the place behind it as its id, "
         "and \"end\" with the task once it has ended.",
         "text/event-stream",
         {id,
          {"from", "query", "begin at this byte", "integer"},
          {"tail", "query", "begin so many bytes before the end (65536)", "integer"},
          resume}},
        {"/v1/events",
         "follow",
         "What happens, live",
         "An event \"tasks\" with those that there are (after a resume also with those that have "
         "ended since), then \"task\" with each that has changed, \"removed\", \"queues\" and "
         "\"schedules\".",
         "text/event-stream",
         {{"usage", "query", "also an event \"usage\" every so many seconds", "integer"}, resume}},
        {"/v1/server", "server", "This server",
         "Its version, its state root, and the scope of the token."},
        {"/v1/queues", "queues", "Queues", "The queues as bgt queue --json lists them."},
        {"/v1/schedules", "schedules", "Schedules",
         "The schedules as bgt schedule ls --json lists them, each with its next time."},
        {"/metrics", "metrics", "Metrics", "What bgt stats --openmetrics prints, for Prometheus.",
         "text/plain"},
    };
}

} // namespace

json::object openapi()
{
    json::object paths;
    for (const api::Operation& one : api::operations())
        paths[fmt::format("/v1/{}", one.name)] = json::object{{"post", of_operation(one)}};
    for (const Reading& one : readings()) {
        json::value& path = paths[one.path];
        if (!path.is_object()) path.emplace_object();
        path.get_object()["get"] = of_reading(one);
    }
    json::object problem{
        {"type", "object"},
        {"required", json::array{"title", "status", "detail"}},
        {"properties",
         json::object{
             {"type", json::object{{"type", "string"}}},
             {"title", json::object{{"type", "string"}}},
             {"status", json::object{{"type", "integer"}}},
             {"detail", json::object{{"type", "string"},
                                     {"description", "what, where, and what to do next"}}},
             {"kind", json::object{{"type", "string"},
                                   {"enum", json::array{"failed", "usage", "not-found",
                                                        "cannot-exec", "no-command"}}}},
             {"code", json::object{{"type", "integer"},
                                   {"description", "with which the command line would exit"}}}}}};
    return {{"openapi", "3.1.0"},
            {"info", json::object{{"title", "bgt"},
                                  {"version", BGT_VERSION},
                                  {"description", "Background tasks under supervision"}}},
            {"security", json::array{json::object{{"token", json::array()}}}},
            {"paths", std::move(paths)},
            {"components",
             json::object{
                 {"securitySchemes",
                  json::object{{"token", json::object{{"type", "http"}, {"scheme", "bearer"}}}}},
                 {"schemas", json::object{{"Problem", std::move(problem)}}}}}};
}

} // namespace bgt::serve
